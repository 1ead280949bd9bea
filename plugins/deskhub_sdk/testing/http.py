"""A real HTTP client for adapter tests, with the same errors as the hub's own way out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Literal

import aiohttp
import msgspec

from deskhub_sdk.context import HttpAnswer
from deskhub_sdk.errors import (
    AdapterError,
    AuthRequired,
    Malformed,
    NotSent,
    OutcomeUnknown,
    Throttled,
    Unavailable,
)
from deskhub_sdk.loader import metered

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
MAX_BODY_BYTES = 4 * 1024 * 1024
LONGEST_PAUSE_S = 0.2


class GivenHttp:
    """Sends to loopback only; *calls* lists every request that left, ``GET /orders``."""

    def __init__(self, *, timeout_s: float) -> None:
        """Give every request *timeout_s* unless it says otherwise."""
        self.calls: list[str] = []
        self._timeout_s = timeout_s
        tracing = aiohttp.TraceConfig()
        tracing.on_request_headers_sent.append(_mark_sent)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[tracing],
        )

    async def request(
        self,
        method: Method,
        url: str,
        *,
        json: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        repeatable: bool | None = None,
        timeout_s: float | None = None,
    ) -> HttpAnswer:
        """Send one request and return its whole answer; see `deskhub_sdk.Http`."""
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if json is not None:
            data = msgspec.json.encode(json)
            sent.setdefault("content-type", "application/json")
        loop = asyncio.get_running_loop()
        end = loop.time() + (timeout_s or self._timeout_s)
        may_repeat = method == "GET" if repeatable is None else repeatable
        pause_s = 0.02
        while True:
            try:
                return await self._once(method, url, data, sent, params, end)
            except (Throttled, Unavailable, OutcomeUnknown, NotSent) as error:
                asked_s = error.retry_after_s or 0.0
                left_s = end - loop.time()
                if not may_repeat or not _is_early(error) or left_s <= asked_s + pause_s:
                    raise
                await asyncio.sleep(asked_s + random.uniform(0, pause_s))
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def _once(
        self,
        method: Method,
        url: str,
        data: bytes | None,
        headers: Mapping[str, str],
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None,
        end: float,
    ) -> HttpAnswer:
        trace = SimpleNamespace(sent=False)
        where = f"{method} {url.partition('?')[0]}"
        self.calls.append(f"{method} /{url.partition('://')[2].partition('/')[2]}")
        meter = metered.get()
        if meter is not None:
            meter.loads += 1
            meter.calls += 1
        try:
            async with (
                asyncio.timeout_at(end),
                self._session.request(
                    method, url, data=data, headers=headers, params=params,
                    allow_redirects=False, trace_request_ctx=trace,
                ) as response,
            ):  # fmt: skip
                body = await response.read()
                answer_headers = {k.lower(): v for k, v in response.headers.items()}
                answer = HttpAnswer(status=response.status, headers=answer_headers, body=body)
        except (TimeoutError, aiohttp.ClientError) as error:
            raise _broken(method, where, sent=trace.sent, why=type(error).__name__) from error
        if len(body) > MAX_BODY_BYTES:
            raise Malformed(f"{where} answered more than {MAX_BODY_BYTES} bytes")
        _refuse(method, where, answer)
        return answer


def _broken(method: Method, where: str, *, sent: bool, why: str) -> AdapterError:
    text = f"{where}: {why}"
    if method == "GET":
        return _early(Unavailable(text), early=not sent)
    return OutcomeUnknown(text) if sent else _early(NotSent(text), early=True)


def _refuse(method: Method, where: str, answer: HttpAnswer) -> None:
    status = answer.status
    asked = answer.headers.get("retry-after", "")
    wait_s = float(asked) if asked.isdigit() else None
    if status in (401, 403):
        raise AuthRequired(f"{where} answered {status}")
    if status == 429:
        raise _early(Throttled(f"{where} answered 429", retry_after_s=wait_s), early=True)
    if status >= 500:
        kind = Unavailable if method == "GET" else OutcomeUnknown
        error = kind(f"{where} answered {status}", retry_after_s=wait_s)
        raise _early(error, early=status == 503)


def _early(error: AdapterError, *, early: bool) -> AdapterError:
    """Mark an *error* after which the same request may be sent once more."""
    error.early = early  # type: ignore[attr-defined]  # only this module looks at it
    return error


def _is_early(error: AdapterError) -> bool:
    return bool(getattr(error, "early", False))


async def _mark_sent(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    params: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    del session, params
    context.trace_request_ctx.sent = True
