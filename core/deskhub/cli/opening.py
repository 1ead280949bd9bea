"""What can be wrong with a database that is about to be opened, as people are told."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from deskhub.cli.output import Exit, fail
from deskhub.errors import ExtraMissing, StoreDown
from deskhub.store.database import FileRefused, Refused
from deskhub.store.hold import InUse, RestoreUnfinished
from deskhub.store.schema import SchemaTooNew


@contextlib.contextmanager
def opening(*, as_json: bool = False) -> Generator[None]:
    """Print why a database refused to open, and exit."""
    try:
        yield
    except SchemaTooNew as error:
        fail(
            "DH151", str(error), exit_code=Exit.MIGRATION, as_json=as_json,
            why="an older version would not understand its tables",
            fix="start the newer version, or restore an older backup",
        )  # fmt: skip
    except Refused as error:
        fail(
            "DH115", f"the database refuses this hub: {error}", as_json=as_json,
            exit_code=Exit.CONFIGURATION,
            why="its user, password or database is not known there",
            fix="check store and store_password in [hub], and try them with psql",
        )  # fmt: skip
    except FileRefused as error:
        fail(
            "DH120", f"the database file cannot be used: {error}", as_json=as_json,
            exit_code=Exit.CONFIGURATION,
            why="another program writes to it, or it is damaged or no database",
            fix="stop the other program; else bring a backup back with deskhub restore FILE",
        )  # fmt: skip
    except StoreDown as error:
        fail(
            "DH115", f"the database cannot be reached: {error.__cause__ or error}",
            exit_code=Exit.CONFIGURATION, as_json=as_json,
            why="nobody answers at the address in [hub] store",
            fix="start the database, or correct the address",
        )  # fmt: skip
    except ExtraMissing as error:
        fail(
            "DH114", str(error), exit_code=Exit.CONFIGURATION, as_json=as_json,
            why="most hubs are one process on SQLite and need neither",
            fix="pip install 'deskhub[scale]'",
        )  # fmt: skip
    except InUse as error:
        fail(
            "DH153", str(error), exit_code=Exit.CONFLICT, as_json=as_json,
            why="files must not be replaced underneath it",
            fix="stop the hub, then run this again",
        )  # fmt: skip
    except RestoreUnfinished as error:
        fail(
            "DH154", str(error), exit_code=Exit.MIGRATION, as_json=as_json,
            why="some of its files are old and some are new",
            fix="run deskhub restore FILE again",
        )  # fmt: skip
