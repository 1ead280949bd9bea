"""Roundup, an issue tracker: a tracker of its classic template with three people."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from deskhub.cli.lab.cache import python_environment, resource, run

PASSWORD = "lab-admin"  # noqa: S105  known to everybody, and only on loopback
SHAPE = "classic,sqlite"
_WEB = "web = http://127.0.0.1:1/"


async def make(place: Path) -> None:
    """Install Roundup and make a tracker that runs are copied from."""
    await python_environment(place, resource("roundup.txt"))
    admin, tracker = place / "venv/bin/roundup-admin", place / "tracker"
    settings = (
        "tracker_web=http://127.0.0.1:1/,admin_email=admin@lab.example,"
        "mail_domain=lab.example,mail_host=localhost,tracker_email=desk@lab.example"
    )
    await run(admin, "-i", tracker, "install", *SHAPE.split(","), settings)
    await run(admin, "-i", tracker, "initialise", PASSWORD)


def command(place: Path, scratch: Path, port: int) -> tuple[str, ...]:
    """Copy the tracker to *scratch* and return what serves it on *port*."""
    tracker = scratch / "tracker"
    shutil.copytree(place / "tracker", tracker)
    config = tracker / "config.ini"
    # Its own address is what it compares the callers' origin with.
    text = config.read_text(encoding="utf-8").replace(_WEB, f"web = http://127.0.0.1:{port}/")
    config.write_text(text, encoding="utf-8")
    serve = resource("roundup_serve.py")
    return (str(place / "venv/bin/python"), str(serve), str(port), str(tracker))


def told(url: str) -> dict[str, Any]:
    """Return its address and login."""
    return {"url": f"{url}/", "user": "admin", "password": PASSWORD}
