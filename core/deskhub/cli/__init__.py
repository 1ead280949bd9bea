"""The command line: ``deskhub …``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from deskhub import __version__
from deskhub.cli import adapter_check, adapter_edit, adapter_running, config_plan, config_show
from deskhub.cli.adapter import adapter_app
from deskhub.cli.adapter_info import info
from deskhub.cli.adapter_kit import conform
from deskhub.cli.adapter_new import new
from deskhub.cli.audit import audit_app
from deskhub.cli.backup import backup, restore
from deskhub.cli.card import card_app
from deskhub.cli.chaos import chaos
from deskhub.cli.configure import config_app, init
from deskhub.cli.customer import customer_app
from deskhub.cli.demo import demo
from deskhub.cli.doctor import doctor
from deskhub.cli.event import event_app
from deskhub.cli.explain import explain
from deskhub.cli.inbox import inbox_app
from deskhub.cli.lab.command import lab
from deskhub.cli.mcp import mcp
from deskhub.cli.migrate import migrate_app
from deskhub.cli.open_page import open_page
from deskhub.cli.output import Exit, hint, say
from deskhub.cli.retention import retention
from deskhub.cli.secret import secret_app
from deskhub.cli.serve import serve
from deskhub.cli.status import status
from deskhub.cli.token import token_app
from deskhub.cli.user import user_app
from deskhub.cli.webhook import webhook_app

app = typer.Typer(
    name="deskhub",
    help="A self-hosted support desk.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(init)
app.command()(serve)
app.command()(demo)
app.command()(lab)
app.command()(explain)
app.command()(doctor)
app.command()(status)
app.command()(backup)
app.command()(restore)
app.command()(retention)
app.command()(chaos)
app.command()(mcp)
app.command("open")(open_page)
adapter_app.command()(info)
adapter_app.command()(new)
adapter_app.command()(adapter_edit.enable)
adapter_app.command()(adapter_edit.disable)
adapter_app.command()(adapter_edit.configure)
adapter_app.command()(adapter_check.check)
adapter_app.command("test")(conform)
adapter_app.command()(adapter_running.logs)
adapter_app.command()(adapter_running.health)
adapter_app.command()(adapter_running.call)
adapter_app.command()(adapter_running.reconnect)
config_app.command()(config_plan.plan)
config_app.command()(config_show.show)
config_app.command("set")(config_show.put)
app.add_typer(adapter_app, name="adapter")
app.add_typer(config_app, name="config")
app.add_typer(audit_app, name="audit")
app.add_typer(card_app, name="card")
app.add_typer(customer_app, name="customer")
app.add_typer(event_app, name="event")
app.add_typer(inbox_app, name="inbox")
app.add_typer(secret_app, name="secret")
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
app.add_typer(migrate_app, name="migrate")
app.add_typer(webhook_app, name="webhook")


def _version(asked: bool) -> None:  # noqa: FBT001  typer's callback
    if asked:
        say(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[  # noqa: FBT002
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Take the options that go before a command; *version* was handled already."""


def main() -> None:
    """Run the command line; a bug ends with 1 and a traceback, a person's Ctrl-C with 130."""
    # A terminal that cannot show a tick or a Chinese name gets a question mark, not a crash.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except KeyboardInterrupt:
        hint("stopped")
        sys.exit(Exit.INTERRUPTED)
