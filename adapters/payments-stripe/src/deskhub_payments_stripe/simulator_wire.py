"""How simulated Stripe speaks: nested forms in, its errors out, and keys that it remembers."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

_PART = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and a body, as they are kept under a key."""

    status: int
    body: Any


class Refused(Exception):
    """A refusal in Stripe's words. *kept* says that work had begun: a key remembers it."""

    def __init__(
        self, status: int, type_: str, message: str, *, code: str = "", kept: bool = False
    ) -> None:
        """Say why."""
        super().__init__(message)
        fault = {"type": type_, "message": message, **({"code": code} if code else {})}
        self.reply = Reply(status, {"error": fault})
        self.kept = kept


def invalid(message: str, *, code: str = "", status: int = 400, kept: bool = False) -> Refused:
    """Return the refusal of a request that is wrong."""
    return Refused(status, "invalid_request_error", message, code=code, kept=kept)


def nested(encoded: str) -> dict[str, Any]:
    """Return a form as the tree it stands for: ``metadata[a]=b``, ``expand[]=c``."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        first = name.partition("[")[0]
        parts = [first, *_PART.findall(name)]
        if parts[-1] == "" and len(parts) > 1:
            tree.setdefault(first, []).append(value)
            continue
        place = tree
        for part in parts[:-1]:
            place = place.setdefault(part, {})
        place[parts[-1]] = value
    return tree


@dataclass
class Keys:
    """Idempotency keys as Stripe documents them for its first interface.

    The first answer is kept once work has begun, whatever it was, and given again; other
    parameters under the same key are an error; the same key twice at once is a conflict.
    """

    kept: dict[str, tuple[str, Reply]] = field(default_factory=dict)
    working: set[str] = field(default_factory=set)

    async def once(
        self,
        request: web.Request,
        body: Mapping[str, Any],
        work: Callable[[], Awaitable[Reply]],
    ) -> web.Response:
        """Answer *request*, doing *work* once for its key."""
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return answer((await _try(work))[0])
        if len(key) > 255:
            return answer(invalid("Idempotency keys are at most 255 characters").reply)
        meant = json.dumps([request.path, body], sort_keys=True)
        before = self.kept.get(key)
        if before is not None and before[0] != meant:
            other = "Keys for idempotent requests can only be used with the same parameters"
            return answer(Refused(400, "idempotency_error", other).reply)
        if before is not None:
            return answer(before[1], {"Idempotent-Replayed": "true"})
        if key in self.working:
            text = "There is currently another in-progress request using this key"
            return answer(invalid(text, code="idempotency_key_in_use", status=409).reply)
        self.working.add(key)
        try:
            reply, keep = await _try(work)
        finally:
            self.working.discard(key)
        if keep:
            self.kept[key] = (meant, reply)
        return answer(reply)


async def _try(work: Callable[[], Awaitable[Reply]]) -> tuple[Reply, bool]:
    """Return what *work* answers, and whether a key remembers it."""
    try:
        return await work(), True
    except Refused as refused:
        return refused.reply, refused.kept


def answer(reply: Reply, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return *reply* over HTTP."""
    return web.json_response(reply.body, status=reply.status, headers=headers)
