"""What an adapter's source says by itself: imports, blocking calls, times without a zone."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

# Ways out of the process that are not `ctx.http`.
CLIENTS = frozenset(
    {
        "aiohttp",
        "httpx",
        "requests",
        "urllib3",
        "http",
        "socket",
        "ftplib",
        "smtplib",
        "telnetlib",
    }
)
HUB = "deskhub"
BLOCKING = {
    "time.sleep": "await asyncio.sleep(…)",
    "os.system": "nothing: adapters start no processes",
    "subprocess.run": "nothing: adapters start no processes",
    "input": "a setting",
    "requests.get": "await ctx.http.request(…)",
    "requests.post": "await ctx.http.request(…)",
    "urllib.request.urlopen": "await ctx.http.request(…)",
}


def modules(package: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the adapter's modules; its simulator is another system and not looked at."""
    files = [package] if package.is_file() else sorted(package.rglob("*.py"))
    for file in files:
        if not file.stem.startswith("simulator"):
            yield file, ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each module that is imported, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield one.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of a dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _dotted(node.func)
            if name:
                yield name, node


def declared(folder: Path) -> frozenset[str]:
    """Return the import names that the project's dependencies may have."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[^A-Za-z0-9_.-]", one)[0] for one in project.get("dependencies", ())}
    return frozenset(name.lower().replace("-", "_") for name in names)


def is_standard(module: str) -> bool:
    """Return whether *module* comes with Python."""
    return module.partition(".")[0] in sys.stdlib_module_names


def line_of(file: Path, text: str) -> int:
    """Return the first line of *file* that holds *text*, or 1."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if text in line:
            return number
    return 1


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""
