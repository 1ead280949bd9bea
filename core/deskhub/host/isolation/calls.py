"""What a worker may ask of the hub: its instance's own context and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from deskhub.errors import HubError
from deskhub.host.context import InstanceContext
from deskhub.host.errors import translated
from deskhub.host.isolation.parts import Parts
from deskhub_sdk import ConversationId, Said, Signal
from deskhub_sdk.cards import Card
from deskhub_sdk.worker.frames import Ask, Tell
from deskhub_sdk.worker.wire import decode, encode

LOG_BYTES_PER_S = 64 * 1024
LOG_BURST_BYTES = 256 * 1024

_Pairs = list[tuple[str, str]] | None
_Request = tuple[
    Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
    str, bytes | None, dict[str, str], _Pairs, bool | None, float | None,
]  # fmt: skip
_Text = tuple[ConversationId, str, str]


class ContextCalls:
    """Answers a worker's calls with the context of its instance."""

    def __init__(self, context: InstanceContext, fault: Callable[[str], None]) -> None:
        """Serve *context*; *fault* learns what the adapter tried and must not."""
        self._context = context
        self._fault = fault
        self._log_left = float(LOG_BURST_BYTES)
        self._log_at = context.monotonic()
        self._log_dropped = 0
        conversations = context.conversations
        parts = Parts(context.channel)
        self._answers: dict[str, tuple[Any, Callable[..., Awaitable[object]]]] = {
            "http.request": (_Request, self._request),
            "cache.get": (tuple[str], context.cache.get),
            "cache.set": (tuple[str, bytes, float], context.cache.set),
            "cache.delete": (tuple[str], context.cache.delete),
            "kv.get": (tuple[str], context.kv.get),
            "kv.put": (tuple[str, bytes], context.kv.put),
            "kv.delete": (tuple[str], context.kv.delete),
            "conversations.post_message": (_Text, _with_cid(conversations.post_message)),
            "conversations.add_note": (_Text, _with_cid(conversations.add_note)),
            "conversations.show_card": (
                tuple[ConversationId, Card, str], _with_cid(conversations.show_card),
            ),
            "conversations.assign": (
                tuple[ConversationId, str | None, str], _with_cid(conversations.assign),
            ),
            "conversations.tag": (
                tuple[ConversationId, list[str], str], _with_cid(conversations.tag),
            ),
            "seats.online": (tuple[str], context.seats.online),
            "seats.waiting": (tuple[str], context.seats.waiting),
            "channel.part": (tuple[str, int, int, bytes], parts.add),
            "channel.hear": (tuple[Said, list[tuple[str, int]]], parts.hear),
            "channel.find": (tuple[list[str]], context.channel.find),
            "channel.leaving": (tuple[str], context.channel.leaving),
            "channel.returned": (tuple[list[str], str, str], context.channel.returned),
            "channel.read_part": (tuple[str, str, int], parts.read),
            "emit": (tuple[Signal], context.emit),
        }  # fmt: skip

    async def answer(self, ask: Ask) -> msgspec.Raw:
        """Return the answer to *ask*. Raises errors of the contract."""
        kinds, function = self._answers[ask.target]
        arguments = decode(ask.arguments, kinds)
        try:
            value = await function(*arguments)
        except HubError as error:
            raise translated(error) from error
        return encode(value)

    def told(self, tell: Tell) -> None:
        """Take a log record or the report of a fault."""
        if tell.target == "log":
            self._log(
                len(tell.arguments), *decode(tell.arguments, tuple[int, str, dict[str, Any]])
            )
        elif tell.target == "fault":
            (what,) = decode(tell.arguments, tuple[str])
            self._fault(what)

    async def _request(
        self,
        method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
        url: str,
        data: bytes | None,
        headers: dict[str, str],
        params: _Pairs,
        repeatable: bool | None,  # noqa: FBT001  as it came
        timeout_s: float | None,
    ) -> object:
        return await self._context.http.request(
            method, url, data=data, headers=headers, params=params,
            repeatable=repeatable, timeout_s=timeout_s,
        )  # fmt: skip

    def _log(self, size: int, level: int, event: str, fields: dict[str, Any]) -> None:
        """Log as this adapter, at most 64 KB a second; what is dropped is counted."""
        now = self._context.monotonic()
        earned = (now - self._log_at) * LOG_BYTES_PER_S
        self._log_left = min(float(LOG_BURST_BYTES), self._log_left + earned)
        self._log_at = now
        if size > self._log_left:
            self._log_dropped += 1
            return
        self._log_left -= size
        if self._log_dropped:
            fields = {**fields, "dropped_before": self._log_dropped}
            self._log_dropped = 0
        safe = {name: value for name, value in fields.items() if name not in _RESERVED}
        own = self._context.log
        own.logger.log(level, "%s", event, extra={**safe, **(own.extra or {})})


_RESERVED = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def _with_cid(function: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def call(conversation: ConversationId, what: object, cid: str) -> None:
        await function(conversation, what, cid=cid)

    return call
