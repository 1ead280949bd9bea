"""The hub's side of one instance's channel: the hub's errors become the contract's."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from deskhub.errors import HubError
from deskhub.host.errors import translated
from deskhub.host.ports import ChannelPort
from deskhub_sdk import ConversationId, Heard, Rejected, Said, SaidFile

T = TypeVar("T")


class InstanceChannel:
    """`deskhub_sdk.Channel` of one instance; nothing without ``writes.conversation``."""

    def __init__(
        self, port: ChannelPort | None, tenant: str, instance: str, *, allowed: bool
    ) -> None:
        """Speak as *instance* when it was *allowed*."""
        self._port = port
        self._tenant = tenant
        self._instance = instance
        self._allowed = allowed

    async def hear(self, said: Said, files: Sequence[SaidFile] = ()) -> Heard:
        """Put *said* into its conversation."""
        return await _told(self._open().hear(self._tenant, self._instance, said, files))

    async def find(self, tokens: Sequence[str]) -> ConversationId | None:
        """Return the conversation that one of *tokens* stands for."""
        found = await _told(self._open().find(self._tenant, self._instance, tokens))
        return ConversationId(found) if found is not None else None

    async def leaving(self, answer: str) -> bool:
        """Write down that an answer leaves now."""
        return await _told(self._open().leaving(self._instance, answer))

    async def returned(self, tokens: Sequence[str], answer: str, why: str) -> bool:
        """Say that an answer came back."""
        port = self._open()
        return await _told(port.returned(self._tenant, self._instance, tokens, answer, why))

    async def read_file(self, answer: str, file: str) -> bytes:
        """Return the bytes of a file of an answer."""
        return await _told(self._open().read_file(self._instance, answer, file))

    def _open(self) -> ChannelPort:
        if not self._allowed or self._port is None:
            raise Rejected("this adapter did not ask for writes.conversation")
        return self._port


async def _told(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except HubError as error:
        raise translated(error) from error
