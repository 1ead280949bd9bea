"""What the host needs of the rest of the hub, as small protocols."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deskhub.chat.commands import ChatCommand
from deskhub.chat.service import Receipt
from deskhub.identity.model import Principal
from deskhub_sdk import Adapter, Config, Heard, Said, SaidFile, Seat, Signal


class ChatPort(Protocol):
    """The hub's one command layer."""

    async def do(self, principal: Principal, command: ChatCommand, *, cid: str) -> Receipt:
        """Apply *command* as *principal*; the same *cid* has its effect once."""
        ...


class KvPort(Protocol):
    """Small durable values by tenant and instance."""

    async def get(self, tenant: str, instance: str, key: str) -> bytes | None:
        """Return the value or None."""
        ...

    async def put(self, tenant: str, instance: str, key: str, value: bytes) -> None:
        """Store *value* before returning."""
        ...

    async def delete(self, tenant: str, instance: str, key: str) -> None:
        """Remove *key* if it is there."""
        ...


class SeatsPort(Protocol):
    """Who can take conversations, and which of them wait."""

    async def online(self, tenant: str, inbox: str) -> Sequence[Seat]:
        """Return the agents of *inbox* who are online and not away."""
        ...

    async def name_of(self, tenant: str, agent: str) -> str | None:
        """Return the display name of *agent*, or None when there is no such agent."""
        ...

    async def waiting(self, tenant: str, inbox: str) -> Sequence[str]:
        """Return the open conversations of *inbox* nobody has, longest waiting first."""
        ...


class ChannelPort(Protocol):
    """What comes in over an instance's channel, and leaves over it; raises `HubError`s."""

    async def hear(
        self, tenant: str, instance: str, said: Said, files: Sequence[SaidFile]
    ) -> Heard:
        """Put *said* into its conversation; stored before this returns."""
        ...

    async def find(self, tenant: str, instance: str, tokens: Sequence[str]) -> str | None:
        """Return the conversation of the first of *tokens* that is the instance's."""
        ...

    async def returned(
        self, tenant: str, instance: str, tokens: Sequence[str], mail: str, why: str
    ) -> bool:
        """Say that the answer *mail* came back; return whether a token proves it ours."""
        ...

    async def leaving(self, instance: str, mail: str) -> bool:
        """Write down that the answer *mail* leaves now; false when it must not."""
        ...

    async def read_file(self, instance: str, mail: str, file: str) -> bytes:
        """Return the bytes of a file of the answer *mail*."""
        ...


EmitPort = Callable[[str, str, Signal], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class HostPorts:
    """Everything a context hands on to the hub.

    *emit* takes (tenant, instance, signal) and returns when the signal is stored. Without a
    *channel* nobody can write from outside.
    """

    chat: ChatPort
    kv: KvPort
    seats: SeatsPort
    emit: EmitPort
    channel: ChannelPort | None = None


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A feature that ships with the hub, run like an adapter, once for each tenant."""

    adapter: type[Adapter[Any]]
    config: Config
    tenants: tuple[str, ...] = ("main",)
