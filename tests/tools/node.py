"""Run the web sources' own checks with whatever node there is: the machine's or the wheel's."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"


def build_hook():
    """Return the repository's build hook, which knows how to find node."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(verb: str) -> int:
    """``has``: is node here? ``check``: types. ``test``: the kernel's tests."""
    hook = build_hook()
    if verb == "has":
        return 0 if hook._system_node() else 1
    _node, npm, env = hook._tools()
    if not (WEB / "node_modules").exists():
        command = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=WEB, env=env, check=True)
    return subprocess.run(
        [*npm, "run", "--silent", verb], cwd=WEB, env=env, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
