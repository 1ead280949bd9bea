"""The console and the widget as files: in memory, compressed once, cached by their names."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from deskhub.errors import NotFound

ROOT = Path(__file__).parent / "static"
MAX_FILES = 500

# esbuild's names: console-XYZABC12.js. Such a file never changes.
_HASHED = re.compile(r"-[A-Z0-9]{8}\.[a-z0-9.]+\Z")
_FOREVER = "public, max-age=31536000, immutable"
# The widget's names are fixed in the shops' pages: a short time, then a question.
_SHORT = "public, max-age=300, must-revalidate"
_ALWAYS_ASK = "no-cache"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".webmanifest": "application/manifest+json; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
}
_PACKED = frozenset({".html", ".js", ".css", ".json", ".svg", ".webmanifest", ".txt"})
_NOT_BUILT = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Deskhub is running</title>
<h1>Deskhub is running, but its console was not built</h1>
<p>Run <code>make web</code> in the checkout, or install a released package, then reload.</p>
"""


@dataclass(frozen=True, slots=True)
class _File:
    stamp: tuple[int, int]
    body: bytes
    packed: bytes | None
    etag: str
    media_type: str


class Files:
    """The files below *root* by their path; read again when one changes on disk."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root.resolve()
        self._kept: dict[str, _File] = {}

    async def answer(self, request: Request, name: str, cache: str) -> Response | None:
        """Return the file *name* as a response, or None when there is no such file."""
        file = await asyncio.to_thread(self._load, name)
        if file is None:
            return None
        headers = {"etag": file.etag, "cache-control": cache, "vary": "Accept-Encoding"}
        if _HASHED.search(name):
            headers["cache-control"] = _FOREVER
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body = file.body
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            body = file.packed
            headers["content-encoding"] = "gzip"
        # The media type is set as a header: the framework would add a second charset.
        return Response(body, headers={**headers, "content-type": file.media_type})

    def _load(self, name: str) -> _File | None:
        media_type = _TYPES.get(Path(name).suffix)
        path = self._inside(name)
        if media_type is None or path is None:
            return None
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            kept = self._kept.get(name)
            if kept is not None and kept.stamp == stamp:
                return kept
            body = path.read_bytes()
        except OSError:
            return None
        packed = gzip.compress(body, 9, mtime=0) if path.suffix in _PACKED else None
        etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        file = _File(stamp, body, packed, etag, media_type)
        if len(self._kept) >= MAX_FILES:
            self._kept.clear()
        self._kept[name] = file
        return file

    def _inside(self, name: str) -> Path | None:
        """Return the real path of *name* when it lies below the root, links included."""
        if "\x00" in name:
            return None
        path = (self._root / name).resolve()
        return path if path.is_relative_to(self._root) and path.is_file() else None


def routes(files: Files | None = None) -> list[BaseRoute]:
    """Return the routes of the console and the widget."""
    files = files or Files()

    async def console(request: Request) -> Response:
        """Return an asset, or the one page whose script draws every address."""
        path = str(request.path_params.get("path", ""))
        if path and "." in path.rpartition("/")[2]:
            found = await files.answer(request, f"console/{path}", _ALWAYS_ASK)
            if found is None:
                raise NotFound(path)
            return found
        page = await files.answer(request, "console/index.html", _ALWAYS_ASK)
        return page or Response(_NOT_BUILT, 503, media_type="text/html; charset=utf-8")

    async def widget(request: Request) -> Response:
        """Return one of the widget's files."""
        path = str(request.path_params["path"])
        found = await files.answer(request, f"w/{path}", _SHORT)
        if found is None:
            raise NotFound(path)
        return found

    async def worker(request: Request) -> Response:
        """Return the service worker; it rules what lies beside its address."""
        found = await files.answer(request, "w/sw.js", _ALWAYS_ASK)
        if found is None:
            raise NotFound("sw.js")
        return found

    async def to_console(_: Request) -> Response:
        return RedirectResponse("/console/", 307)

    return [
        Route("/", to_console, include_in_schema=False),
        Route("/console", to_console, include_in_schema=False),
        Route("/console/sw.js", worker, include_in_schema=False),
        Route("/c/sw.js", worker, include_in_schema=False),
        Route("/console/{path:path}", console, include_in_schema=False),
        Route("/w/v1/{path:path}", widget, include_in_schema=False),
    ]
