"""Say in one line each which tests do not run here and why; with DESKHUB_CI=1, refuse.

What a machine cannot have, however much is installed on it, is said and never refused.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path


def chromium() -> str | None:
    """Return the browser that the tests drive."""
    return (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )


def faketime() -> Path | None:
    """Return the library that moves a process's clock."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


def no_power_cuts() -> str | None:
    """Return why nothing can be mounted that loses what was not synced; None when it can."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "no /dev/fuse that may be used here"
    if not (shutil.which("fusermount3") or shutil.which("fusermount")):
        return "no FUSE here (apt-get install fuse3)"
    if find_spec("mfusepy") is None:
        return "no mfusepy here (pip install mfusepy)"
    return None


def dovecot() -> str | None:
    """Return the IMAP server that tests of mail run as a process of their own."""
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def listens(port: int) -> bool:
    """Return whether somebody listens at *port* of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def missing() -> Iterator[str]:
    """Yield what an installation would mend."""
    if chromium() is None:
        yield "browser tests do not run: no chromium here (apt-get install chromium)"
    if not listens(5432):
        yield "PostgreSQL tests do not run: nothing at 127.0.0.1:5432"
    if not listens(4222):
        yield "NATS tests do not run: nothing at 127.0.0.1:4222"
    if dovecot() is None:
        yield "tests of a mailbox do not run: no dovecot here (apt-get install dovecot-imapd)"
    if faketime() is None:
        yield "tests of a jumping clock do not run: no libfaketime (apt-get install faketime)"


def impossible() -> Iterator[str]:
    """Yield what depends on the machine."""
    why = no_power_cuts()
    if why is not None:
        yield f"tests of a power cut do not run: {why}"
    if os.geteuid() != 0:
        yield "tests of a full disk do not run: mounting a small one needs root"


def main() -> int:
    """Print what will not run and why."""
    found = list(missing())
    for line in (*found, *impossible()):
        print(line)
    if found and os.environ.get("DESKHUB_CI") == "1":
        print("with DESKHUB_CI=1 none of these may be missing: " + "; ".join(found))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
