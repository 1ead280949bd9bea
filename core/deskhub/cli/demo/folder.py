"""The demo's working folder: a hub.toml like an operator's, with its secrets in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deskhub.cli.demo.systems import Keys, System

HUB_TOML = """\
# The configuration of this demo. A real one differs in addresses and in where secrets stand.
schema = 1

[hub]
listen = "{listen}"
store = "sqlite:///data/deskhub.db"
log = "warning"

[inboxes.shop]
key = "shop"
name = "Scree support"
origins = ["{shop}"]
languages = ["en", "zh-CN"]
identity_secret = {{ file = "secrets/identity" }}
accent = "#1d5c48"

# Somebody is always there: whoever tries the demo sees the clocks run.
[inboxes.shop.hours]
zone = "Asia/Shanghai"
mon = "00:00-24:00"
tue = "00:00-24:00"
wed = "00:00-24:00"
thu = "00:00-24:00"
fri = "00:00-24:00"
sat = "00:00-24:00"
sun = "00:00-24:00"

[inboxes.shop.sla]
response = "30m"
resolution = "24h"

[inboxes.shop.greeting]
en = "Hi, how can we help?"
zh-CN = "您好，有什么可以帮您？"

[macros.thank]
title = {{ en = "Thank and close", zh-CN = "致谢并关闭" }}
tags = ["thanked"]
assign = "me"
close = true

[macros.thank.say]
en = "Thank you {{{{customer.name}}}}, and have a good day!"
zh-CN = "谢谢 {{{{customer.name}}}}，祝您生活愉快！"

[auth.roles]
"support" = "agent"
"support-leads" = "supervisor"
"support-admins" = "admin"

[adapters.orders]
isolation = "inline"                         # starts at once; real ones get a process

[adapters.orders.config]
base_url = "{orders}"
token = {{ file = "secrets/token" }}
webhook_secret = {{ file = "secrets/webhook" }}

[adapters.payments]
isolation = "inline"                         # starts at once; real ones get a process

[adapters.payments.config]
base_url = "{payments}"
token = {{ file = "secrets/token" }}
webhook_secret = {{ file = "secrets/webhook" }}

[adapters.erp]
isolation = "inline"                         # starts at once; real ones get a process

[adapters.erp.config]
base_url = "{erp}"
token = {{ file = "secrets/token" }}
webhook_secret = {{ file = "secrets/webhook" }}

[adapters.crm]
isolation = "inline"                         # starts at once; real ones get a process

[adapters.crm.config]
base_url = "{crm}"
token = {{ file = "secrets/token" }}

[adapters.tickets]
isolation = "inline"                         # starts at once; real ones get a process

[adapters.tickets.config]
base_url = "{tickets}"
token = {{ file = "secrets/token" }}
webhook_secret = {{ file = "secrets/webhook" }}

[adapters.sso]
isolation = "inline"                         # starts at once; real ones get a process

[adapters.sso.config]
issuer = "{sso}"
client_id = "deskhub"
client_secret = {{ file = "secrets/client" }}
name = "Scree sign-in"

[order]
conversation_cards = ["orders", "erp", "payments", "crm", "tickets"]
"""


def write(folder: Path, listen: str, systems: Mapping[str, System], keys: Keys) -> Path:
    """Write hub.toml and the secret files into *folder*; return hub.toml's path."""
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    for name in ("identity", "webhook", "token", "client"):
        file = secrets / name
        file.touch(mode=0o600)
        file.write_text(getattr(keys, name), encoding="utf-8")
    urls = {name: system.url for name, system in systems.items()}
    path = folder / "hub.toml"
    text = HUB_TOML.format(listen=listen, shop=urls["orders"], **urls)
    path.write_text(text, encoding="utf-8")
    return path
