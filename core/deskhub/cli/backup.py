"""``deskhub backup`` and ``deskhub restore``: one archive with everything that is not code."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deskhub import __version__
from deskhub.cli.checked import checked
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say
from deskhub.config import Config

# What lies in the data folder beside the database and cannot be made again.
KEPT = ("keys.json", "push.pem", "files")


def backup(
    to: Annotated[Path | None, typer.Option(help="The archive to write.")] = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Write database, keys and files to one archive, while the hub runs."""
    settings = checked(config, as_json=as_json)
    database = _database(settings, as_json=as_json)
    # Importing the store takes longer than reading hub.toml, whose mistakes come first.
    from deskhub.store.backup import back_up, files_below  # noqa: PLC0415

    now = datetime.now(UTC)
    archive = to or Path(f"deskhub-backup-{now:%Y%m%dT%H%M%SZ}.tar.gz")
    try:
        manifest = back_up(
            database, lambda: dict(files_below(settings.data_dir, KEPT)), archive,
            release=__version__, now=now, progress=_progress(),
        )  # fmt: skip
    except FileNotFoundError as error:
        fail("DH157", f"there is no database {error}", exit_code=Exit.NOT_FOUND,
             as_json=as_json, why="a hub creates it at its first start",
             fix="check [hub] store and data in hub.toml")  # fmt: skip
    events = sum(log.events for log in manifest.logs.values())
    if as_json:
        document({
            "file": str(archive), "bytes": archive.stat().st_size, "events": events,
            "files": len(manifest.parts), "sha256": manifest.digest,
        })  # fmt: skip
        return
    size, files = _size(archive.stat().st_size), len(manifest.parts) - 1
    say(f"{archive}  {size}  {events} events, {files} files")
    hint(f"check:  deskhub restore {archive} --verify --sha256 {manifest.digest}")
    hint("It holds the signing keys: keep it where only you can read it.")


def restore(
    archive: Annotated[Path | None, typer.Argument(help="What deskhub backup wrote.")] = None,
    verify: Annotated[  # noqa: FBT002
        bool, typer.Option("--verify", help="Check the archive completely; change nothing.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002
        bool, typer.Option("--dry-run", help="Check it and say what would be replaced.")
    ] = False,
    sha256: Annotated[
        str | None, typer.Option(help="The digest that deskhub backup printed.")
    ] = None,
    renew: Annotated[  # noqa: FBT002
        bool, typer.Option("--renew", help="Only begin a new epoch: after pg_restore.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Put a backup in place of what is there. Clients start anew; open runs go to people."""
    settings = checked(config, as_json=as_json)
    if renew:
        _renew(settings, as_json=as_json)
        return
    if archive is None:
        fail("DH157", "name the archive to restore", exit_code=Exit.USAGE, as_json=as_json,
             fix="deskhub restore FILE")  # fmt: skip
    database = _database(settings, as_json=as_json)
    from deskhub.cli.opening import opening  # noqa: PLC0415
    from deskhub.store.restore import ArchiveDamaged  # noqa: PLC0415

    try:
        with opening(as_json=as_json):
            told = _contents(archive, sha256)
            if verify or dry_run:
                _verified(archive, told, database if dry_run else None, as_json=as_json)
                return
            _agreed(told, database, yes=yes, as_json=as_json)
            _put_back(archive, told, database, settings.data_dir, as_json=as_json)
    except ArchiveDamaged as error:
        fail("DH155", f"{archive}: {error}", exit_code=Exit.TESTS_FAILED, as_json=as_json,
             why="it was changed, cut off or never was a backup; nothing was restored",
             fix="take another copy of it, or an earlier backup")  # fmt: skip
    except FileNotFoundError:
        fail("DH157", f"there is no {archive}", exit_code=Exit.NOT_FOUND, as_json=as_json,
             fix="check the name of the file")  # fmt: skip


def _contents(archive: Path, sha256: str | None) -> dict[str, object]:
    """Return what people are told of an archive. Raises `ArchiveDamaged`."""
    from deskhub.store.restore import ArchiveDamaged, read_manifest  # noqa: PLC0415

    manifest = read_manifest(archive)
    if sha256 is not None and sha256.lower() != manifest.digest:
        raise ArchiveDamaged(f"its digest is {manifest.digest}")
    return {
        "made_at": manifest.made_at, "version": manifest.version,
        "events": sum(log.events for log in manifest.logs.values()),
        "files": [part.name for part in manifest.parts], "sha256": manifest.digest,
    }  # fmt: skip


def _put_back(
    archive: Path, told: dict[str, object], database: Path, data: Path, *, as_json: bool
) -> None:
    from deskhub.store.restore import restore as put_back  # noqa: PLC0415

    done = put_back(archive, database, data, datetime.now(UTC))
    aside = str(done.aside) if done.aside else None
    if as_json:
        document(told | {"runs_handed_over": done.runs, "aside": aside})
        return
    say(f"restored the state of {told['made_at']}: {told['events']} events")
    if done.runs:
        say(f"{done.runs} actions were under way; each waits for a person in the console")
    if aside:
        hint(f"what was there is in {aside}; remove it when all is well")


def _verified(
    archive: Path, told: dict[str, object], replaces: Path | None, *, as_json: bool
) -> None:
    """Check everything that can be checked; change nothing. Raises `ArchiveDamaged`."""
    from deskhub.store.restore import verify  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        verify(archive, Path(folder))
    if as_json:
        document(told | {"would_replace": str(replaces) if replaces else None})
        return
    say(f"the backup of {told['made_at']} is whole: {told['events']} events")
    if replaces is not None:
        say(f"it would replace {replaces}; nothing was changed")


def _agreed(told: dict[str, object], database: Path, *, yes: bool, as_json: bool) -> None:
    """Ask before anything is replaced, unless there is nothing or *yes*."""
    if yes or not database.exists():
        return
    hint(f"{database} will be replaced by the state of {told['made_at']}.")
    hint("What happened since will not be in the hub any more; it is kept in a folder beside.")
    if not sys.stdin.isatty() or not typer.confirm("Go on?", err=True):
        fail("DH159", "nothing was restored", exit_code=Exit.USAGE, as_json=as_json,
             fix="add --yes to go on without a question")  # fmt: skip


def _renew(settings: Config, *, as_json: bool) -> None:
    """Begin a new epoch in a database that its own tools have restored."""
    from deskhub.cli.offline import new_epoch  # noqa: PLC0415
    from deskhub.cli.opening import opening  # noqa: PLC0415

    with opening(as_json=as_json):
        count = asyncio.run(new_epoch(settings))
    if as_json:
        document({"runs_handed_over": count})
        return
    say(f"new epoch: every client starts anew; {count} actions wait for a person")


def _database(settings: Config, *, as_json: bool) -> Path:
    """Return the database file, or say how a server's database is backed up."""
    scheme, _, path = settings.store_url.partition("sqlite:///")
    if scheme:
        fail("DH156", "this hub keeps its data in PostgreSQL", exit_code=Exit.USAGE,
             as_json=as_json, why="its own tools back it up online, and to any point in time",
             fix='pg_dump --format=custom --file=deskhub.dump "$DATABASE_URL"; restore: '
             'pg_restore --clean --if-exists --dbname "$DATABASE_URL" deskhub.dump, '
             "then deskhub restore --renew")  # fmt: skip
    return Path(path)


def _progress() -> Callable[[int, int], None]:
    """Return what shows progress on a terminal, and nothing elsewhere."""
    is_shown = sys.stderr.isatty()

    def show(done: int, pages: int) -> None:
        if is_shown:
            end = "\n" if done >= pages else ""
            sys.stderr.write(f"\rcopying the database {done * 100 // max(pages, 1)} %{end}")
            sys.stderr.flush()

    return show


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count / 1_000:.1f} kB"
