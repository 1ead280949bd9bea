"""Asks systems what is true now of the objects that thin signals are about, many at a time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import msgspec

from deskhub.host.host import Host
from deskhub.store.signals import SignalRow
from deskhub_sdk import Malformed, Signal

# So many objects in one question: what business systems read at once without a second page.
BATCH = 50

log = logging.getLogger(__name__)

# What is true now by the row's key; None where the system knows the object no more, and the
# error of the question where nobody could say.
Found = Mapping[tuple[str, str], Signal | Exception | None]


async def signals_of(host: Host, due: Sequence[SignalRow]) -> Found:
    """Return the signal of each of *due*: its own, or for a thin one what is true now.

    Signals of one instance about different objects are asked for together; several about one
    object are one question and one answer.
    """
    found: dict[tuple[str, str], Signal | Exception | None] = {}
    thin: dict[str, dict[str, list[tuple[SignalRow, Signal]]]] = {}
    for row in due:
        try:
            signal = msgspec.json.decode(row.body, type=Signal)
        except msgspec.DecodeError as error:
            found[key_of(row)] = error
            continue
        if signal.thin:
            by_object = thin.setdefault(row.instance, {})
            by_object.setdefault(signal.object, []).append((row, signal))
        else:
            found[key_of(row)] = signal
    for instance, by_object in thin.items():
        objects = list(by_object)
        for start in range(0, len(objects), BATCH):
            some = objects[start : start + BATCH]
            asked = [by_object[one][0][1] for one in some]
            now = await _ask(host, instance, asked)
            for one in some:
                for row, _ in by_object[one]:
                    found[key_of(row)] = now if isinstance(now, Exception) else now.get(one)
    return found


def key_of(row: SignalRow) -> tuple[str, str]:
    """Return what names *row* within a process: its instance and its sender's id."""
    return row.instance, row.dedupe


async def _ask(
    host: Host, instance: str, signals: Sequence[Signal]
) -> Mapping[str, Signal] | Exception:
    """Return what is true now by object, or why nobody can say."""
    try:
        answer = await host.direct(instance, "refetch_signals", signals=signals)
        asked = {one.object for one in signals}
        if not isinstance(answer, Sequence) or not all(
            isinstance(one, Signal) and one.object in asked for one in answer
        ):
            raise Malformed(f"{instance}: what it answered are no signals of what was asked")
    except Exception as error:  # noqa: BLE001  an adapter may raise anything; each signal is tried again
        log.warning(
            "signals_not_refetched",
            extra={"instance": instance, "count": len(signals), "why": type(error).__name__},
        )
        return error
    return {one.object: one for one in answer}
