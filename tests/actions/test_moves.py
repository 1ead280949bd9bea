"""What comes next, what is said about it, and how a failed call is read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from deskhub.actions.customer_card import customer_card
from deskhub.actions.kinds import ORDER_RETURN
from deskhub.actions.moves import Finish, Go, TurnBack, Undo, next_move
from deskhub.actions.outcome import classify
from deskhub.actions.registry import Registry
from deskhub.actions.words import money_text, run_sentence, truths
from deskhub.errors import NotFound
from deskhub_sdk.cards import decode_card
from deskhub_sdk.errors import (
    AuthRequired,
    Conflict,
    Malformed,
    NeedsPerson,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unavailable,
)
from deskhub_sdk.records import Money
from tests.actions.five import FiveSystems, HandClock, planned_run


def run_in(*states, state="running", direction="forward", language="en"):
    run = planned_run(HandClock(), FiveSystems())
    states = [*states, *["planned"] * (6 - len(states))]
    steps = tuple(
        replace(step, state=now, fact={"label": "LBL-7"} if now == "done" else None)
        for step, now in zip(run.steps, states, strict=True)
    )
    return replace(run, steps=steps, state=state, direction=direction, language=language)


def names(move):
    match move:
        case Go(steps):
            return ("go", *[step.id for step in steps])
        case TurnBack(cause):
            return ("back", cause.id)
        case Undo(step):
            return ("undo", step.id)
        case Finish(state):
            return (state,)


@pytest.mark.parametrize(
    ("states", "move"),
    [
        ((), ("go", "authorized")),
        (("done",), ("go", "restocked", "credited")),
        (("done", "intent"), ("go", "restocked", "credited")),
        (("done", "rejected", "intent"), ("go", "credited")),
        (("done", "rejected", "done"), ("back", "restocked")),
        (("done", "rejected", "unknown"), ("attention",)),
        (("done", "done", "done"), ("go", "refunded")),
        (("done", "done", "done", "rejected"), ("back", "refunded")),
        (("done", "done", "done", "unknown"), ("attention",)),
        (("done", "done", "done", "done", "rejected", "done"), ("attention",)),
        (("done",) * 6, ("completed",)),
    ],
)
def test_forward_the_next_wave_follows_and_questions_come_first(states, move):
    assert names(next_move(run_in(*states))) == move


@pytest.mark.parametrize(
    ("states", "move"),
    [
        (("done", "done", "done", "rejected"), ("undo", "credited")),
        (("done", "undo_intent", "undone", "rejected"), ("undo", "restocked")),
        (("done", "undo_failed", "undone", "rejected"), ("attention",)),
        (("undone", "undone", "undone", "rejected"), ("compensated",)),
        (("undone", "undone", "undone", "unknown"), ("attention",)),
    ],
)
def test_back_the_last_done_is_undone_first(states, move):
    assert names(next_move(run_in(*states, direction="back"))) == move


@pytest.mark.parametrize(
    ("error", "effect"),
    [
        (NotSent(), "none"),
        (Throttled(retry_after_s=3), "none"),
        (Rejected(), "none"),
        (Conflict(), "none"),
        (AuthRequired(), "none"),
        (NeedsPerson(), "none"),
        (OutcomeUnknown(), "unknown"),
        (Unavailable(), "unknown"),
        (Malformed(), "unknown"),
        (TimeoutError(), "unknown"),
        (RuntimeError("Authorization: Bearer s3cret"), "unknown"),
    ],
)
def test_only_answers_of_the_contract_say_that_nothing_happened(error, effect):
    assert classify(error).effect == effect


def test_a_foreign_exception_is_not_quoted():
    assert "s3cret" not in classify(RuntimeError("Authorization: Bearer s3cret")).text


@pytest.mark.parametrize(
    ("states", "state", "sentence"),
    [
        ((), "running", "The customer has not been refunded yet. The return is being set up."),
        (
            ("done", "done", "done", "intent"), "running",
            "The customer is being refunded ¥399.00.",
        ),
        (
            ("done", "done", "done", "done", "done", "intent"), "running",
            "The customer has been refunded ¥399.00. 1 step is left.",
        ),
        (("done",) * 6, "completed", "The customer has been refunded ¥399.00."),
        (
            ("undone", "undone", "undone", "rejected"), "compensated",
            ("The customer has not been refunded. Everything that was set up has been taken"
            " back."),
        ),
        (
            ("done", "done", "done", "unknown"), "attention",
            "It is not known whether the customer has been refunded ¥399.00.",
        ),
        (
            ("done", "unknown", "done"), "attention",
            ("The customer has not been refunded. ExpectReceipt: it is not known whether this"
            " was done: ExpectReceipt."),
        ),
    ],
)  # fmt: skip
def test_the_first_sentence_says_what_the_customer_has(states, state, sentence):
    assert run_sentence(ORDER_RETURN, run_in(*states, state=state)) == sentence


def test_truths_say_what_is_what_is_not_and_what_is_unknown():
    assert truths(run_in("done", "undone", "unknown")) == {
        "done": ["Authorize is done."],
        "not_done": [
            "ExpectReceipt is not done.", "Refund is not done.", "NoteActivity is not done.",
            "OpenCase is not done.",
        ],
        "unknown": [
            "DraftCreditNote: it is not known whether this was done: DraftCreditNote."
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money("399.00", "CNY"), "¥399.00"),
        (Money("12345.60", "EUR"), "€12,345.60"),
        (Money("5000", "JPY"), "¥5,000"),
        (Money("7.50", "CHF"), "7.50 CHF"),
    ],
)
def test_money_reads_as_people_write_it(amount, text):
    assert money_text(amount) == text


@pytest.mark.parametrize(
    ("states", "state", "heading"),
    [
        (("done",), "running", "Setting up your return"),
        (("done",) * 4, "running", "Your return is booked and refunded"),
        (("done",) * 6, "completed", "Your return is booked and refunded"),
        (("done", "done", "done", "done", "rejected"), "attention", "One step left"),
        (
            ("undone", "undone", "undone", "rejected"),
            "compensated",
            "Your return is not set up",
        ),
    ],
)
def test_the_customer_reads_one_of_few_headings(states, state, heading):
    card = json.loads(customer_card(ORDER_RETURN.card, run_in(*states, state=state)))

    assert card["badge"]["text"] == heading
    assert card["audience"] == "customer"
    decode_card(json.dumps(card))


def test_the_customers_card_speaks_chinese_and_shows_the_label():
    card = json.loads(
        customer_card(ORDER_RETURN.card, run_in("done", "done", language="zh-CN"))
    )

    assert card["title"] == "订单 #1042 的退货"
    fields = {field["label"]: field["value"] for field in card["blocks"][2]["fields"]}
    assert fields["金额"] == {"money": "399.00", "currency": "CNY"}
    assert fields["退货面单"] == {"copy": "LBL-7"}
    states = [moment["state"] for moment in card["blocks"][1]["items"]]
    assert states == ["done", "done", "current"]


def test_an_unknown_action_type_does_not_exist():
    with pytest.raises(NotFound):
        Registry().get("order.nothing@1", "main")
    with pytest.raises(ValueError, match="same id"):
        Registry((ORDER_RETURN, ORDER_RETURN))
