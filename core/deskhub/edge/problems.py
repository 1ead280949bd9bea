"""Every error as an RFC 9457 problem, with the catalogue's words and never the exception's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from deskhub.edge import errors
from deskhub.errors import Forbidden, HubError, Invalid, NotFound, TooLarge, Unauthenticated

MEDIA_TYPE = "application/problem+json"
MAX_FIELDS = 50

_BY_STATUS: Mapping[int, type[HubError]] = {
    400: errors.BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: errors.MethodNotAllowed,
    413: TooLarge,
    415: errors.UnsupportedMedia,
    422: Invalid,
}


def body_of(error: HubError, request_id: str) -> dict[str, Any]:
    """Return the problem document of *error*.

    An error may carry more members for its reader in an attribute ``extra``, as the new plan
    of ``plan_changed``.
    """
    members: Mapping[str, Any] = getattr(error, "extra", {})
    body: dict[str, Any] = {
        **members,
        "type": f"urn:deskhub:problem:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": error.status,
        "code": error.code,
        "detail": error.text,
        "retry": error.retry,
    }
    if error.after_ms is not None:
        body["after_ms"] = error.after_ms
    if error.fields:
        body["errors"] = list(error.fields)
    return body | {"request_id": request_id}


def response_of(error: HubError, request_id: str) -> Response:
    """Return the HTTP answer for *error*, with Retry-After and the challenge where due."""
    headers = {}
    if error.after_ms is not None:
        headers["retry-after"] = str(max(1, -(-error.after_ms // 1000)))
    if error.status == 401:
        headers["www-authenticate"] = 'Bearer realm="deskhub"'
    body = orjson.dumps(body_of(error, request_id), default=str)
    return Response(body, status_code=error.status, headers=headers, media_type=MEDIA_TYPE)


def from_http(error: HTTPException) -> HubError:
    """Return the catalogue's error for one that the framework raised."""
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        kind = errors.BadRequest if error.status_code < 500 else HubError
    return kind(f"http {error.status_code}")


def from_validation(error: RequestValidationError) -> Invalid:
    """Return which fields are wrong and why; never the values that were sent."""
    fields = []
    for mistake in error.errors()[:MAX_FIELDS]:
        place = [str(part) for part in mistake["loc"] if part != "body"]
        fields.append(
            {
                "path": ".".join(place) or "body",
                "code": str(mistake["type"]),
                "text": _words(mistake),
            }
        )
    return Invalid("validation", fields=tuple(fields))


def _words(mistake: Mapping[str, Any]) -> str:
    """Return pydantic's sentence, which is made of the model's own bounds and names."""
    if mistake["type"] == "extra_forbidden":
        return "There is no such field."
    if mistake["type"] == "json_invalid":
        return "This is not JSON."
    text = str(mistake["msg"]).removeprefix("Value error, ")
    return text if text.endswith(".") else f"{text}."
