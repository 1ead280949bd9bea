"""Single sign-on in the browser: there, back, and on to the console with a one-time code."""

from __future__ import annotations

import base64
import hashlib
import html
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from deskhub.edge.hub import Hub
from deskhub.errors import HubError
from deskhub.identity.sso import ATTEMPT_S

MAX_PARAMETER_CHARS = 8192
MAX_ANNOUNCEMENT_BYTES = 64_000
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1.5rem;"
    "color:#1c2024;background:#fff}code{color:#60646c}a{color:#1d5c48}"
    "@media(prefers-color-scheme:dark){body{color:#edeef0;background:#111113}a{color:#8cc7ae}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGE_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"


def router(hub: Hub) -> APIRouter:
    """Return the two addresses that a browser visits, and the one that a provider calls."""
    routes = APIRouter(prefix="/auth", tags=["sessions"])
    public = hub.config.hub.url
    is_https = public.startswith("https:")
    # The prefix binds the cookie to this host; browsers accept it over https only.
    cookie = "__Host-dh-sso" if is_https else "dh-sso"

    @routes.get("/{instance}/start", response_class=RedirectResponse, status_code=302)
    async def start(instance: str, request: Request) -> Response:
        """Send the browser to the provider, with a cookie that it must bring back."""
        if _is_elsewhere(request, public):
            # The cookie must be set on the host that the provider sends the browser back to.
            return RedirectResponse(f"{_address(public, instance)}/start?at=home", 302)
        try:
            departure = await hub.sso.start(instance, redirect_uri(public, instance))
        except HubError as error:
            return _page(error)
        response = RedirectResponse(departure.address, 302)
        response.set_cookie(
            cookie, departure.browser_secret, max_age=ATTEMPT_S, path="/", secure=is_https,
            httponly=True, samesite="lax",
        )  # fmt: skip
        return response

    @routes.get("/{instance}/callback", response_class=RedirectResponse, status_code=302)
    async def callback(instance: str, request: Request) -> Response:
        """Take the provider's answer and go on to the console."""
        parameters = {
            key: value[:MAX_PARAMETER_CHARS] for key, value in request.query_params.items()
        }
        try:
            code = await hub.sso.finish(instance, parameters, request.cookies.get(cookie))
            response: Response = RedirectResponse(f"/console/#sso={code}", 302)
        except HubError as error:
            request.state.error_code = error.code
            response = _page(error)
        response.delete_cookie(cookie, path="/", secure=is_https, httponly=True, samesite="lax")
        return response

    @routes.post("/{instance}/signed-out", status_code=200)
    async def signed_out(instance: str, request: Request) -> Response:
        """Take a provider's signed announcement that somebody signed out there."""
        no_store = {"cache-control": "no-store"}
        body = await request.body()
        if len(body) > MAX_ANNOUNCEMENT_BYTES:
            return Response(status_code=413, headers=no_store)
        given = {
            key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()
        }
        try:
            await hub.sso.signed_out(instance, given)
        except HubError as error:
            request.state.error_code = error.code
            # The specification wants 400 for whatever is wrong with it.
            return Response(status_code=400, headers=no_store)
        return Response(status_code=200, headers=no_store)

    return routes


def redirect_uri(public: str, instance: str) -> str:
    """Return the address that has to be registered at the provider, letter by letter."""
    return f"{_address(public, instance)}/callback"


def _address(public: str, instance: str) -> str:
    return f"{public}/auth/{quote(instance, safe='')}"


def _is_elsewhere(request: Request, public: str) -> bool:
    host = request.headers.get("host", "")
    return host != urlsplit(public).netloc and request.query_params.get("at") != "home"


def _page(error: HubError) -> HTMLResponse:
    """Return a page for a person: what happened, the code to look up, the way back."""
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Sign-in failed</title><style>{_STYLE}</style>"
        f"<h1>You are not signed in</h1><p>{html.escape(error.text)}</p>"
        f"<p><code>{html.escape(error.code)}</code></p>"
        '<p><a href="/console/">Back to sign-in</a></p></html>'
    )
    return HTMLResponse(
        body, status_code=error.status, headers={"content-security-policy": _PAGE_POLICY}
    )
