"""The two identity providers: npm's oidc-provider, and Canaille from PyPI's pytest-iam."""

from __future__ import annotations

import shutil
from pathlib import Path

from deskhub.cli.lab.cache import python_environment, resource, run

SECRET = "deskhub-lab-secret-deskhub-lab-secret"  # noqa: S105  known to everybody


async def make(place: Path) -> None:
    """Install oidc-provider beside its server, as the lock file says and no scripts run."""
    for name in ("package.json", "package-lock.json", "server.mjs"):
        shutil.copy(resource(f"oidc/{name}"), place / name)
    await run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=place)


async def make_iam(place: Path) -> None:
    """Install pytest-iam with the server that it brings."""
    await python_environment(place, resource("iam.txt"))
