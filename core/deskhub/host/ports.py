"""What the host needs of the rest of the hub, as small protocols."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deskhub.chat.commands import ChatCommand
from deskhub.chat.service import Receipt
from deskhub.identity.model import Principal
from deskhub_sdk import Adapter, Config, Seat, Signal


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


EmitPort = Callable[[str, str, Signal], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class HostPorts:
    """Everything a context hands on to the hub.

    *emit* takes (tenant, instance, signal) and returns when the signal is stored.
    """

    chat: ChatPort
    kv: KvPort
    seats: SeatsPort
    emit: EmitPort


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A feature that ships with the hub, run like an adapter, once for each tenant."""

    adapter: type[Adapter[Any]]
    config: Config
    tenants: tuple[str, ...] = ("main",)
