"""The running hub as commands ask it: over its REST API, with an API token."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import orjson
import typer

from deskhub.cli.checked import readable
from deskhub.cli.output import Exit, fail

WITHIN_S = 15.0
UrlOption = Annotated[
    str | None, typer.Option("--url", envvar="DESKHUB_URL", help="The hub; hub.toml says it.")
]
_EXITS = {
    403: Exit.NOT_ALLOWED, 404: Exit.NOT_FOUND, 409: Exit.CONFLICT, 422: Exit.USAGE,
    429: Exit.UNREACHABLE, 503: Exit.UNREACHABLE,
}  # fmt: skip


class HubApi:
    """One hub; every refusal is printed as a problem and ends the command."""

    def __init__(self, base: str, token: str, *, as_json: bool) -> None:
        self._base = base.rstrip("/")
        self._token = token
        self._as_json = as_json

    @classmethod
    def of(cls, config: Path, url: str | None, *, as_json: bool) -> HubApi:
        """Return the hub of *config*, or at *url*, with the token of the environment."""
        token = os.environ.get("DESKHUB_TOKEN", "")
        if not token:
            fail("DH164", "there is no API token", exit_code=Exit.NOT_ALLOWED, as_json=as_json,
                 why="the running hub answers only whom it knows",
                 fix="export DESKHUB_TOKEN=$(deskhub token new me --scope adapters.admin)",
                 )  # fmt: skip
        base = url or f"http://{readable(config, as_json=as_json).hub.listen}"
        return cls(base, token, as_json=as_json)

    def get(self, *path: str, **query: object) -> Any:  # noqa: ANN401  any JSON
        """Return the answer at *path*; its parts are escaped."""
        asked = "&".join(f"{key}={quote(str(value))}" for key, value in query.items())
        return self._ask("GET", path, None, f"?{asked}" if asked else "")

    def post(self, *path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
        """Return the answer to *body*."""
        return self._ask("POST", path, body or {}, "")

    def _ask(
        self, method: str, path: tuple[str, ...], body: dict[str, Any] | None, query: str
    ) -> Any:  # noqa: ANN401  any JSON
        where = "/".join(quote(part, safe="") for part in path)
        request = urllib.request.Request(  # noqa: S310  the operator's own hub
            f"{self._base}/api/v1/{where}{query}",
            data=None if body is None else orjson.dumps(body),
            method=method,
            headers={
                "authorization": f"Bearer {self._token}",
                "content-type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:  # noqa: S310
                return orjson.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            self._refused(refused.code, refused.read())
        except OSError as error:
            reason = getattr(error, "reason", error)
            fail("DH158", f"no hub answers at {self._base}: {reason}",
                 exit_code=Exit.UNREACHABLE, as_json=self._as_json,
                 why="it does not run, or listens elsewhere",
                 fix="deskhub serve, or name the address: --url http://host:port",
                 )  # fmt: skip

    def _refused(self, status: int, body: bytes) -> NoReturn:
        if status == 401:
            fail("DH165", "the hub does not know this API token", exit_code=Exit.NOT_ALLOWED,
                 as_json=self._as_json, why="it was revoked, has ended, or is another hub's",
                 fix="deskhub token list; make a new one with deskhub token new",
                 )  # fmt: skip
        if status == 403:
            fail("DH166", "this API token may not do that", exit_code=Exit.NOT_ALLOWED,
                 as_json=self._as_json, why="its scopes do not allow it",
                 fix="deskhub token new NAME --scope adapters.admin",
                 )  # fmt: skip
        try:
            problem = orjson.loads(body)
        except orjson.JSONDecodeError:
            problem = {}
        fields = "; ".join(f"{one['path']}: {one['text']}" for one in problem.get("errors", ()))
        fail(str(problem.get("code", "internal")), str(problem.get("detail", f"HTTP {status}")),
             why=fields, exit_code=_EXITS.get(status, Exit.BUG), as_json=self._as_json,
             )  # fmt: skip
