"""How a simulator reads a body, refuses a request, and keeps what a write answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from aiohttp import web

_REFUSALS: dict[int, type[web.HTTPException]] = {
    400: web.HTTPBadRequest,
    401: web.HTTPUnauthorized,
    403: web.HTTPForbidden,
    404: web.HTTPNotFound,
    409: web.HTTPConflict,
    422: web.HTTPUnprocessableEntity,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write answered: kept under its idempotency key."""

    status: int
    body: Any


def refuse(status: int, code: str, text: str, **more: object) -> NoReturn:
    """End a request with *status* and ``{"error": code, "message": text, …}``."""
    body = json.dumps({"error": code, "message": text, **more}, ensure_ascii=False)
    raise _REFUSALS[status](text=body, content_type="application/json")


async def body_of(request: web.Request) -> dict[str, Any]:
    """Return the JSON object a request carries; 400 when it carries anything else."""
    try:
        found = json.loads(await request.text() or "{}")
    except ValueError:
        refuse(400, "bad_json", "the body is not JSON")
    if not isinstance(found, dict):
        refuse(400, "bad_json", "the body is not an object")
    return found
