"""From an instance's answer to its panel: cards checked, failures in words."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deskhub.host.asking import Answer
from deskhub.host.cards import sent_card
from deskhub.host.errors import Crashed, InstanceBusy, NotRunning, TooLate
from deskhub.host.running import Running
from deskhub.log import without_secrets
from deskhub.panels.model import Panel, Shown, State, Trouble
from deskhub_sdk import AdapterError, AuthRequired, Malformed, Throttled, Unavailable
from deskhub_sdk.cards import Card, CardError, NoticeBlock, encode_card

CARDS_MAX = 20

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """The last good cards of an instance for a conversation, and when they were given."""

    cards: tuple[Shown, ...]
    at: datetime


def panel_of(running: Running, answer: Answer, kept: Kept | None, now: datetime) -> Panel:
    """Return the panel for *answer*; failing that, *kept* is shown with its age."""
    if answer.state == "ok":
        cards, trouble = checked_cards(running, answer.value)
        return _panel(
            running, answer, "ok" if cards else "empty", now, cards=cards, error=trouble
        )
    state, trouble = what_failed(running, answer.error)
    if kept is None or not kept.cards:
        return _panel(running, answer, state, now, error=trouble)
    shown: State = "auth" if state == "auth" else "stale"
    return _panel(running, answer, shown, kept.at, cards=kept.cards, error=trouble)


def checked_cards(running: Running, value: object) -> tuple[tuple[Shown, ...], Trouble | None]:
    """Return the cards of an answer; one that breaks the format becomes its fallback line."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        value = () if value is None else (value,)
    shown: list[Shown] = []
    trouble = None
    for place, card in enumerate(value[:CARDS_MAX]):
        try:
            shown.append(_checked(card))
        except CardError as error:
            # For the adapter's author; the path tells where, and values are never repeated.
            log.error(
                "card_invalid",
                extra={"instance": running.id, "place": place, "why": str(error)},
            )
            shown.append(_fallback(running, card, place))
            trouble = Trouble(
                "card_invalid",
                f"{running.name} sent a card that cannot be shown.",
                f"The log names the place for the author of {running.use}.",
            )
    return tuple(shown), trouble


def what_failed(running: Running, error: BaseException | None) -> tuple[State, Trouble]:
    """Return the state and the words for *error*."""
    if isinstance(error, NotRunning):
        return _not_running(running, error)
    for kind, state, code, text, fix in _WORDS:
        if isinstance(error, kind):
            shown = code or getattr(error, "code", "adapter_failed")
            return state, Trouble(shown, _fill(text, running), _fill(fix, running))
    return "failed", Trouble(
        "adapter_crashed",
        f"The adapter for {running.name} made a mistake.",
        f"It was logged for the author of {running.use}; everything else goes on.",
    )


# The first kind that fits counts. An empty code is the error's own.
_WORDS: tuple[tuple[type[BaseException], State, str, str, str], ...] = (
    (
        AuthRequired, "auth", "auth_required",
        "{name} no longer accepts the hub's sign-in.",
        "An admin can sign in again under Adapters → {id}.",
    ),
    (
        InstanceBusy, "busy", "busy",
        "{name} gets no more questions for a moment.",
        "It is asked again by itself; try in a minute.",
    ),
    (
        TooLate, "late", "late",
        "{name} has not answered yet.",
        "The answer is shown when it comes.",
    ),
    (
        Throttled, "failed", "throttled",
        "{name} asks for a pause.",
        "Try again in a minute.",
    ),
    (
        Unavailable, "failed", "unavailable",
        "{name} cannot be reached.",
        "It is asked again with the next look. An admin can see more under Adapters → {id}.",
    ),
    (
        Malformed, "failed", "malformed_answer",
        "{name} answered something unexpected.",
        "The author of the adapter {use} has to look at the log.",
    ),
    (
        Crashed, "failed", "adapter_crashed",
        "The adapter for {name} made a mistake.",
        "It was logged for the author of {use}; everything else goes on.",
    ),
    (
        AdapterError, "failed", "",
        "{name} could not answer.",
        "An admin can see more under Adapters → {id}.",
    ),
)  # fmt: skip


def _not_running(running: Running, error: NotRunning) -> tuple[State, Trouble]:
    """Return the words for an instance that is not there to be asked."""
    if error.state == "auth_required":
        return what_failed(running, AuthRequired())
    if error.state == "config_invalid":
        return "failed", Trouble(
            "config_invalid",
            f"{running.name} is not set up correctly.",
            f"An admin must correct [adapters.{running.id}.config] in hub.toml.",
        )
    return "failed", Trouble(
        "not_running",
        f"{running.name} is not running yet.",
        f"It starts by itself. An admin can see more under Adapters → {running.id}.",
    )


def _fill(text: str, running: Running) -> str:
    return text.format(name=running.name, id=running.id, use=running.use)


def _checked(card: object) -> Shown:
    if not isinstance(card, Card):
        raise CardError(f"expected a Card, got {type(card).__name__} - at $")
    try:
        encoded = sent_card(card)
    except CardError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        # Something in it is no JSON at all, or no Unicode.
        raise CardError(f"{type(error).__name__} - at $") from error
    return Shown(encoded, card.audience, card.summary)


def _fallback(running: Running, card: object, place: int) -> Shown:
    """Return a card with the author's fallback line, for agents only."""
    line = getattr(card, "fallback", "")
    text = without_secrets(line) if isinstance(line, str) and 0 < len(line) <= 500 else ""
    safe = Card(
        id=f"invalid:{place}",
        title=running.name[:100],
        blocks=(NoticeBlock(text=text or "This card cannot be shown.", tone="warning"),),
    )
    return Shown(encode_card(safe), "agent")


def _panel(
    running: Running,
    answer: Answer,
    state: State,
    at: datetime,
    *,
    cards: tuple[Shown, ...] = (),
    error: Trouble | None = None,
) -> Panel:
    return Panel(
        instance=running.id,
        adapter=running.use,
        title=running.name,
        state=state,
        at=at,
        ms=answer.ms,
        lookups=answer.meter.loads,
        calls=answer.meter.calls,
        saved=answer.meter.saved,
        cards=cards,
        error=error,
    )
