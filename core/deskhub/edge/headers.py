"""Response headers that tell browsers what a page of the hub may do, and to whom."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

_ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "x-frame-options": "DENY",
}
_API = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
# Files are data of strangers: even opened directly they run nothing.
_FILES = {
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-site",
    "cache-control": "private, max-age=300",
}
_WIDGET = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "cross-origin",
    # Public code without credentials: integrity checks of a host page need CORS.
    "access-control-allow-origin": "*",
}
HSTS = "max-age=63072000; includeSubDomains"


def page_policy(public_url: str) -> str:
    """Return the Content-Security-Policy of the chat's page: built assets, nothing inline."""
    parts = urlsplit(public_url)
    socket = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "font-src 'self'",
            f"connect-src 'self' {socket}",
            "manifest-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-src 'none'",
            "frame-ancestors 'none'",
        )
    )


def console_policy(public_url: str) -> str:
    """Return the console's Content-Security-Policy: the same, and no text becomes a script."""
    return page_policy(public_url) + (
        "; require-trusted-types-for 'script'; trusted-types deskhub"
    )


class SecurityHeaders:
    """Adds the headers of security.md to every response that does not set them itself."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app = app
        console = {
            "content-security-policy": console_policy(public_url),
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        }
        always = dict(_ALWAYS)
        if public_url.startswith("https:"):
            always["strict-transport-security"] = HSTS
        self._kinds = {
            "/console": _encoded(always | console),
            # No opener policy: the shop's page hands its session to this one.
            "/c/": _encoded(always | {"content-security-policy": page_policy(public_url)}),
            "/w/": _encoded(always | _WIDGET),
            "/files/": _encoded(always | _FILES),
            "": _encoded(always | _API),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with the headers of its kind."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = self._for(scope["path"])

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _completed(message.get("headers", ()), wanted)
            await send(message)

        await self._app(scope, receive, complete)

    def _for(self, path: str) -> Headers:
        for prefix, headers in self._kinds.items():
            if path.startswith(prefix):
                return headers
        raise AssertionError("the empty prefix matches everything")


def _encoded(headers: dict[str, str]) -> Headers:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _completed(given: Iterable[tuple[bytes, bytes]], wanted: Headers) -> Headers:
    headers = list(given)
    present = {name.lower() for name, _ in headers}
    return headers + [(name, value) for name, value in wanted if name not in present]
