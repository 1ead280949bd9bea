"""hub.toml as every command takes it: checked completely, or told about and refused."""

from __future__ import annotations

from pathlib import Path

from deskhub.cli.output import Exit, fail, fail_config
from deskhub.config import Config, ConfigProblems
from deskhub.host.examined import examine


def checked(path: Path, *, as_json: bool = False) -> Config:
    """Return the configuration in *path*, or print every problem and exit with 3."""
    config, found = read(path, as_json=as_json)
    if config is None or found.problems:
        fail_config(found, as_json=as_json)
    return config


def readable(path: Path, *, as_json: bool = False) -> Config:
    """Return the configuration for a command that starts no adapter, as `checked` does.

    Adapters' settings may be wrong then, and their secrets may stand where only the server
    sees them.
    """
    config, found = read(path, as_json=as_json)
    others = [one for one in found.problems if one.path[:1] != ("adapters",)]
    if config is None or others:
        fail_config(ConfigProblems(others, found.source, found.name), as_json=as_json)
    return config


def read(path: Path, *, as_json: bool = False) -> tuple[Config | None, ConfigProblems]:
    """Return what could be read of *path*, and every problem in it; exit with 3 without it."""
    return examine(path, source_of(path, as_json=as_json))


def source_of(path: Path, *, as_json: bool = False) -> str:
    """Return the text of *path*, or say why it cannot be read and exit with 3."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        fail(
            "DH100", f"there is no {path}", exit_code=Exit.CONFIGURATION, as_json=as_json,
            why="Deskhub starts with hub.toml in the current folder, or the file you name",
            fix="run: deskhub init   (or name a file with --config)",
        )  # fmt: skip
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        fail(
            "DH100", f"{path} cannot be read: {reason}", exit_code=Exit.CONFIGURATION,
            as_json=as_json, fix="check its permissions and that it is UTF-8 text",
        )  # fmt: skip
