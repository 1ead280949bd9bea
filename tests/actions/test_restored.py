"""A backup made in the middle of a return, restored after the return went on."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

from deskhub.actions.service import Actions
from deskhub.clock import SystemClock
from deskhub.store.backup import back_up
from deskhub.store.restore import restore
from deskhub.store.store import Store
from tests.actions.conftest import Around, Desk, running
from tests.actions.five import LI_WEI
from tests.actions.test_recovery import interrupted_softly

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


async def test_a_run_that_was_under_way_goes_to_a_person_and_repeats_nothing(desk, tmp_path):
    run = await interrupted_softly(desk, desk.actions)
    archive, data = tmp_path / "b.tar.gz", tmp_path / "restored"
    await asyncio.to_thread(
        back_up, tmp_path / "hub.db", dict, archive, release="0.1.0", now=NOW
    )
    desk.gate.set()
    assert (await desk.ended(run))["state"] == "completed"
    effects = {name: system.count for name, system in desk.five.systems.items()}
    calls = {name: len(system.calls) for name, system in desk.five.systems.items()}

    restored = restore(archive, data / "hub.db", data, NOW)

    assert restored.runs == 1
    clock = SystemClock()
    store = await Store.open(f"sqlite:///{data / 'hub.db'}", clock)
    around = Around(store)
    actions = Actions(store, desk.five, around, clock, pauses_s=(0.01,), sweep_s=0.05)
    async with running(store, actions.worker):
        again = Desk(store, actions, around, desk.five, desk.conversation)
        view = await again.ended(run)
        async with asyncio.timeout(10):
            while (told := (await again.events("run.changed"))[-1]) is None or (
                json.loads(told.data)["run"]["state"] != "attention"
            ):
                await asyncio.sleep(0.01)

        # Nobody was called: what the systems did since the backup is not in this database.
        assert view["state"] == "attention"
        assert {n: len(s.calls) for n, s in desk.five.systems.items()} == calls
        assert {step["state"] for step in view["steps"]} == {"done", "unknown"}
        assert [one["do"] for one in view["choices"]][:2] == ["check", "retry"]

        # A person lets it look: everything turns out to be done, and nothing is done twice.
        await actions.resolve(LI_WEI, run, "check")
        assert (await again.ended(run))["state"] in ("completed", "attention")
        assert {n: s.count for n, s in desk.five.systems.items()} == effects
    await store.close()
