"""The migrations of a later release, and processes that die on the way to it.

``python -m tests.support.migrations FOLDER URL=PLACE …`` brings each URL forward with the
migrations in FOLDER, in a process that dies at the statement PLACE (0 never), and prints how
each ended and how many statements it got to.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path
from unittest.mock import patch

from deskhub.store import failpoints, schema
from deskhub.store.engine import writer_engine
from deskhub.store.postgres import Postgres

# The first of the later migrations only adds, the second takes something away.
ADDS, TAKES = schema.VERSION + 1, schema.VERSION + 2
NEVER = 1_000_000

NEXT = '''
"""Later."""
import sqlalchemy as sa
from alembic import op

revision = "{version:04}"
down_revision = "{before:04}"
compat = "{compat:04}"


def upgrade() -> None:
    op.create_table("later_{version:04}", sa.Column("tenant", sa.Text, primary_key=True))
    op.execute("INSERT INTO later_{version:04} (tenant) VALUES ('moved')")
    op.create_table("last_{version:04}", sa.Column("tenant", sa.Text, primary_key=True))
'''


def later(folder: Path) -> Path:
    """Return a new folder in *folder* with today's migrations and two of a later release."""
    copy = folder / "migrations"
    shutil.copytree(schema.MIGRATIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for version, compat in ((ADDS, 1), (TAKES, ADDS)):
        (copy / "versions" / f"{version:04}_x.py").write_text(
            textwrap.dedent(NEXT).format(version=version, before=version - 1, compat=compat)
        )
    return copy


def bring(url: str, folder: Path) -> None:
    """Bring the database at *url* to the later release, as a start does."""
    forward = partial(schema.prepare, target=TAKES, folder=folder)
    if url.startswith("sqlite"):
        engine = writer_engine(url)
        forward(engine)
        engine.dispose()
        return

    async def prepare() -> None:
        server = Postgres(url)
        await server.prepare()
        await server.close()

    with patch.object(schema, "prepare", forward):
        asyncio.run(prepare())


def died(folder: Path, places: dict[str, int], *, sabotage: str = "") -> dict[str, list[int]]:
    """Return the exit code and the statements of a process for each url of *places*."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.migrations", str(folder),
         *(f"{url}={place}" for url, place in places.items())],
        capture_output=True, text=True, check=False, timeout=200,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "DESKHUB_SABOTAGE": sabotage},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, list[int]] = json.loads(done.stdout)
    return found


def main() -> None:
    """Fork for each database: importing everything anew would take longer than the work."""
    folder, ends = Path(sys.argv[1]), {}
    for one in sys.argv[2:]:
        url, _, place = one.rpartition("=")
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.environ["DESKHUB_FAILPOINT"] = f"migration.statement:{int(place) or NEVER}"
            failpoints.begin()
            bring(url, folder)
            os.write(writing, str(NEVER - failpoints.left()).encode())
            os._exit(0)
        os.close(writing)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        ends[url] = [code, int(os.read(reading, 20) or place)]
        os.close(reading)
    print(json.dumps(ends))


if __name__ == "__main__":
    main()
