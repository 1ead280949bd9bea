"""The one way out: every request an adapter sends to its business system goes through here.

Allow-list, checked addresses, no redirects, a deadline, bounded answers, repeated calls only
where a repetition cannot double anything, and errors that say what is known.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Literal

import aiohttp
import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from yarl import URL

from deskhub import __version__
from deskhub.host.addresses import AllowList, CheckedResolver
from deskhub.host.guard import Figures
from deskhub.host.rates import RateBudget
from deskhub_sdk import (
    AdapterError,
    AuthRequired,
    HttpAnswer,
    Malformed,
    NotSent,
    OutcomeUnknown,
    Throttled,
    Unavailable,
)
from deskhub_sdk.loader import metered

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_HEADER_BYTES = 32_768
CHUNK_BYTES = 65_536
CONNECTIONS = 32
# Shorter than the usual idle limit of servers: a write must not meet a closing connection.
KEEP_ALIVE_S = 15.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
# A tenth of the calls may be repetitions, or a far side in trouble would get more of them.
BUDGET_SHARE = 0.1
BUDGET_MOST = 20.0

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Params = Mapping[str, str] | Sequence[tuple[str, str]] | None


class _Again(Exception):
    """Carries an error after which the same request may be sent once more."""

    def __init__(self, error: AdapterError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class _Trace:
    """What is known about a request under way: *sent* once its first bytes may have left."""

    sent: bool = False


class RetryBudget:
    """How many repetitions are left: each call earns a tenth, each repetition costs one."""

    def __init__(self) -> None:
        """Begin full, so that a quiet instance may repeat at once."""
        self._left = BUDGET_MOST

    def earn(self) -> None:
        """Count a first attempt."""
        self._left = min(BUDGET_MOST, self._left + BUDGET_SHARE)

    def spend(self) -> bool:
        """Return whether one more repetition is allowed, and count it."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Egress:
    """The `Http` of one instance. Close it when the instance stops."""

    def __init__(
        self,
        allow: AllowList,
        figures: Figures,
        *,
        timeout_s: float,
        max_body_bytes: int = MAX_BODY_BYTES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Reach what *allow* lists; a request takes *timeout_s* unless it says otherwise."""
        self._allow = allow
        self._figures = figures
        self.timeout_s = timeout_s
        self._max_body_bytes = max_body_bytes
        self._now = now
        self._budget = RetryBudget()
        self._rates = RateBudget()
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: Method,
        url: str,
        *,
        json: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Params = None,
        repeatable: bool | None = None,
        timeout_s: float | None = None,
    ) -> HttpAnswer:
        """Send one request and return its whole answer; see `deskhub_sdk.Http`."""
        self._allow.check(url)
        request = _Request(method, _with_params(url, params), _headers(headers), data)
        if json is not None:
            request.body = msgspec.json.encode(json)
            request.headers.setdefault("content-type", "application/json")
        limit_s = timeout_s or self.timeout_s
        end = asyncio.get_running_loop().time() + limit_s
        may_repeat = method == "GET" if repeatable is None else repeatable
        self._budget.earn()
        if not may_repeat:
            return await self._last(request, end)
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(_Again),
            wait=_full_jitter,
            stop=lambda state: self._stop(state, end),
            before_sleep=self._count_retry,
            reraise=True,
        )
        try:
            return await attempts(self._once, request, end)
        except _Again as last:
            raise last.error from last.__cause__

    async def once(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float
    ) -> HttpAnswer:
        """Post *body* one time and return the answer whatever its status is.

        For whoever keeps the schedule of repetitions. An answer that is too large is cut.
        Raises `Refused` for an address that may not be reached, `TimeoutError` and
        `aiohttp.ClientError`.
        """
        self._allow.check(url)
        found = bytearray()
        async with (
            asyncio.timeout(timeout_s),
            self._open().post(
                url, data=body, headers=_headers(headers), allow_redirects=False,
                trace_request_ctx=_Trace(),
            ) as response,
        ):  # fmt: skip
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                found += chunk
                if len(found) >= self._max_body_bytes:
                    break
            told = {name.lower(): value for name, value in response.headers.items()}
            most = self._max_body_bytes
            return HttpAnswer(status=response.status, headers=told, body=bytes(found[:most]))

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _last(self, request: _Request, end: float) -> HttpAnswer:
        try:
            return await self._once(request, end)
        except _Again as last:
            raise last.error from last.__cause__

    async def _once(self, request: _Request, end: float) -> HttpAnswer:
        """Send *request* one time. Raises `_Again` where a repetition is harmless."""
        trace = _Trace()
        await self._rates.spend(request.where, end)
        self._figures.http_calls += 1
        meter = metered.get()
        if meter is not None:
            meter.loads += 1
            meter.calls += 1
        try:
            async with asyncio.timeout_at(end):
                status, headers, body = await self._exchange(request, trace)
        except TimeoutError as error:
            raise self._broken(request, trace, "no answer in time") from error
        except aiohttp.ClientError as error:
            raise self._broken(request, trace, type(error).__name__) from error
        answer = HttpAnswer(status=status, headers=headers, body=body)
        self._learn(answer)
        self._refuse(request, answer)
        return answer

    async def _exchange(
        self, request: _Request, trace: _Trace
    ) -> tuple[int, dict[str, str], bytes]:
        async with self._open().request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            trace_request_ctx=trace,
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                body += chunk
                if len(body) > self._max_body_bytes:
                    raise self._too_large(request)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return response.status, headers, bytes(body)

    def _learn(self, answer: HttpAnswer) -> None:
        """Let every call of this instance know how many requests are left, and for how long."""
        now, now_s = self._now(), asyncio.get_running_loop().time()
        self._rates.learn(answer.headers, now_s, now.timestamp())
        if answer.status == 429 and (wait_s := retry_after(answer.headers, now)) is not None:
            self._rates.pause(now_s, wait_s)

    def _refuse(self, request: _Request, answer: HttpAnswer) -> None:
        """Turn the statuses that mean the same everywhere into errors."""
        status, where = answer.status, request.where
        if status in (401, 403):
            raise AuthRequired(f"{where} answered {status}")
        if status == 429:
            wait_s = retry_after(answer.headers, self._now())
            raise _Again(Throttled(f"{where} answered 429", retry_after_s=wait_s))
        if status >= 500:
            wait_s = retry_after(answer.headers, self._now())
            kind = Unavailable if request.reads else OutcomeUnknown
            error = kind(f"{where} answered {status}", retry_after_s=wait_s)
            if status == 503:
                raise _Again(error)
            raise error

    def _broken(self, request: _Request, trace: _Trace, why: str) -> Exception:
        """Return the error for a request without an answer."""
        text = f"{request.where}: {why}"
        if not trace.sent:
            return _Again(Unavailable(text) if request.reads else NotSent(text))
        return Unavailable(text) if request.reads else OutcomeUnknown(text)

    def _too_large(self, request: _Request) -> AdapterError:
        text = f"{request.where} answered more than {self._max_body_bytes} bytes"
        return Malformed(text) if request.reads else OutcomeUnknown(text)

    def _stop(self, state: RetryCallState, end: float) -> bool:
        """Return whether there is no time or no budget for another attempt."""
        left = end - asyncio.get_running_loop().time()
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.error.retry_after_s if isinstance(error, _Again) else None
        return left <= (asked or 0.0) or not self._budget.spend()

    def _count_retry(self, state: RetryCallState) -> None:
        del state
        self._figures.http_retries += 1

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            tracing = aiohttp.TraceConfig()
            tracing.on_request_headers_sent.append(_mark_sent)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=CheckedResolver(self._allow.private_hosts),
                    limit=CONNECTIONS,
                    keepalive_timeout=KEEP_ALIVE_S,
                    ttl_dns_cache=10,
                ),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"Deskhub/{__version__}"},
                trace_configs=[tracing],
                trust_env=False,
                max_line_size=MAX_HEADER_BYTES,
                max_field_size=MAX_HEADER_BYTES,
            )
        return self._session


@dataclass(slots=True)
class _Request:
    method: Method
    url: URL
    headers: dict[str, str]
    body: bytes | None

    @property
    def reads(self) -> bool:
        """Return whether sending it cannot have an effect."""
        return self.method == "GET"

    @property
    def where(self) -> str:
        """Return method and place without the query, which may hold personal data."""
        return f"{self.method} {self.url.origin()}{self.url.path}"


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, as a number or a date; else None."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:6])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def _full_jitter(state: RetryCallState) -> float:
    """Return a random pause that may grow with each attempt, or what the far side asked for."""
    error = state.outcome.exception() if state.outcome is not None else None
    most = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**state.attempt_number)
    pause = random.uniform(0, most)  # noqa: S311  spreads load, guards nothing
    asked = error.error.retry_after_s if isinstance(error, _Again) else None
    return max(asked, 0.0) + pause if asked is not None else pause


async def _mark_sent(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    params: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    del session, params
    context.trace_request_ctx.sent = True


def _with_params(url: str, params: Params) -> URL:
    target = URL(url)
    return target.extend_query(params) if params else target


def _headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    clean = {name.lower(): value for name, value in (headers or {}).items()}
    if "host" in clean:
        raise NotSent("an adapter must not choose the Host header")
    return clean
