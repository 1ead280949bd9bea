"""``deskhub migrate``: where the database stands, and forward."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from deskhub.cli.checked import checked
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say
from deskhub.config import Config
from deskhub.errors import StoreDown

migrate_app = typer.Typer(help="See and move the database's version.", no_args_is_help=True)


@migrate_app.command("status")
def status(
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Say which version the database has and which this code knows; 11 when they differ."""
    from deskhub.store.schema import VERSION  # noqa: PLC0415  after hub.toml's mistakes

    settings = checked(config, as_json=as_json)
    version, compat = _state(settings, as_json=as_json)
    verdict = _verdict(version, compat, VERSION)
    if as_json:
        document({"database": version, "compat": compat, "code": VERSION, "state": verdict})
    else:
        say(f"database {version:04} (needs code {compat:04} or later), code {VERSION:04}")
        say(_WORDS[verdict])
    if verdict in ("behind", "too_new"):
        raise SystemExit(Exit.MIGRATION)


@migrate_app.command("up")
def up(
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Move the database forward to this code. `deskhub serve` does it at every start, too."""
    from deskhub.cli.offline import move_forward  # noqa: PLC0415
    from deskhub.cli.opening import opening  # noqa: PLC0415

    settings = checked(config, as_json=as_json)
    before, _ = _state(settings, as_json=as_json)
    with opening(as_json=as_json):
        asyncio.run(move_forward(settings))
    after, compat = _state(settings, as_json=as_json)
    if as_json:
        document({"from": before, "to": after, "compat": compat})
    elif before == after:
        hint("nothing to do")
    else:
        say(f"moved from {before:04} to {after:04}")


_WORDS = {
    "empty": "there is no database yet; the first start creates it",
    "same": "nothing to do",
    "behind": "the next start moves it forward, or now: deskhub migrate up",
    "ahead": "a newer version has added to it; this one works with it",
    "too_new": "this version would not understand it: start the newer one",
}


def _verdict(version: int, compat: int, code: int) -> str:
    if version == 0:
        return "empty"
    if compat > code:
        return "too_new"
    if version == code:
        return "same"
    return "ahead" if version > code else "behind"


def _state(settings: Config, *, as_json: bool) -> tuple[int, int]:
    from deskhub.cli.offline import state  # noqa: PLC0415

    try:
        found = asyncio.run(state(settings))
    except StoreDown as error:
        fail(error.code, "the database does not answer", exit_code=Exit.UNREACHABLE,
             as_json=as_json, why=str(error), fix="check [hub] store")  # fmt: skip
    return found.version, found.compat
