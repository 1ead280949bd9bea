"""From what adapters offer to the order in which it runs: pure, and the same every time."""

from __future__ import annotations

import graphlib
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deskhub.actions.errors import ActionUnavailable
from deskhub.actions.types import ActionType, Slot
from deskhub_sdk.steps import StepSpec

# dh_ + run id (34) + _ leave 26 of the 64 characters that systems allow in a key.
MAX_STEP_ID = 26
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Offer:
    """A step that a ready instance could do; *version* is the adapter's."""

    instance: str
    spec: StepSpec
    version: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """A step whose instance is enabled and not there now; *why* says it in words."""

    spec: StepSpec
    why: str


@dataclass(frozen=True, slots=True)
class Placed:
    """An offer with its id in the plan, and its wave; steps of one wave run together."""

    id: str
    wave: int
    offer: Offer

    @property
    def spec(self) -> StepSpec:
        """Return what the step declares."""
        return self.offer.spec


@dataclass(frozen=True, slots=True)
class Dropped:
    """An optional step that cannot run here, with the reason in words."""

    system: str
    why: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The steps in order of execution, and what was left out."""

    steps: tuple[Placed, ...]
    dropped: tuple[Dropped, ...]

    @property
    def waves(self) -> tuple[tuple[Placed, ...], ...]:
        """Return the steps grouped by wave, in order."""
        count = max((step.wave for step in self.steps), default=-1) + 1
        return tuple(tuple(s for s in self.steps if s.wave == n) for n in range(count))


def arrange(
    action: ActionType,
    offers: Iterable[Offer],
    bind: Mapping[str, str],
    absent: Sequence[Absent] = (),
) -> Draft:
    """Return *offers* in the order in which they may run; *absent* ones are named as missing.

    *bind* maps a slot (``refunded`` or ``order.return@1.refunded``) to the instance that
    provides it. Raises `ActionUnavailable` with the reason when a required slot has no
    provider, a ``one`` slot has two, or something irreversible would precede something
    that can fail.
    """
    known = [offer for offer in offers if action.slot(offer.spec.provides) is not None]
    chosen = _choose(action, sorted(known, key=_order), bind)
    chosen, dropped = _drop(action, chosen)
    _require(action, chosen, absent)
    needs = _direct(chosen)
    behind = _closure(needs)
    if not action.accepts_risk:
        _refuse_risk(chosen, behind)
    dropped += _away(action, chosen, absent)
    return Draft(_place(chosen, needs, behind), tuple(dropped))


def _order(offer: Offer) -> tuple[str, str, str]:
    return (offer.spec.provides, offer.instance, offer.spec.name)


def _choose(
    action: ActionType, offers: Sequence[Offer], bind: Mapping[str, str]
) -> list[Offer]:
    """Keep one provider for each ``one`` slot, the bound one where [bind] decides."""
    chosen: list[Offer] = []
    for slot in action.all_slots:
        here = [offer for offer in offers if offer.spec.provides == slot.name]
        bound = bind.get(f"{action.id}.{slot.name}", bind.get(slot.name))
        if slot.cardinality == "one" and bound is not None:
            here = [offer for offer in here if offer.instance == bound]
        if slot.cardinality == "one" and len(here) > 1:
            names = " and ".join(sorted({offer.instance for offer in here}))
            raise ActionUnavailable(
                f"Both {names} offer {slot.name!r}. Decide with [bind] {slot.name} ="
                ' "…" in hub.toml.'
            )
        chosen += here
    return chosen


def _drop(action: ActionType, chosen: list[Offer]) -> tuple[list[Offer], list[Dropped]]:
    """Take out steps whose needs nobody provides, until nothing changes."""
    dropped: list[Dropped] = []
    while True:
        have = action.inputs | {offer.spec.provides for offer in chosen}
        lacking = [offer for offer in chosen if not set(offer.spec.needs) <= have]
        if not lacking:
            return chosen, dropped
        for offer in lacking:
            missing = ", ".join(sorted(set(offer.spec.needs) - have))
            dropped.append(
                Dropped(offer.spec.system, f"It needs {missing}, which no enabled system has.")
            )
        chosen = [offer for offer in chosen if offer not in lacking]


def _require(action: ActionType, chosen: Sequence[Offer], absent: Sequence[Absent]) -> None:
    have = {offer.spec.provides for offer in chosen}
    missing = [slot for slot in action.slots if slot.required and slot.name not in have]
    if missing:
        raise ActionUnavailable(" ".join(_missing_text(slot, absent) for slot in missing))


def _missing_text(slot: Slot, absent: Sequence[Absent]) -> str:
    for one in absent:
        if one.spec.provides == slot.name:
            return f"{one.spec.system} is not there now. {one.why}".strip()
    return slot.missing or f"No enabled system provides {slot.name!r}."


def _away(
    action: ActionType, chosen: Sequence[Offer], absent: Sequence[Absent]
) -> list[Dropped]:
    """Return the absent steps that nobody stands in for."""
    have = {offer.spec.provides for offer in chosen}
    return [
        Dropped(one.spec.system, f"It is not there now. {one.why}".strip())
        for one in absent
        if (slot := action.slot(one.spec.provides)) is not None
        and (slot.cardinality == "many" or slot.name not in have)
    ]


def _direct(chosen: Sequence[Offer]) -> dict[int, set[int]]:
    """Return, for each step, the steps whose facts it needs."""
    return {
        at: {
            other
            for other, provider in enumerate(chosen)
            if provider.spec.provides in offer.spec.needs
        }
        for at, offer in enumerate(chosen)
    }


def _closure(needs: Mapping[int, set[int]]) -> dict[int, set[int]]:
    """Return, for each step, everything it depends on, also through others."""
    behind: dict[int, set[int]] = {}
    for start in needs:
        seen: set[int] = set()
        waiting = list(needs[start])
        while waiting:
            step = waiting.pop()
            if step not in seen:
                seen.add(step)
                waiting.extend(needs[step])
        behind[start] = seen
    return behind


def _refuse_risk(chosen: Sequence[Offer], behind: Mapping[int, set[int]]) -> None:
    """Refuse an irreversible step before one that can fail, and a second pivot."""
    pivots = [offer for offer in chosen if offer.spec.kind == "pivot"]
    if len(pivots) > 1:
        names = " and ".join(offer.spec.system for offer in pivots)
        raise ActionUnavailable(f"{names} both do something that cannot be undone.")
    for at, offer in enumerate(chosen):
        if offer.spec.kind == "retriable":
            continue
        early = [chosen[b] for b in sorted(behind[at]) if chosen[b].spec.kind != "compensable"]
        if early:
            raise ActionUnavailable(
                f"{early[0].spec.system} cannot be undone and would run before"
                f" {offer.spec.system}, which can still fail."
            )


def _place(
    chosen: Sequence[Offer], needs: Mapping[int, set[int]], behind: Mapping[int, set[int]]
) -> tuple[Placed, ...]:
    """Order by needs; what cannot be undone comes after everything that can still fail."""
    sorter: graphlib.TopologicalSorter[int] = graphlib.TopologicalSorter()
    for at, offer in enumerate(chosen):
        rank = _RANK[offer.spec.kind]
        earlier = {
            other
            for other, peer in enumerate(chosen)
            if _RANK[peer.spec.kind] < rank and at not in behind[other]
        }
        sorter.add(at, *needs[at], *earlier)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        names = ", ".join(sorted({chosen[at].spec.system for at in error.args[1]}))
        raise ActionUnavailable(f"{names} wait for each other.") from error
    placed: list[Placed] = []
    wave = 0
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        placed += [Placed(_step_id(chosen, at), wave, chosen[at]) for at in ready]
        sorter.done(*ready)
        wave += 1
    return tuple(placed)


_RANK = {"compensable": 0, "pivot": 1, "retriable": 2}


def _step_id(chosen: Sequence[Offer], at: int) -> str:
    """Return the slot's name, with the instance where several provide it."""
    offer = chosen[at]
    same = [other for other in chosen if other.spec.provides == offer.spec.provides]
    if len(same) == 1 and len(offer.spec.provides) <= MAX_STEP_ID:
        return offer.spec.provides
    full = f"{offer.spec.provides}-{offer.instance}"
    if sum(other.instance == offer.instance for other in same) > 1:
        full = f"{full}-{offer.spec.name}"
    if len(full) <= MAX_STEP_ID and not _UNSAFE.search(full):
        return full
    return f"{_UNSAFE.sub('', full)[:15]}-{hashlib.sha256(full.encode()).hexdigest()[:10]}"
