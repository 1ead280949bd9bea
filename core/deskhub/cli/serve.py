"""``deskhub serve``: run the hub until it is told to stop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from deskhub import log
from deskhub.cli.checked import checked
from deskhub.cli.options import ConfigOption
from deskhub.cli.output import Exit, fail
from deskhub.config import Config
from deskhub.edge.errors import PortInUse
from deskhub.identity.errors import KeysUnsafe

ListenOption = Annotated[str | None, typer.Option(help="host:port instead of the file's.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder that relative paths start from.")
]

WorkersOption = Annotated[
    int,
    typer.Option(min=1, max=256, help="Processes on the port; more than 1 needs PostgreSQL."),
]
WorkerOption = Annotated[int | None, typer.Option("--worker", hidden=True)]


def serve(
    config: ConfigOption = Path("hub.toml"),
    listen: ListenOption = None,
    data: DataOption = None,
    workers: WorkersOption = 1,
    worker: WorkerOption = None,
) -> None:
    """Run the hub until SIGTERM or Ctrl-C."""
    settings = overridden(checked(config), listen, data)
    log.configure(settings.hub.log)
    if workers > 1 and not settings.is_shared:
        fail(
            "DH116", f"{workers} workers need PostgreSQL, and store is {settings.hub.store}",
            exit_code=Exit.CONFIGURATION,
            why="a SQLite file has one writer",
            fix='write: store = "postgresql://deskhub@host/deskhub" (docs/how-to/scale-out.md)',
        )  # fmt: skip
    # Importing the hub takes longer than reading hub.toml, whose mistakes come first.
    from deskhub.cli.opening import opening  # noqa: PLC0415
    from deskhub.cli.running import run, run_worker  # noqa: PLC0415
    from deskhub.cli.workers import run_workers  # noqa: PLC0415

    try:
        with opening():
            if worker is not None:
                uvloop.run(run_worker(settings, worker))
            elif workers > 1:
                code = asyncio.run(run_workers(settings, _same(config, listen, data), workers))
                raise typer.Exit(code)
            else:
                uvloop.run(run(settings))
    except PortInUse as error:
        fail(
            "DH110", str(error), exit_code=Exit.CONFLICT,
            why="only one program can listen there",
            fix="stop it, or choose another: deskhub serve --listen 127.0.0.1:8701",
        )  # fmt: skip
    except KeysUnsafe as error:
        fail(
            "DH152", str(error), exit_code=Exit.CONFIGURATION,
            why="whoever reads the keys can sign in as anybody",
            fix=f"chmod 600 {settings.data_dir / 'keys.json'}, owned by the server's user",
        )  # fmt: skip
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        fail(
            "DH111", f"the hub cannot start: {error.strerror or error}{place}",
            exit_code=Exit.CONFIGURATION,
            why="it needs its data folder and the address to listen on",
            fix="check [hub] listen, store and data, and who may write there",
        )  # fmt: skip


def _same(config: Path, listen: str | None, data: Path | None) -> list[str]:
    """Return the options that a worker has to be given too."""
    options = ["--config", str(config)]
    options += ["--listen", listen] if listen else []
    return options + (["--data", str(data)] if data else [])


def overridden(config: Config, listen: str | None, data: Path | None) -> Config:
    """Return *config* with what the command line says instead."""
    if listen:
        host, _, port = listen.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            fail("DH105", f"--listen must be host:port, got '{listen}'", exit_code=Exit.USAGE,
                 fix="write for example --listen 127.0.0.1:8701")  # fmt: skip
        config = config.model_copy(
            update={"hub": config.hub.model_copy(update={"listen": listen})}
        )
    if data:
        config = config.model_copy(update={"root": data.resolve()})
    return config
