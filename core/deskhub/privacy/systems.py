"""Customers' rights in business systems: asked by hook, an erasure until each has answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from deskhub.clock import Clock
from deskhub.host.asking import Answer
from deskhub.host.host import Host
from deskhub.host.records import customer_record
from deskhub.store import elsewhere
from deskhub.store.elsewhere import Elsewhere, System
from deskhub.store.erasures import Erasure
from deskhub.store.store import Store
from deskhub.store.surroundings import CustomerRow
from deskhub_sdk import ErasedCustomer

ERASE, EXPORT = "erase_customer", "export_customer"
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
# Ten days with the pauses above; after that a person has to see to it.
ATTEMPTS = 48
TEXT_CHARS = 200
EXPORT_BYTES = 1024 * 1024
# How bad each answer is when a system is asked about several records of one person.
_WORST = ("kept", "erased", "absent")

log = logging.getLogger("deskhub.privacy")


class Systems:
    """The instances of one hub that know customers."""

    def __init__(self, host: Host, store: Store, clock: Clock) -> None:
        """Ask instances of *host*; keep their answers in *store*."""
        self._host = host
        self._store = store
        self._clock = clock

    def taking_part(self, tenant: str, hook: str) -> Sequence[str]:
        """Return the instances of *tenant* that answer *hook*, those that do not run too."""
        return sorted(one.id for one in self._host.instances(tenant) if hook in one.hooks)

    async def exported(
        self, tenant: str, people: Sequence[CustomerRow]
    ) -> Sequence[Mapping[str, Any]]:
        """Return what each system holds of *people*, or why it did not say; asked at once."""
        names = self.taking_part(tenant, EXPORT)
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(self._asked(name, EXPORT, people), name=f"export:{name}")
                for name in names
            ]
        return [_export(name, task.result()) for name, task in zip(names, asked, strict=True)]

    async def erase(self, marker: Erasure) -> bool:
        """Ask whoever has not answered and is due; return whether nobody is waited for."""
        found = await self._known(marker)
        if found is None or not found.waiting:
            return True
        now = self._clock.now()
        due = [one for one in found.waiting if one.next_at is None or one.next_at <= now]
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(
                    self._asked(one.instance, ERASE, found.people), name=f"erase:{one.instance}"
                )
                for one in due
            ]
        for one, task in zip(due, asked, strict=True):
            await self._keep(marker, _told(one, task.result(), found.people, now))
        found = await self._known(marker)
        return found is None or not found.waiting

    async def _keep(self, marker: Erasure, told: System) -> None:
        if told.state == "failed":
            log.error(
                "erasure_given_up",
                extra={"instance": told.instance, "customer": marker.customer},
            )
        await self._store.transact(
            marker.tenant, lambda tx: elsewhere.answered(tx, marker.customer, told, marker.by)
        )

    async def _asked(
        self, instance: str, hook: str, people: Sequence[CustomerRow]
    ) -> Sequence[Answer]:
        """Ask *instance* about each of *people*, one after the other until one fails."""
        answers: list[Answer] = []
        for person in people:
            listener = self._host.runner.listener(instance)
            if listener is None:
                # It was taken out of hub.toml: it may come back.
                return [*answers, Answer(instance, "busy")]
            arguments = {"customer": customer_record(person)}
            answers.append(await self._host.runner.ask(listener, hook, arguments))
            if answers[-1].state != "ok":
                break
        return answers

    async def _known(self, marker: Erasure) -> Elsewhere | None:
        return await self._store.read(
            lambda db: elsewhere.load(db, marker.tenant, marker.customer)
        )


def _told(
    system: System, answers: Sequence[Answer], people: Sequence[CustomerRow], now: datetime
) -> System:
    """Return what *answers* make of *system*."""
    attempts = system.attempts + 1
    failed = [one for one in answers if not isinstance(one.value, ErasedCustomer)]
    if not failed:
        said: list[ErasedCustomer] = [one.value for one in answers]
        worst = min(said, key=lambda one: _WORST.index(one.outcome))
        text = _without(worst.text, people)[:TEXT_CHARS]
        return System(
            instance=system.instance, state=worst.outcome, text=text, attempts=attempts, at=now
        )
    error = failed[0].error
    why = type(error).__name__ if error is not None else failed[0].state
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(20, system.attempts))
    return System(
        instance=system.instance,
        state="failed" if attempts >= ATTEMPTS else "waiting",
        text=why,
        attempts=attempts,
        at=now,
        next_at=now + pause,
    )


def _export(instance: str, answers: Sequence[Answer]) -> Mapping[str, Any]:
    """Return one system's part of the document."""
    failed = next((one for one in answers if one.state != "ok"), None)
    if failed is not None:
        return {"instance": instance, "state": failed.state, "records": []}
    records = [msgspec.to_builtins(one.value, str_keys=True) for one in answers if one.value]
    if len(msgspec.json.encode(records)) > EXPORT_BYTES:
        return {"instance": instance, "state": "too_large", "records": []}
    return {"instance": instance, "state": "ok", "records": records}


def _without(text: str, people: Sequence[CustomerRow]) -> str:
    """Return *text* without what names one of *people*: it stays when they are gone."""
    for person in people:
        for value in (person.subject, person.name, person.email, person.phone):
            if value:
                text = text.replace(value, "…")
    return text
