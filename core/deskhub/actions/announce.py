"""A run's progress, told inside the transaction that made it: an event and a card."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace

from deskhub.actions.calls import facts_of, plain
from deskhub.actions.customer_card import customer_card
from deskhub.actions.ports import Tx
from deskhub.actions.types import ActionType
from deskhub.actions.views import run_view
from deskhub.chat.commands import ChatCommand, ShowCard
from deskhub.errors import HubError
from deskhub.identity.model import Principal, system
from deskhub.store.runs import ENDED, RunRow

log = logging.getLogger(__name__)

SOURCE = "actions"


def announce(tx: Tx, kind: ActionType, run: RunRow) -> str:
    """Tell agents and, where it changes something for them, the customer.

    Returns the digest of what the customer sees now, for the next call to compare. A final
    event also carries ``facts``, what each slot was filled with.
    """
    data = {"run": run_view(kind, run)}
    if run.state in ENDED:
        data["facts"] = plain(facts_of(run))
    tx.append(
        "run.changed",
        conversation=run.conversation,
        audience="agents",
        by=f"system:{SOURCE}",
        data=data,
    )
    if kind.card is None:
        return run.card_digest
    digest = hashlib.sha256(customer_card(kind.card, replace(run, rev=0))).hexdigest()
    if digest != run.card_digest:
        card = ShowCard(run.conversation, customer_card(kind.card, run), "customer", SOURCE)
        _say(tx, run, system(tx.tenant, SOURCE), card, f"{run.id}-card-{run.rev}")
    return digest


def _say(tx: Tx, run: RunRow, who: Principal, command: ChatCommand, cid: str) -> None:
    """Do a chat command; a chat that refuses must not undo what the systems have done."""
    try:
        tx.chat(who, command, cid)
    except HubError as error:
        log.warning("run_not_told", extra={"run": run.id, "code": error.code, "cid": cid})
