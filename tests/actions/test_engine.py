"""One run, one fault at a time: what the engine does and what it writes."""

from __future__ import annotations

import pytest

from tests.actions.five import (
    CrashingStore,
    FiveSystems,
    HandClock,
    drive,
    loaded,
    start,
)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def store(clock):
    store = CrashingStore(clock)
    yield store
    store.close()


def states(run):
    return {step.id: step.state for step in run.steps}


async def test_a_return_without_faults_has_every_effect_once(store, clock):
    five = FiveSystems()
    await start(store, clock, five)

    run = await drive(store, five, clock)

    assert run.state == "completed"
    assert {name: system.count for name, system in five.systems.items()} == dict.fromkeys(
        five.systems, 1
    )
    assert set(states(run).values()) == {"done"}
    assert not run.active


async def test_steps_get_the_facts_of_those_before_them(store, clock):
    five = FiveSystems()
    await start(store, clock, five)

    await drive(store, five, clock)

    assert five.facts_seen["Authorize"] == {}
    assert five.facts_seen["Refund"]["authorized"] == {"ref": "dh_r_1_authorized"}


async def test_a_repetition_gets_the_same_facts_whatever_its_neighbours_did(store, clock):
    five = FiveSystems()
    five.systems["OpenCase"].faults = ["timeout_after"]
    await start(store, clock, five)
    seen = []

    async def note(step, call):
        if step.spec.name == "OpenCase":
            seen.append(dict(call.facts))

    five.during = note
    await drive(store, five, clock)

    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert set(seen[0]) == {"authorized", "restocked", "credited", "refunded"}


async def test_a_refusal_before_the_money_undoes_what_was_done(store, clock):
    five = FiveSystems()
    five.systems["Refund"].faults = ["refused"]
    await start(store, clock, five)

    run = await drive(store, five, clock)

    assert run.state == "compensated"
    assert sum(system.net for system in five.systems.values()) == 0
    assert states(run) == {
        "authorized": "undone", "restocked": "undone", "credited": "undone",
        "refunded": "rejected", "noted-crm": "planned", "noted-tickets": "planned",
    }  # fmt: skip
    assert run.cause == "Refund: no"


async def test_a_failure_after_the_money_is_tried_again_and_then_left_to_a_person(store, clock):
    five = FiveSystems()
    five.systems["OpenCase"].faults = ["not_sent"] * 9
    await start(store, clock, five)

    run = await drive(store, five, clock)

    assert run.state == "attention"
    assert run.active
    assert five.systems["Refund"].net == 1
    assert five.systems["OpenCase"].calls == ["run", "run", "run"]


async def test_an_unknown_outcome_with_a_key_is_repeated_with_the_same_key(store, clock):
    five = FiveSystems()
    five.systems["Refund"].faults = ["timeout_after"]
    await start(store, clock, five)

    run = await drive(store, five, clock)

    assert run.state == "completed"
    assert dict(five.systems["Refund"].effects) == {"dh_r_1_refunded": 1}


async def test_an_unknown_outcome_with_lookup_is_asked_first(store, clock):
    five = FiveSystems()
    five.systems["ExpectReceipt"].faults = ["timeout_after"]
    await start(store, clock, five)

    run = await drive(store, five, clock)

    assert run.state == "completed"
    assert five.systems["ExpectReceipt"].calls == ["run", "lookup"]


async def test_a_lookup_that_finds_nothing_lets_the_step_run_again(store, clock):
    five = FiveSystems()
    five.systems["ExpectReceipt"].faults = ["timeout_before"]
    await start(store, clock, five)

    run = await drive(store, five, clock)

    assert run.state == "completed"
    assert five.systems["ExpectReceipt"].calls == ["run", "lookup", "run"]


async def test_an_unknown_outcome_nobody_can_settle_waits_for_a_person(store, clock):
    five = FiveSystems(dedupe=("key", "lookup", "key", "none", "lookup", "key"))
    five.systems["Refund"].faults = ["timeout_after"]
    await start(store, clock, five)

    run = await drive(store, five, clock)

    assert run.state == "attention"
    assert five.systems["Refund"].calls == ["run"]
    assert states(run)["refunded"] == "unknown"


async def test_a_doubt_is_not_settled_by_a_call_that_never_left(store, clock):
    five = FiveSystems()
    five.systems["Refund"].faults = ["timeout_after", "not_sent", "not_sent"]
    await start(store, clock, five)

    run = await drive(store, five, clock)

    assert run.state == "attention"
    assert states(run)["refunded"] == "unknown"


async def test_a_failed_undo_is_left_to_a_person(store, clock):
    five = FiveSystems()
    five.systems["Refund"].faults = ["refused"]
    five.systems["ExpectReceipt"].undo_faults = ["refused"]
    await start(store, clock, five)

    run = await drive(store, five, clock)

    assert run.state == "attention"
    assert states(run)["restocked"] == "undo_failed"


async def test_an_undo_whose_answer_was_lost_is_repeated(store, clock):
    five = FiveSystems()
    five.systems["Refund"].faults = ["refused"]
    five.systems["Authorize"].undo_faults = ["timeout_after"]
    await start(store, clock, five)

    run = await drive(store, five, clock)

    assert run.state == "compensated"
    assert sum(system.net for system in five.systems.values()) == 0


async def test_a_worker_that_lost_its_lease_writes_nothing_more(store, clock):
    five = FiveSystems()
    await start(store, clock, five)

    async def taken_over(step, call):
        if step.spec.name == "Authorize":
            clock.pass_by(31)
            from tests.actions.five import engine_on

            desk, _ = engine_on(store, five, clock, owner="w2")
            assert await desk.claim("main", "r_1") is not None
            five.during = None

    five.during = taken_over
    ended = await drive(store, five, clock)

    run = await loaded(store)
    assert ended is None
    assert run.owner == "w2"
    assert states(run)["authorized"] == "intent"
    assert run.steps[0].attempts == ()


async def test_a_worker_that_slept_through_its_lease_does_not_call(store, clock):
    five = FiveSystems()
    await start(store, clock, five)
    real = store.transact

    async def slow(tenant, work):
        result = await real(tenant, work)
        clock.pass_by(40)
        return result

    store.transact = slow

    ended = await drive(store, five, clock)

    assert ended is None
    assert five.systems["Authorize"].calls == []


async def test_progress_reaches_agents_and_the_customer_in_the_same_commit(store, clock):
    five = FiveSystems()
    await start(store, clock, five)

    await drive(store, five, clock)

    kinds = {event[0] for event in store.events}
    assert kinds == {"run.changed"}
    last = store.events[-1][4]
    assert last["run"]["state"] == "completed"
    assert last["facts"]["refunded"] == {"ref": "dh_r_1_refunded"}
    cards = [command.card for _, command, _ in store.said]
    assert b"Your return is booked and refunded" in cards[-1]
    assert not any(b"erp" in card or b"ExpectReceipt" in card for card in cards)
