"""What agents and customers see of an order."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import deskhub_orders
from deskhub_orders.texts import TEXTS
from deskhub_sdk import Conversation, ConversationId, Customer, CustomerId, TenantId
from deskhub_sdk.cards import encode_card


def conversation(given) -> Conversation:
    return Conversation(
        id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open",
        opened_at=given.ctx.clock.now(),
    )  # fmt: skip


async def cards_of(given, subject):
    person = Customer(id=CustomerId("cu_1"), tenant=TenantId("main"), subject=subject)
    return await given.adapter.conversation_cards(conversation(given), person)


async def test_the_latest_order_is_shown_whole_and_the_others_as_rows(given):
    cards = await cards_of(given, "C-1001")

    detail, earlier, live = cards
    assert (detail.id, detail.audience, detail.rev) == ("orders.detail:1042", "agent", 6)
    assert detail.summary == "Order #1042 · Delivered"
    assert [item.title for item in earlier.blocks[0].items][:2] == ["#1226", "#1203"]
    assert len(earlier.blocks[0].items) == 7
    assert (live.id, live.audience) == ("orders.order:1042", "customer")


async def test_a_delivered_order_offers_its_return_by_object(given):
    detail = (await cards_of(given, "C-1001"))[0]

    action = detail.actions[0]
    assert action.do.invoke == "order.return"
    assert action.do.args == {"object": "orders:1042"}
    assert action.disabled is None


async def test_a_return_that_is_not_possible_says_why(given):
    detail = (await cards_of(given, "C-1005"))[0]

    assert detail.id == "orders.detail:1051"
    assert detail.actions[0].disabled.t == "orders.why.not_delivered"


async def test_a_parcel_without_news_is_pointed_out(given):
    detail = (await cards_of(given, "C-1003"))[0]

    assert detail.id == "orders.detail:1033"
    assert detail.blocks[0].text.t == "orders.delay"
    assert detail.blocks[0].text.args == {"days": 5}
    assert [action.id for action in detail.actions] == ["return", "share"]


async def test_the_customers_card_offers_no_action_and_no_internal_number(given):
    live = (await cards_of(given, "C-1001"))[-1]

    assert live.actions == ()
    assert b"TS-42" not in encode_card(live)


async def test_an_order_of_100_lines_fits_a_card(given):
    cards = await cards_of(given, "C-1007")

    assert cards[0].blocks[-2].text.args == {"count": 92}


@pytest.mark.parametrize("subject", [None, "C-9999"])
async def test_a_stranger_has_no_cards(given, subject):
    assert await cards_of(given, subject) == ()


async def test_nobody_identified_asks_nobody(given):
    assert await given.adapter.conversation_cards(conversation(given), None) == ()
    assert given.ctx.http.calls == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_every_customers_cards_are_valid_and_translated(given, language):
    given.ctx.language = language

    for number in given.shop.world.people:
        for card in await cards_of(given, number):
            for key in re.findall(r'"t":"([^"]+)"', encode_card(card).decode()):
                assert key in TEXTS[language]


def test_both_languages_have_the_same_sentences_with_the_same_gaps():
    gaps = {
        language: {key: set(re.findall(r"\{(\w+)\}", said)) for key, said in texts.items()}
        for language, texts in TEXTS.items()
    }

    assert gaps["en"] == gaps["zh-CN"]


def test_every_key_in_the_code_has_a_sentence():
    source = Path(deskhub_orders.__file__).parent
    used = set()
    for file in source.glob("*.py"):
        used |= set(re.findall(r'"(orders\.[a-z_]+(?:\.[a-z_]+)?)"', file.read_text("utf-8")))

    used -= {"orders.order", "orders.detail", "orders.earlier"}
    assert used <= set(TEXTS["en"])
    assert used


def test_the_manifest_is_plain_data(given):
    assert json.loads(json.dumps(given.adapter.config_model.model_json_schema()))["properties"]
