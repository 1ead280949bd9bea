"""``deskhub config`` and ``deskhub init``: the file before the start."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from deskhub.cli.checked import checked
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, say

config_app = typer.Typer(help="Check and show hub.toml.", no_args_is_help=True)

TEMPLATE = """\
# Deskhub. Every key is explained in docs/reference/hub-toml.md
schema = 1

[hub]
listen = "127.0.0.1:8700"
# public_url = "https://desk.example.com"     # what browsers use, behind your proxy
store = "sqlite:///data/deskhub.db"
data = "data"

[inboxes.web]
key = "{key}"
name = "Support"
origins = []                                  # the sites that may show the widget, exactly
languages = ["en", "zh-CN"]

[auth.roles]                                  # groups of single sign-on -> roles
# "support-leads" = "supervisor"
"""


@config_app.command("check")
def check(config: ConfigOption = Path("hub.toml"), as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Print every problem of hub.toml at once; exit 3 if there is any."""
    found = checked(config, as_json=as_json)
    enabled = [one.id for one in found.adapters.values() if one.enabled]
    if as_json:
        document({"file": str(config), "inboxes": list(found.inboxes), "adapters": enabled})
    else:
        inboxes = _counted(len(found.inboxes), "inbox", "inboxes")
        adapters = _counted(len(enabled), "adapter", "adapters")
        say(f"{config}: {inboxes}, {adapters}, 0 problems")


def init(
    folder: Annotated[Path, typer.Argument(help="Where hub.toml is to be written.")] = Path(),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Write a hub.toml to start from; never over an existing one."""
    path = folder / "hub.toml"
    if path.exists():
        fail("DH112", f"{path} is there already", exit_code=Exit.CONFLICT, as_json=as_json,
             why="it may hold settings that stand nowhere else",
             fix="edit it, or choose another folder: deskhub init FOLDER")  # fmt: skip
    key = secrets.token_urlsafe(12)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(TEMPLATE.format(key=key), encoding="utf-8")
    except OSError as error:
        fail(
            "DH100", f"{path} cannot be written: {error.strerror}", as_json=as_json,
            exit_code=Exit.CONFIGURATION, fix="choose a folder that you may write to",
        )  # fmt: skip
    if as_json:
        document({"file": str(path), "inbox": key})
        return
    say(f"wrote {path}")
    where = "" if folder == Path() else f" --config {path}"
    say(f"next: deskhub user add you@example.com --role admin{where}")
    say(f"then: deskhub serve{where}")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
