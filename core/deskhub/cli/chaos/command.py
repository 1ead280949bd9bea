"""What can be asked of ``deskhub chaos``, when it refuses, and its line of figures."""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path
from typing import Annotated

import typer

from deskhub.cli.checked import checked
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say
from deskhub.config import Config

# A copy, what the run writes, and the log that is not yet in the file.
ROOM = 3
ROOM_AT_LEAST = 256 * 1024 * 1024


def chaos(
    kills: Annotated[int, typer.Option(min=1, max=10_000, help="How often it is killed.")] = 10,
    link: Annotated[  # noqa: FBT002
        bool, typer.Option("--link", help="Also cut the clients' connections, at random.")
    ] = False,
    empty: Annotated[  # noqa: FBT002
        bool, typer.Option("--empty", help="Start without a copy of your data.")
    ] = False,
    scratch: Annotated[
        Path | None, typer.Option(help="Where to work; else beside the data, on its disk.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The dice: the same number, the same moments.")] = 1,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Kill a copy of your hub under load, again and again, and count what is lost.

    Your hub and your data are left alone: a copy runs in a folder of its own, without
    adapters, on a port of its own, and is deleted afterwards.
    """
    settings = checked(config, as_json=as_json)
    database = _database(settings, empty=empty, as_json=as_json)
    if not settings.inboxes:
        fail("DH162", "hub.toml has no inbox", exit_code=Exit.CONFIGURATION, as_json=as_json,
             why="the visitors of the test come in by an inbox, as yours do",
             fix="add [inboxes.web] as deskhub init writes it")  # fmt: skip
    folder = scratch or settings.data_dir.parent
    _has_room(folder, database, as_json=as_json)
    # Importing the hub takes longer than reading hub.toml, whose mistakes come first.
    from deskhub.cli.chaos.run import NotRunning, prove  # noqa: PLC0415

    hint("a copy of this hub is killed under load; yours is not touched, adapters stay off")
    try:
        figures = asyncio.run(
            prove(settings, database, folder, kills=kills, cuts=link, dice=random.Random(seed))  # noqa: S311
        )
    except NotRunning as error:
        fail("DH163", f"the copy does not run: {error}", exit_code=Exit.UNREACHABLE,
             as_json=as_json, why="it starts as your hub does, with your inboxes",
             fix="try deskhub doctor, then deskhub serve")  # fmt: skip
    if as_json:
        document(figures.plain() | {"seed": seed})
    else:
        say(str(figures))
        hint(figures.beside())
    if not figures.is_clean:
        raise SystemExit(Exit.TESTS_FAILED)


def _database(settings: Config, *, empty: bool, as_json: bool) -> Path | None:
    """Return the file to copy; None when there is nothing to copy."""
    from deskhub.store.engine import path_of  # noqa: PLC0415  SQLAlchemy is slow to import

    if not settings.store_url.startswith("sqlite"):
        if empty:
            return None
        fail("DH160", "a database server cannot be copied for a test", as_json=as_json,
             exit_code=Exit.USAGE, why="this test never touches the data of your hub",
             fix="deskhub chaos --empty tests this machine with an empty SQLite")  # fmt: skip
    path = path_of(settings.store_url)
    return None if empty or path is None or not path.exists() else path


def _has_room(folder: Path, database: Path | None, *, as_json: bool) -> None:
    if not folder.is_dir():
        fail("DH161", f"there is no folder {folder}", exit_code=Exit.CONFIGURATION,
             as_json=as_json, why="the copy needs a place",
             fix="name one on the same disk: deskhub chaos --scratch FOLDER")  # fmt: skip
    wanted = max(ROOM_AT_LEAST, ROOM * (database.stat().st_size if database else 0))
    free = shutil.disk_usage(folder).free
    if free < wanted:
        fail("DH161", f"{folder} has {free // 2**20} MiB left, the copy may need "
             f"{wanted // 2**20}", exit_code=Exit.CONFIGURATION, as_json=as_json,
             why="a test must not fill the disk that your hub writes to",
             fix="make room, or: deskhub chaos --empty, or --scratch FOLDER")  # fmt: skip
