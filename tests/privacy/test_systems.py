"""Customers' rights in business systems: each is asked until it answered, and that is recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest

from deskhub.clock import SystemClock
from deskhub.identity.model import Principal
from deskhub.privacy import Eraser, Systems, exported
from deskhub.privacy.systems import ATTEMPTS, ERASE, LONGEST_PAUSE
from deskhub.store import elsewhere, sabotage
from deskhub.store.tables.actions import audit
from deskhub_sdk import Customer, ErasedCustomer, Meta, Permissions, Unavailable, hookimpl
from tests.host.small_hub import Plain, SmallHub, small_hub

pytestmark = pytest.mark.timeout(120)
ADMIN = Principal("main", "agent", "a_9", "Ada", role="admin", session="s-9")
NAME, SUBJECT, EMAIL = "Wang canary7f3a1c", "C-canary7f3a1c", "canary7f3a1c@example.com"


class Knows(Plain):
    """A system that knows customers, and is there or not."""

    meta = Meta(
        id="knows", name="Knows", sdk=">=1.0,<2",
        permissions=Permissions(reads=("customer.email",)),
    )  # fmt: skip
    is_down: ClassVar[bool] = False
    asked: ClassVar[list[Customer]] = []

    @hookimpl
    async def erase_customer(self, customer: Customer) -> ErasedCustomer:
        self.asked.append(customer)
        if self.is_down:
            raise Unavailable("nobody there")
        return ErasedCustomer("erased", f"{customer.name} was removed.")

    @hookimpl
    async def export_customer(self, customer: Customer) -> Mapping[str, Any]:
        if self.is_down:
            raise Unavailable("nobody there")
        return {"number": customer.subject, "notes": ["likes tea"]}


class Keeps(Plain):
    """A system that a law forbids to forget."""

    @hookimpl
    async def erase_customer(self, customer: Customer) -> ErasedCustomer:
        assert customer.email is None, "it may not read that"
        return ErasedCustomer("kept", "Invoices are kept for ten years.")


class NoFiles:
    async def erase(self, tenant: str, conversations: Sequence[str], by: Any = ()) -> int:
        return 0


class Later(SystemClock):
    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Knows, "is_down", False)
    monkeypatch.setattr(Knows, "asked", [])


@asynccontextmanager
async def desk(
    folder: Path, clock: Later | None = None
) -> AsyncIterator[tuple[SmallHub, Eraser]]:
    """Yield a hub with both systems, and its eraser; a new one each time, as after a start."""
    async with small_hub(folder, {"knows": Knows, "keeps": Keeps}, run=("host",)) as hub:
        systems = Systems(hub.host, hub.store, clock or Later())
        yield hub, Eraser(hub.store, NoFiles(), lambda *_: None, systems)  # type: ignore[arg-type]


async def erase(hub: SmallHub, eraser: Eraser) -> dict[str, Any]:
    await hub.add_customer("cu_1", SUBJECT, name=NAME, email=EMAIL)
    return await eraser.erase(ADMIN, "cu_1", NAME)


def states(told: dict[str, Any] | None) -> dict[str, str]:
    assert told is not None
    return {one["instance"]: one["state"] for one in told["systems"]}


async def remembered(hub: SmallHub) -> bytes:
    found = await hub.store.read(
        lambda db: elsewhere.kv.get(db, "main", elsewhere.PLACE, "cu_1")
    )
    return found or b""


async def test_every_system_is_asked_and_its_answer_is_kept(tmp_path: Path) -> None:
    async with desk(tmp_path) as (hub, eraser):
        told = await erase(hub, eraser)
        kept = await remembered(hub)
        trail = [row for row in await hub.rows(audit) if row["what"].endswith("_elsewhere")]

    assert (told["state"], states(told)) == ("done", {"keeps": "kept", "knows": "erased"})
    assert told["systems"][0]["text"] == "Invoices are kept for ten years."
    assert told["systems"][1]["text"] == "\u2026 was removed."
    assert [(one.subject, one.email) for one in Knows.asked] == [(SUBJECT, EMAIL)]
    assert b"canary" not in kept
    assert {row["data"]["instance"] for row in trail} == {"keeps", "knows"}


async def survives_a_start(folder: Path) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Erase while a system is away, start anew when it is back; return both states."""
    Knows.is_down = True
    async with desk(folder) as (hub, eraser):
        first = await erase(hub, eraser)
        assert not await hub.store.read(_names)
    Knows.is_down = False
    clock = Later()
    clock.ahead = LONGEST_PAUSE
    async with desk(folder, clock) as (hub, eraser):
        await eraser.resume()
        last = await eraser.state("main", "cu_1")
        assert last is not None
        return first, last, len(await remembered(hub))


def _names(db: Any) -> list[Any]:
    """Return what the hub's own record of the customer still says."""
    from deskhub.store.people import records

    return [row for row in records(db, "main", ["cu_1"]) if row.name or row.subject]


async def test_a_system_that_is_away_is_asked_again_after_a_start(tmp_path: Path) -> None:
    first, last, _ = await survives_a_start(tmp_path)

    assert (first["state"], states(first)) == ("running", {"keeps": "kept", "knows": "waiting"})
    assert (last["state"], states(last)) == ("done", {"keeps": "kept", "knows": "erased"})
    assert len(Knows.asked) == 2


async def test_the_twin_that_forgets_systems_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sabotage, "_ACTIVE", frozenset({"erase_forgets_systems"}))

    first, last, _ = await survives_a_start(tmp_path)

    assert (first["state"], last["state"]) == ("done", "done")
    assert states(last)["knows"] == "waiting"


async def test_nobody_is_asked_before_the_pause_is_over(tmp_path: Path) -> None:
    Knows.is_down = True
    async with desk(tmp_path) as (hub, eraser):
        await erase(hub, eraser)
        await eraser.resume()

    assert len(Knows.asked) == 1


async def test_after_ten_days_it_is_given_up_and_said_so(tmp_path: Path) -> None:
    Knows.is_down = True
    clock = Later()
    async with desk(tmp_path, clock) as (hub, eraser):
        told: dict[str, Any] | None = await erase(hub, eraser)
        for _ in range(ATTEMPTS):
            clock.ahead += LONGEST_PAUSE
            # The breaker is another test's; here every question arrives.
            hub.host.instance("knows").guard.breaker.phase = "closed"
            await eraser.resume()
        told = await eraser.state("main", "cu_1")
        kept = await remembered(hub)

    assert states(told)["knows"] == "failed"
    assert told is not None
    assert told["state"] == "done"
    assert b"canary" not in kept


async def test_an_export_holds_what_each_system_gave_and_who_did_not(tmp_path: Path) -> None:
    async with desk(tmp_path) as (hub, _):
        await hub.add_customer("cu_1", SUBJECT, name=NAME, email=EMAIL)
        systems = Systems(hub.host, hub.store, Later())
        whole = [p async for p in await exported(hub.store, ADMIN, "cu_1", systems)]
        Knows.is_down = True
        part = [p async for p in await exported(hub.store, ADMIN, "cu_1", systems)]
        alone = [p async for p in await exported(hub.store, ADMIN, "cu_1")]

    assert orjson.loads(b"".join(whole))["systems"] == [
        {"instance": "knows", "state": "ok",
         "records": [{"number": SUBJECT, "notes": ["likes tea"]}]}
    ]  # fmt: skip
    assert orjson.loads(b"".join(part))["systems"] == [
        {"instance": "knows", "state": "failed", "records": []}
    ]
    assert orjson.loads(b"".join(alone))["systems"] is None


async def test_a_hub_without_such_systems_waits_for_none(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, run=("host",)) as hub:
        systems = Systems(hub.host, hub.store, Later())
        eraser = Eraser(hub.store, NoFiles(), lambda *_: None, systems)  # type: ignore[arg-type]
        told = await erase(hub, eraser)

    assert (told["state"], told["systems"]) == ("done", [])
    assert systems.taking_part("main", ERASE) == []
