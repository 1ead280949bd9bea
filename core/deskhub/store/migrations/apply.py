"""One migration with alembic, in the caller's transaction."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

VERSION_TABLE = "schema_revision"


def config(folder: Path) -> Config:
    """Return alembic's settings for the migrations in *folder*."""
    found = Config()
    found.set_main_option("script_location", str(folder).replace("%", "%%"))
    found.set_main_option("path_separator", "os")
    return found


def apply(connection: sa.Connection, folder: Path, version: int) -> tuple[int, int]:
    """Apply the migration after *version*; return the new version and its compat."""
    settings = config(folder)
    settings.attributes["connection"] = connection
    script = next(
        one
        for one in ScriptDirectory.from_config(settings).walk_revisions()
        if one.down_revision == (f"{version:04}" if version else None)
    )
    command.upgrade(settings, script.revision)
    return int(script.revision), int(script.module.compat)
