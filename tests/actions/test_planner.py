"""The order of steps: needs first, what cannot be undone last, no risk without a word."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskhub.actions.errors import ActionUnavailable
from deskhub.actions.kinds import ORDER_RETURN
from deskhub.actions.planner import Offer, arrange
from deskhub.actions.types import Slot
from tests.actions.five import FiveSystems, spec

FIVE = FiveSystems().offered


def waves(draft):
    return [[step.id for step in wave] for wave in draft.waves]


def offer(instance, provides, kind="compensable", needs=()):
    return Offer(instance, spec(f"{instance}-{provides}", provides, kind, "key", needs))


def test_the_return_across_five_systems_runs_in_four_waves():
    draft = arrange(ORDER_RETURN, FIVE, {})

    assert waves(draft) == [
        ["authorized"],
        ["restocked", "credited"],
        ["refunded"],
        ["noted-crm", "noted-tickets"],
    ]
    assert draft.dropped == ()


def test_the_order_of_discovery_does_not_matter():
    shuffled = list(FIVE)
    random.Random(4).shuffle(shuffled)

    assert arrange(ORDER_RETURN, shuffled, {}) == arrange(ORDER_RETURN, FIVE, {})


def test_a_missing_required_slot_is_said_in_words():
    offers = [one for one in FIVE if one.spec.provides != "refunded"]

    with pytest.raises(ActionUnavailable, match="No enabled system can refund the payment"):
        arrange(ORDER_RETURN, offers, {})


def test_an_optional_step_without_its_needs_is_dropped_with_the_reason():
    offers = [*FIVE, offer("parcels", "noted", "retriable", ("picked_up",))]

    draft = arrange(ORDER_RETURN, offers, {})

    assert [(one.system, one.why) for one in draft.dropped] == [
        ("parcels-noted", "It needs picked_up, which no enabled system has.")
    ]


def test_dropping_goes_on_until_nothing_lacks_anything():
    # Nobody provides `credited` any more once its own need is gone.
    offers = [
        offer("orders", "authorized"),
        offer("payments", "refunded", "pivot", ("authorized",)),
        offer("erp", "restocked", needs=("warehouse",)),
        offer("erp", "credited", needs=("restocked",)),
    ]

    draft = arrange(ORDER_RETURN, offers, {})

    assert waves(draft) == [["authorized"], ["refunded"]]
    assert len(draft.dropped) == 2


def test_two_providers_are_refused_until_bind_decides():
    offers = [*FIVE, offer("adyen", "refunded", "pivot", ("authorized",))]

    with pytest.raises(ActionUnavailable, match=r"Both adyen and payments.*\[bind\] refunded"):
        arrange(ORDER_RETURN, offers, {})
    draft = arrange(ORDER_RETURN, offers, {"refunded": "adyen"})

    assert [s.offer.instance for s in draft.steps if s.id == "refunded"] == ["adyen"]


def test_bind_can_name_the_action_too():
    offers = [*FIVE, offer("adyen", "refunded", "pivot", ("authorized",))]

    draft = arrange(ORDER_RETURN, offers, {"order.return@1.refunded": "payments"})

    assert [s.offer.instance for s in draft.steps if s.id == "refunded"] == ["payments"]


def test_something_undoable_after_the_money_is_refused():
    offers = [
        offer("orders", "authorized"),
        offer("payments", "refunded", "pivot", ("authorized",)),
        offer("erp", "credited", needs=("refunded",)),
    ]

    with pytest.raises(ActionUnavailable, match="payments-refunded cannot be undone"):
        arrange(ORDER_RETURN, offers, {})


def test_an_action_may_accept_that_risk():
    offers = [
        offer("orders", "authorized"),
        offer("payments", "refunded", "pivot", ("authorized",)),
        offer("erp", "credited", needs=("refunded",)),
    ]

    draft = arrange(replace(ORDER_RETURN, accepts_risk=True), offers, {})

    assert waves(draft) == [["authorized"], ["refunded"], ["credited"]]


def test_two_pivots_are_refused():
    action = replace(ORDER_RETURN, slots=(Slot("refunded"), Slot("credited")))
    offers = [offer("payments", "refunded", "pivot"), offer("points", "credited", "pivot")]

    with pytest.raises(ActionUnavailable, match="both do something that cannot be undone"):
        arrange(action, offers, {})


def test_steps_that_wait_for_each_other_are_refused():
    offers = [
        offer("orders", "authorized"),
        offer("payments", "refunded", "pivot", ("authorized",)),
        offer("erp", "restocked", needs=("credited",)),
        offer("erp", "credited", needs=("restocked",)),
    ]

    with pytest.raises(ActionUnavailable, match="wait for each other"):
        arrange(ORDER_RETURN, offers, {})


def test_an_offer_for_an_unknown_slot_is_no_part_of_the_action():
    draft = arrange(ORDER_RETURN, [*FIVE, offer("loyalty", "points")], {})

    assert "points" not in {step.spec.provides for step in draft.steps}


def test_step_ids_fit_into_a_key():
    crowd = [*FIVE, offer("a-very-long-instance-name-of-forty-chars", "noted", "retriable")]

    ids = [step.id for step in arrange(ORDER_RETURN, crowd, {}).steps]

    assert len(set(ids)) == len(ids)
    assert all(len(f"dh_r_{'0' * 32}_{one}") <= 64 for one in ids)


SLOTS = tuple(f"s{n}" for n in range(6))
FREE = replace(
    ORDER_RETURN, inputs=frozenset(), slots=tuple(Slot(s, cardinality="many") for s in SLOTS)
)
offers_of_any_kind = st.lists(
    st.builds(
        lambda n, slot, kind, needs: offer(f"i{n}", slot, kind, tuple(sorted(needs - {slot}))),
        st.integers(0, 9),
        st.sampled_from(SLOTS),
        st.sampled_from(["compensable", "compensable", "pivot", "retriable"]),
        st.sets(st.sampled_from(SLOTS), max_size=2),
    ),
    max_size=9,
    unique_by=lambda one: (one.instance, one.spec.provides),
)


@given(offers_of_any_kind)
def test_any_plan_that_is_made_keeps_the_rules(offers):
    try:
        draft = arrange(FREE, offers, {})
    except ActionUnavailable:
        return
    wave_of = {step.id: step.wave for step in draft.steps}
    assert len(wave_of) == len(draft.steps)
    assert len(draft.steps) + len(draft.dropped) == len(offers)
    have = {step.spec.provides for step in draft.steps}
    for step in draft.steps:
        assert set(step.spec.needs) <= have
        for provider in draft.steps:
            if provider.spec.provides in step.spec.needs:
                assert provider.wave < step.wave
    irreversible = [s.wave for s in draft.steps if s.spec.kind != "compensable"]
    can_fail = [s.wave for s in draft.steps if s.spec.kind != "retriable"]
    if irreversible and can_fail:
        assert max(can_fail) <= min(irreversible)
    assert sum(step.spec.kind == "pivot" for step in draft.steps) <= 1


@given(offers_of_any_kind, st.randoms(use_true_random=False))
def test_any_order_of_offers_gives_the_same_plan(offers, rng):
    def outcome(some):
        try:
            return arrange(FREE, some, {}).steps
        except ActionUnavailable as error:
            return str(error)

    shuffled = list(offers)
    rng.shuffle(shuffled)

    assert outcome(shuffled) == outcome(offers)
