"""What processes tell each other beside the log: who is there, who types, whose rights ended.

All of it may be lost. Who is there is repeated, and forgotten when it is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from deskhub.bus.port import Bus
from deskhub.ids import new_id
from deskhub.stream.presence import Presence

EVERY_S = 10.0
PEOPLE_AT_ONCE = 500

To = Literal["staff", "looking", "others", "other_side"]


class Aside(msgspec.Struct, tag="aside", tag_field="t", omit_defaults=True):
    """An ephemeral frame and whom it is for; *inbox* and *visitor* are the conversation's.

    An *echo* asks those who hear it to say the same of themselves.
    """

    kind: str
    to: To
    by: str
    data: dict[str, Any]
    conversation: str | None = None
    ttl_s: int = 0
    inbox: str | None = None
    visitor: str | None = None
    echo: bool = False


class Here(msgspec.Struct, tag="here", tag_field="t"):
    """Who is connected to *process*, and since when (seconds since 1970)."""

    process: str
    people: dict[str, float]


class Gone(msgspec.Struct, tag="gone", tag_field="t"):
    """Who is connected to *process* no longer; None means that it ends."""

    process: str
    people: list[str] | None


class Asks(msgspec.Struct, tag="asks", tag_field="t"):
    """Somebody new wants to know who is where."""

    process: str


class Revoked(msgspec.Struct, tag="revoked", tag_field="t"):
    """The rights of *who*, an agent's or visitor's id, have ended."""

    who: str


Cast = Aside | Here | Gone | Asks | Revoked

_DECODE = msgspec.json.Decoder(Cast).decode
_ENCODE = msgspec.json.Encoder().encode


class Neighbours:
    """This process among the others of the installation; alone without a bus."""

    def __init__(
        self,
        bus: Bus | None,
        presence: Presence,
        *,
        on_aside: Callable[[str, Aside], None],
        on_revoked: Callable[[str, str], None],
    ) -> None:
        """Pass what others say to *presence* and the callbacks, each with its tenant first."""
        self._bus = bus
        self._presence = presence
        self._on_aside = on_aside
        self._on_revoked = on_revoked
        self.process = new_id("p")

    def tell(self, tenant: str, cast: Cast) -> None:
        """Tell every other process."""
        if self._bus is not None:
            self._bus.cast(tenant, _ENCODE(cast))

    def moved(self, tenant: str, by: str) -> None:
        """Tell the others that somebody came to this process or has left it."""
        since = self._presence.here(tenant, by)
        if since is None:
            self.tell(tenant, Gone(self.process, [by]))
        else:
            self.tell(tenant, Here(self.process, {by: since.timestamp()}))

    async def run(self) -> None:
        """Repeat who is here until cancelled."""
        if self._bus is None:
            await asyncio.Event().wait()
            return
        end = self._bus.listen(on_cast=self._hear)
        was_connected, told_at = False, 0.0
        loop = asyncio.get_running_loop()
        try:
            while True:
                connected, now = self._bus.is_connected, loop.time()
                if connected and not was_connected:
                    for tenant in self._presence.tenants():
                        self.tell(tenant, Asks(self.process))
                if connected and (not was_connected or now - told_at >= EVERY_S):
                    told_at = now
                    for tenant in self._presence.tenants():
                        self._tell_all(tenant)
                was_connected = connected
                await asyncio.sleep(0.5)
        finally:
            for tenant in self._presence.tenants():
                self.tell(tenant, Gone(self.process, None))
            end()

    def _tell_all(self, tenant: str) -> None:
        people = [(by, at.timestamp()) for by, at in self._presence.all_here(tenant)]
        for start in range(0, len(people), PEOPLE_AT_ONCE):
            part = dict(people[start : start + PEOPLE_AT_ONCE])
            self.tell(tenant, Here(self.process, part))

    def _hear(self, tenant: str, what: bytes) -> None:
        match _DECODE(what):
            case Aside() as aside:
                self._on_aside(tenant, aside)
            case Here(process, people):
                if not self._presence.knows(tenant, process):
                    # It is new to us, so we are new to it: it learns at once who is here.
                    self._tell_all(tenant)
                self._presence.heard(tenant, process, people)
            case Gone(process, people):
                self._presence.unheard(tenant, process, people)
            case Asks():
                self._tell_all(tenant)
            case Revoked(who):
                self._on_revoked(tenant, who)
