"""Forgetting people and conversations: begun durably, done in small steps, finished for sure.

A marker is committed before anything goes. Every step can be repeated, and what a killed
process left undone is done by the next one that starts, or by a neighbour within a minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Any

from deskhub.errors import HubError
from deskhub.files.files import Files
from deskhub.identity.model import Principal
from deskhub.store import erased, erasures, people
from deskhub.store.erased import Why
from deskhub.store.erasures import Erasure, Mentions
from deskhub.store.people import Person
from deskhub.store.sabotage import sabotaged
from deskhub.store.store import Store
from deskhub.store.tx import Connection, Tx

log = logging.getLogger("deskhub.privacy")

LOOK_EVERY_S = 60.0

# Called with (tenant, visitor) when a visitor's sessions end.
Revoked = Callable[[str, str], None]


class Eraser:
    """Erases. Any number of processes may; `run` finishes what others began."""

    def __init__(self, store: Store, files: Files, revoked: Revoked) -> None:
        """Erase in *store* and *files*; tell *revoked* of visitors who are locked out."""
        self._store = store
        self._files = files
        self._revoked = revoked
        self._turn = asyncio.Lock()

    async def erase(self, principal: Principal, customer: str, confirm: str) -> dict[str, Any]:
        """Forget *customer* and return the erasure; again, the one that was.

        *confirm* is the customer's name or number. Raises `NotFound`, `Forbidden`,
        `EraseUnconfirmed`, `Conflict` and `EraseBlocked` before anything was changed,
        `StoreDown` and `Busy` at any time: what was begun is then finished without being
        asked for again.
        """
        marker = await self._store.transact(
            principal.tenant, lambda tx: erasures.begin(tx, principal, customer, confirm)
        )
        await self._finish(marker)
        return await self.state(principal.tenant, customer) or marker.view()

    async def state(self, tenant: str, customer: str) -> dict[str, Any] | None:
        """Return the erasure of *customer* as clients read it, or None."""
        found = await self._store.read(lambda db: erasures.load(db, tenant, customer))
        return found.view() if found else None

    async def conversation(self, tenant: str, conversation: str, by: str, why: Why) -> bool:
        """Forget what was said in *conversation*; return False when there was nothing new."""
        place = 0
        while (last := await self._page(tenant, conversation, place, why)) is not None:
            place = last
        return await self._store.transact(
            tenant, lambda tx: erased.finish(tx, conversation, place, by, why)
        )

    async def run(self) -> None:
        """Finish what was begun, at once and every minute, until cancelled."""
        while True:
            try:
                await self.resume()
            except HubError as error:
                log.warning("erasure_postponed", extra={"code": error.code})
            await asyncio.sleep(LOOK_EVERY_S)

    async def resume(self) -> int:
        """Finish every erasure that was begun and not ended; return how many there were."""
        found = await self._store.read(erasures.unended)
        for marker in found:
            log.info("erasure_resumed", extra={"customer": marker.customer})
            await self._finish(marker)
        return len(found)

    async def _finish(self, marker: Erasure) -> None:
        async with self._turn:
            if marker.state == "running":
                await self._overwrite(marker)
            if marker.state != "done" and await self._store.scrub():
                await self._store.transact(
                    marker.tenant, lambda tx: erasures.end(tx, marker.customer)
                )
                log.info("customer_erased", extra={"customer": marker.customer})

    async def _overwrite(self, marker: Erasure) -> None:
        tenant = marker.tenant
        person, mentions = await self._store.read(lambda db: _known(db, marker))
        for visitor in person.visitors:
            self._revoked(tenant, visitor)
        for one in person.conversations:
            await self.conversation(tenant, one, marker.by, "customer")
        uploaders = [f"visitor:{one}" for one in person.visitors]
        files = await self._drop_files(tenant, person.conversations, uploaders)
        counts = {"conversations": len(person.conversations), "files": files}

        def end(tx: Tx) -> bool:
            now = people.of(tx.connection, tenant, marker.customer)
            if now is None or set(now.conversations) != set(person.conversations):
                return False
            erasures.finish(tx, marker, now, mentions, counts)
            return True

        if not await self._store.transact(tenant, end):
            # Somebody opened a conversation in the last moment before they were locked out.
            await self._overwrite(marker)

    async def _drop_files(
        self, tenant: str, conversations: Collection[str], by: Collection[str]
    ) -> int:
        if sabotaged("erase_forgets_files"):
            return 0
        return await self._files.erase(tenant, conversations, by)

    async def _page(self, tenant: str, conversation: str, after: int, why: Why) -> int | None:
        return await self._store.transact(
            tenant, lambda tx: erased.overwrite(tx, conversation, after, why)
        )


def _known(connection: Connection, marker: Erasure) -> tuple[Person, Mentions]:
    person = people.of(connection, marker.tenant, marker.customer)
    if person is None:
        raise RuntimeError(f"customer {marker.customer} has a marker and no row")
    rows = people.records(connection, marker.tenant, person.ids)
    return person, erasures.mentions(connection, marker.tenant, rows)
