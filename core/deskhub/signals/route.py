"""One signal's way: whom it concerns, what shows it, and one transaction for all of them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from deskhub.chat.commands import ShowCard
from deskhub.host.cards import sent_card
from deskhub.host.host import Host
from deskhub.identity.model import system
from deskhub.store import signals as rows
from deskhub.store.signals import KeptCard, SignalRow
from deskhub.store.store import Store
from deskhub.store.tx import Tx
from deskhub_sdk import Signal, Target, Unavailable
from deskhub_sdk.cards import Card, CardError

PART = "signals"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Display:
    """The card of a signal as it is stored, and the instance that made it."""

    card: bytes
    audience: Literal["agent", "customer", "both"]
    source: str


class Router:
    """Takes stored signals to where they are read."""

    def __init__(self, host: Host, store: Store) -> None:
        """Ask the adapters of *host*, write to *store*."""
        self._host = host
        self._store = store

    async def route(self, row: SignalRow, fresh: Signal | None) -> None:
        """Apply *row* once: to every open conversation of the customers it concerns.

        *fresh* is what the system said when it was asked again; None says that it knows the
        object no more. Raises when it must be tried again. A stale version is noted and
        changes nothing.
        """
        if fresh is None:
            await self._store.transact(row.tenant, lambda tx: rows.settle(
                tx.connection, row, "stale", "its system knows it no more"))  # fmt: skip
            return
        # Adapters made for an earlier contract are asked in its words.
        signal = msgspec.structs.replace(fresh, rank=0, thin=False)
        targets = await self._targets(row.tenant, signal)
        display = await self._display(row, signal)
        state, count = await self._store.transact(
            row.tenant, lambda tx: _apply(tx, row, fresh, targets, display)
        )
        log.info(
            "signal_routed",
            extra={
                "tenant": row.tenant, "instance": row.instance, "signal": signal.kind,
                "outcome": state, "conversations": count,
            },
        )  # fmt: skip

    async def _targets(self, tenant: str, signal: Signal) -> Sequence[Target]:
        """Return whom the adapters name, else the customer the signal names."""
        answers = await self._host.gather("find_conversations", tenant, signal=signal).all()
        found = [
            target
            for answer in answers
            if answer.state == "ok"
            for target in answer.value or ()
        ]
        if found:
            return found
        if signal.subject is not None:
            return [Target(subject=signal.subject)]
        if any(answer.state != "ok" for answer in answers):
            # Whoever knows whom this concerns could not say: nobody else does.
            raise Unavailable("no adapter could say whom the signal concerns")
        return []

    async def _display(self, row: SignalRow, signal: Signal) -> Display | None:
        answer = await self._host.first("signal_card", row.tenant, signal=signal)
        if answer is None or not isinstance(answer.value, Card):
            return None
        try:
            encoded = sent_card(answer.value)
        except CardError as error:
            log.error("card_invalid", extra={"instance": answer.instance, "why": str(error)})
            return None
        return Display(encoded, answer.value.audience, answer.instance)


def _apply(
    tx: Tx,
    row: SignalRow,
    signal: Signal,
    targets: Sequence[Target],
    display: Display | None,
) -> tuple[str, int]:
    """Write everything that *signal* changes; return its end state and how many saw it."""
    db = tx.connection
    if not rows.is_pending(db, row):
        return "done", 0
    at = (signal.version, signal.rank)
    if not rows.newer(db, tx.tenant, row.instance, signal.object, at):
        rows.settle(db, row, "stale", "a newer version is known")
        return "stale", 0
    shown: dict[str, None] = {}
    if display is not None:
        subjects = {target.subject for target in targets if target.subject is not None}
        for subject, own in rows.open_conversations(db, tx.tenant, subjects).items():
            shown |= dict.fromkeys(own)
            if own:
                # An older card that still waits must not come after this one.
                rows.drop_kept(db, tx.tenant, subject, row.instance, signal.object)
            else:
                rows.keep(db, _kept(tx, row, signal, display, subject))
        for target in targets:
            if target.conversation is not None and _is_open(tx, target.conversation):
                shown[target.conversation] = None
        for conversation in shown:
            show(
                tx,
                display,
                conversation,
                signal=(signal.kind, signal.object, signal.version),
                cid=event_id(row.instance, row.dedupe, conversation),
            )
    rows.settle(db, row, "done", "" if display is not None else "no adapter had a card for it")
    return "done", len(shown)


def show(
    tx: Tx,
    display: Display,
    conversation: str,
    *,
    signal: tuple[str, str, int],
    cid: str,
) -> None:
    """Show *display* in *conversation*; *signal* is (kind, object, version)."""
    note = dict(zip(("kind", "object", "version"), signal, strict=True))
    command = ShowCard(conversation, display.card, display.audience, display.source, note)
    tx.chat(system(tx.tenant, PART), command, cid)


def event_id(*parts: str) -> str:
    """Return a command id made of *parts* alone, so that a repetition has the same."""
    return "sig-" + hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:48]


def _is_open(tx: Tx, conversation: str) -> bool:
    state = tx.conversation(conversation)
    return state is not None and state.state != "closed"


def _kept(tx: Tx, row: SignalRow, signal: Signal, display: Display, subject: str) -> KeptCard:
    return KeptCard(
        tenant=tx.tenant,
        subject=subject,
        instance=row.instance,
        object=signal.object,
        version=signal.version,
        kind=signal.kind,
        card=display.card,
        audience=display.audience,
        source=display.source,
        at=tx.now,
    )
