"""One person's way to the hub: a stream, and requests beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import orjson

from deskhub.cli.chaos.process import NotRunning

BROKEN = (aiohttp.ClientError, OSError, TimeoutError, orjson.JSONDecodeError)
ANSWER_S = 5.0
# Codes of the protocol that say: not with this token.
_NOT_THIS_TOKEN = (4401, 4501, 4504)


class Unknown(ConnectionError):
    """The hub does not know the token: whoever holds it has to come in anew."""


class Refused(NotRunning):
    """The hub refused for good what it must take."""


class Line:
    """One person's connection to the hub, dialled anew whenever it breaks.

    Everything here raises one of `BROKEN` when the hub is away.
    """

    def __init__(
        self, http: aiohttp.ClientSession, port: Callable[[], int], headers: Mapping[str, str]
    ) -> None:
        """Dial *port*, asked anew each time, with *http*; send *headers* along."""
        self._http = http
        self._port = port
        self._headers = headers
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the stream is connected, as far as this side knows."""
        return self._socket is not None and not self._socket.closed

    async def post(
        self,
        path: str,
        body: dict[str, Any],
        *,
        token: str = "",
        cid: str = "",
        deaf: bool = False,
    ) -> dict[str, Any]:
        """Return the answer to a request that changes something; *deaf* hangs up before it."""
        headers = {"idempotency-key": cid} if cid else {}
        async with (
            asyncio.timeout(ANSWER_S),
            self._http.post(
                self._at(path), json=body, headers=self._with(token) | headers
            ) as answer,
        ):
            if deaf:
                answer.close()
                raise ConnectionError("hung up before the answer")
            return await _told(answer)

    async def get(self, path: str, token: str, **query: str) -> dict[str, Any]:
        """Return the answer to a request that asks."""
        async with (
            asyncio.timeout(2 * ANSWER_S),
            self._http.get(self._at(path), params=query, headers=self._with(token)) as answer,
        ):
            return await _told(answer)

    async def dial(self, token: str, cursor: str | None) -> dict[str, Any]:
        """Open a stream and return its welcome."""
        await self.hang_up()
        async with asyncio.timeout(ANSWER_S):
            self._socket = await self._http.ws_connect(
                self._at("/api/v1/stream"), headers=self._headers, autoping=True, max_msg_size=0
            )
            await self.say({"t": "hello", "v": 1, "token": token, "cursor": cursor})
            welcome = await self.hear()
        if welcome["t"] != "welcome":
            raise ConnectionError(f"{welcome['t']} instead of a welcome")
        return welcome

    async def say(self, frame: dict[str, Any]) -> None:
        """Send *frame*."""
        if self._socket is None or self._socket.closed:
            raise ConnectionError("not connected")
        await self._socket.send_str(orjson.dumps(frame).decode())

    async def hear(self) -> dict[str, Any]:
        """Return the next frame; pings are answered."""
        if self._socket is None:
            raise ConnectionError("not connected")
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.CLOSE and message.data in _NOT_THIS_TOKEN:
                raise Unknown(str(message.data))
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionError("closed")
            frame: dict[str, Any] = orjson.loads(message.data)
            if frame["t"] != "ping":
                return frame
            await self.say({"t": "pong", "k": frame["k"]})

    async def hang_up(self) -> None:
        """Close the stream, whether or not the other side still listens."""
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(*BROKEN):
                async with asyncio.timeout(1.0):
                    await socket.close()

    def _at(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port()}{path}"

    def _with(self, token: str) -> dict[str, str]:
        return dict(self._headers) | ({"authorization": f"Bearer {token}"} if token else {})


async def _told(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """Return what *answer* says. Raises `Unknown`, `Refused` or one of `BROKEN`."""
    told: dict[str, Any] = orjson.loads(await answer.read())
    if answer.status == 401:
        raise Unknown(told.get("code", ""))
    if told.get("retry") == "never":
        raise Refused(f"it refuses for good: {told['code']}")
    answer.raise_for_status()
    return told
