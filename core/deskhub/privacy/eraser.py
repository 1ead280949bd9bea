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
from deskhub.privacy.systems import ERASE, Systems
from deskhub.store import elsewhere, erased, erasures, people
from deskhub.store.erased import Why
from deskhub.store.erasures import Erasure, Mentions
from deskhub.store.people import Person
from deskhub.store.sabotage import sabotaged
from deskhub.store.store import Store
from deskhub.store.surroundings import customer_row
from deskhub.store.tx import Connection, Tx

log = logging.getLogger("deskhub.privacy")

LOOK_EVERY_S = 60.0

# Called with (tenant, visitor) when a visitor's sessions end.
Revoked = Callable[[str, str], None]


class Eraser:
    """Erases. Any number of processes may; `run` finishes what others began."""

    def __init__(
        self, store: Store, files: Files, revoked: Revoked, systems: Systems | None = None
    ) -> None:
        """Erase in *store*, *files* and *systems*; tell *revoked* who is locked out."""
        self._store = store
        self._files = files
        self._revoked = revoked
        self._systems = systems
        self._turn = asyncio.Lock()

    async def erase(self, principal: Principal, customer: str, confirm: str) -> dict[str, Any]:
        """Forget *customer* and return the erasure; again, the one that was.

        *confirm* is the customer's name or number. Raises `NotFound`, `Forbidden`,
        `EraseUnconfirmed`, `Conflict` and `EraseBlocked` before anything was changed,
        `StoreDown` and `Busy` at any time: what was begun is then finished without being
        asked for again.
        """
        told = self._systems.taking_part(principal.tenant, ERASE) if self._systems else ()

        def begin(tx: Tx) -> Erasure:
            is_known = erasures.load(tx.connection, tx.tenant, customer) is not None
            marker = erasures.begin(tx, principal, customer, confirm)
            if not is_known:
                person = people.of(tx.connection, tx.tenant, customer)
                rows = people.records(tx.connection, tx.tenant, person.ids if person else ())
                elsewhere.begin(tx, customer, [customer_row(row) for row in rows], told)
            return marker

        marker = await self._store.transact(principal.tenant, begin)
        await self._finish(marker)
        return await self.state(principal.tenant, customer) or marker.view(None)

    async def state(self, tenant: str, customer: str) -> dict[str, Any] | None:
        """Return the erasure of *customer* as clients read it, or None."""
        return await self._store.read(lambda db: erasures.told(db, tenant, customer))

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
            if marker.state == "done":
                return
            # Whom systems still have to be told of is one more thing to overwrite.
            is_told = self._systems is None or await self._systems.erase(marker)
            is_told = is_told or sabotaged("erase_forgets_systems")
            if await self._store.scrub() and is_told:
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
