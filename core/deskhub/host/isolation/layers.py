"""Which layers would confine an adapter's process on this machine: tried, not guessed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

WITHIN_S = 20.0
# What a worker does before it imports its adapter, in a process that does nothing else.
_TRY = """
import json, sys
from pathlib import Path
from deskhub_sdk.worker.cage import confine
held = confine(memory=512 * 1024**2, folder=Path(sys.argv[1]), readable=sys.path, sockets=False)
print(json.dumps(held))
"""

# Every layer there is, and what is missing without it.
LAYERS = {
    "limits": "an adapter could take all memory and descriptors",
    "no-new-privileges": "a program with set-uid could raise its rights",
    "landlock": "an adapter could read every file that the hub's user may read",
    "no-sockets": "an adapter could open connections past the hub's allow-list",
    "no-processes": "an adapter could start programs",
}


def layers_here() -> tuple[str, ...]:
    """Return the names of the layers that hold here. Raises `OSError` without an answer."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603  our own interpreter
            [sys.executable, "-c", _TRY, folder],
            capture_output=True, text=True, timeout=WITHIN_S, check=False,
        )  # fmt: skip
    if done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1] if done.stderr else "no answer")
    return tuple(json.loads(done.stdout))
