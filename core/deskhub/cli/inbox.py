"""``deskhub inbox``: the entrances for customers, and the line for a page."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from deskhub.cli.checked import read, readable
from deskhub.cli.editing import DryRunOption, change
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say, table
from deskhub.config import Config, Inbox, near
from deskhub.config.edit import Edit

inbox_app = typer.Typer(help="Add and show entrances for customers.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Its name in hub.toml.")]
OriginOption = Annotated[
    list[str] | None, typer.Option("--origin", help="A site that may show it; repeatable.")
]


@inbox_app.command("list")
def show(config: ConfigOption = Path("hub.toml"), as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List the inboxes with their keys and origins."""
    settings = readable(config, as_json=as_json)
    if as_json:
        document([_told(settings, one) for one in settings.inboxes.values()])
        return
    if not settings.inboxes:
        hint("none yet; add the first: deskhub inbox add web --origin https://shop.example.com")
        return
    table(
        ("INBOX", "KEY", "TENANT", "ORIGINS"),
        [(one.id, one.key, one.tenant, " ".join(one.origins) or "-")
         for one in settings.inboxes.values()],
    )  # fmt: skip


@inbox_app.command("add")
def add(
    name: NameArgument,
    origin: OriginOption = None,
    title: Annotated[str, typer.Option("--title", help="What people read.")] = "",
    config: ConfigOption = Path("hub.toml"),
    dry_run: DryRunOption = False,  # noqa: FBT002  a command line option
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Add an inbox with a key of its own to hub.toml, and print the line for the page."""
    settings = read(config, as_json=as_json)[0]
    if settings is not None and name in settings.inboxes:
        fail("DH119", f"there is an inbox '{name}' already", exit_code=Exit.CONFLICT,
             as_json=as_json, why="its key stands in pages",
             fix=f"deskhub inbox snippet {name} shows it; or take another name",
             )  # fmt: skip
    table_ = ("inboxes", name)
    edits = [
        Edit((*table_, "key"), secrets.token_urlsafe(12)),
        Edit((*table_, "name"), title or name.capitalize()),
        Edit((*table_, "origins"), list(origin or [])),
    ]
    made = change(config, edits, dry_run=dry_run, as_json=as_json)
    if not as_json and made.config is not None:
        say(snippet_of(made.config, made.config.inboxes[name]))
        if not origin:
            hint(f"next: deskhub config set inboxes.{name}.origins '[\"https://…\"]'")


@inbox_app.command("snippet")
def snippet(
    name: NameArgument,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Print the line that a page needs to show the chat."""
    settings = readable(config, as_json=as_json)
    box = settings.inboxes.get(name)
    if box is None:
        guess = near(name, settings.inboxes)
        fail("DH118", f"there is no inbox '{name}'", exit_code=Exit.NOT_FOUND, as_json=as_json,
             why=f"inboxes: {', '.join(settings.inboxes) or 'none'}",
             fix=f"did you mean '{guess}'?" if guess else f"deskhub inbox add {name}",
             )  # fmt: skip
    if as_json:
        document(_told(settings, box))
    else:
        say(snippet_of(settings, box))


def snippet_of(settings: Config, box: Inbox) -> str:
    """Return the one line of HTML that opens *box*."""
    source = f"{settings.hub.url}/w/v1/loader.js"
    return f'<script async src="{source}" data-inbox="{box.key}"></script>'


def _told(settings: Config, box: Inbox) -> dict[str, object]:
    return {
        "id": box.id, "key": box.key, "tenant": box.tenant, "name": box.name,
        "origins": list(box.origins), "snippet": snippet_of(settings, box),
    }  # fmt: skip
