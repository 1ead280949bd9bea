"""Answers of the hot routes as ready bytes: events leave here exactly as sockets send them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import Header
from pydantic import BaseModel
from starlette.responses import Response

from deskhub.chat.model import Receipt
from deskhub.store.event import Event

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="The command's cid: the same command with the same key happens once.",
    ),
]


class ReceiptView(BaseModel):
    """What a command gets once it is on disk. *event* is missing when nothing changed."""

    seq: int
    dup: bool
    conversation: str
    event: dict[str, Any] | None = None


def receipt(result: Receipt, *, created: bool = False) -> Response:
    """Return the receipt; 201 when it *created* something and is not a repetition."""
    body = b'{"seq":%d,"dup":%s,"conversation":%s,"event":%s}' % (
        result.seq,
        b"true" if result.dup else b"false",
        orjson.dumps(result.conversation),
        result.event or b"null",
    )
    status = 201 if created and not result.dup else 200
    return Response(body, status_code=status, media_type="application/json")


def fragments(events: Sequence[Event]) -> list[orjson.Fragment]:
    """Return *events* so that `json_answer` copies their bytes."""
    return [orjson.Fragment(event.encoded) for event in events]


def json_answer(content: Any) -> Response:  # noqa: ANN401  JSON is any of its types
    """Return *content* as JSON without a second look at it."""
    return Response(orjson.dumps(content), media_type="application/json")
