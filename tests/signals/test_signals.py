"""Signals: stored once, in order of versions, shown to everybody they concern at one moment."""

from __future__ import annotations

import asyncio
import hmac
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskhub.host.errors import UnknownInstance
from deskhub.signals.errors import WebhookForged, WebhookMalformed, WebhookUnread
from deskhub.store.tables import hub as tables
from deskhub_sdk import (
    ConversationId,
    Forged,
    Malformed,
    Signal,
    Target,
    Unavailable,
    WebhookRequest,
    hookimpl,
)
from deskhub_sdk.cards import Card, TextBlock
from tests.host.small_hub import Plain, SmallHub, eventually, small_hub, visitor

SECRET = b"whsec"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ANNA, BERT = visitor("v_anna"), visitor("v_bert")


def shipped(dedupe: str = "e1", version: int = 1, **more: Any) -> Signal:
    fields: dict[str, Any] = {
        "kind": "order.shipped", "dedupe": dedupe, "object": "orders:1042",
        "version": version, "at": NOW, "subject": "C-1001",
    }  # fmt: skip
    return Signal(**(fields | more))


def webhook(*signals: Signal, secret: bytes = SECRET) -> tuple[dict[str, str], bytes]:
    body = msgspec.json.encode(signals)
    return {"X-Signature": hmac.new(secret, body, "sha256").hexdigest()}, body


class Shop(Plain):
    """Signs its webhooks; a card says which version of the order it shows."""

    audience = "both"

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        wanted = hmac.new(SECRET, request.body, "sha256").hexdigest()
        if not hmac.compare_digest(wanted, request.headers.get("x-signature", "")):
            raise Forged("signature")
        try:
            return msgspec.json.decode(request.body, type=tuple[Signal, ...])
        except msgspec.DecodeError as error:
            raise Malformed("not signals") from error

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        return Card(
            id=f"order:{signal.object}", title="Order 1042", rev=signal.version,
            blocks=(TextBlock(f"version {signal.version}"),), audience=self.audience,  # type: ignore[arg-type]
        )  # fmt: skip


async def shown(hub: SmallHub) -> list[tuple[str | None, int]]:
    return [
        (event.conversation, msgspec.json.decode(event.data)["card"]["rev"])
        for event in await hub.events("card.shown")
    ]


async def settled(hub: SmallHub, count: int) -> list[dict[str, Any]]:
    async def done() -> list[dict[str, Any]]:
        rows = await hub.rows(tables.signal)
        return rows if len(rows) == count and all(r["state"] != "pending" for r in rows) else []

    return await eventually(done)


async def test_one_webhook_changes_every_open_conversation_in_one_transaction(
    tmp_path: Path,
) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id, BERT.id)
        first, second = await hub.open(ANNA), await hub.open(BERT)

        assert await hub.signals.receive("shop", *webhook(shipped())) == 1
        await settled(hub, 1)
        events = await hub.events("card.shown")

    assert [event.conversation for event in events] == [first, second]
    assert events[1].seq == events[0].seq + 1
    assert events[0].at == events[1].at, "one transaction has one time"
    assert {event.audience for event in events} == {"all"}
    data = msgspec.json.decode(events[0].data)
    assert data["source"] == "shop"
    assert data["signal"] == {"kind": "order.shipped", "object": "orders:1042", "version": 1}


async def test_other_customers_conversations_are_left_alone(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        await hub.add_customer("cu_2", "C-1002", BERT.id)
        first = await hub.open(ANNA)
        await hub.open(BERT)

        await hub.signals.receive("shop", *webhook(shipped()))
        await settled(hub, 1)

        assert await shown(hub) == [(first, 1)]


async def test_a_card_for_agents_never_reaches_the_visitor(tmp_path: Path) -> None:
    class Inside(Shop):
        audience = "agent"

    async with small_hub(tmp_path, {"shop": Inside}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        await hub.open(ANNA)
        await hub.signals.receive("shop", *webhook(shipped()))
        await settled(hub, 1)

        assert [event.audience for event in await hub.events("card.shown")] == ["agents"]


async def test_without_an_open_conversation_it_is_kept_and_shown_at_the_next(
    tmp_path: Path,
) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.signals.receive("shop", *webhook(shipped(version=1)))
        await hub.signals.receive("shop", *webhook(shipped("e2", version=2)))
        await settled(hub, 2)
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        assert await shown(hub) == []

        conversation = await hub.open(ANNA)
        await eventually(lambda: shown(hub))

        assert await shown(hub) == [(conversation, 2)], "only the newest of one object"
        assert await hub.rows(tables.kept_card) == []


async def test_it_is_shown_when_the_customer_comes_back_to_a_closed_conversation(
    tmp_path: Path,
) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        conversation = await hub.open(ANNA)
        await hub.close(conversation)
        await hub.signals.receive("shop", *webhook(shipped()))
        await settled(hub, 1)
        assert await shown(hub) == []

        reopened = await hub.open(ANNA)
        await eventually(lambda: shown(hub))

        assert [of for of, _ in await shown(hub)] == [reopened]


async def test_an_opening_while_nobody_listened_is_made_up_for(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.signals.receive("shop", *webhook(shipped()))
        await settled(hub, 1)
    async with small_hub(tmp_path, {"shop": Shop}, run=("host",)) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        conversation = await hub.open(ANNA)
        assert await shown(hub) == []
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await eventually(lambda: shown(hub))

        assert await shown(hub) == [(conversation, 1)]


async def test_a_repetition_changes_nothing(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        conversation = await hub.open(ANNA)

        counts = [await hub.signals.receive("shop", *webhook(shipped())) for _ in range(3)]
        await settled(hub, 1)

        assert counts == [1, 0, 0]
        assert await shown(hub) == [(conversation, 1)]


async def test_twenty_repetitions_at_once_have_one_effect(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        await hub.open(ANNA)

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(hub.inbox.take("main", "shop", [shipped()]))
                for _ in range(20)
            ]
        await settled(hub, 1)

        assert sum(task.result() for task in tasks) == 1
        assert len(await shown(hub)) == 1


async def test_the_same_id_with_another_content_is_not_applied_and_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        conversation = await hub.open(ANNA)
        await hub.signals.receive("shop", *webhook(shipped()))

        assert await hub.signals.receive("shop", *webhook(shipped(version=9))) == 0
        await settled(hub, 1)

        assert await shown(hub) == [(conversation, 1)]
    assert "security_signal_id_reused" in caplog.messages


async def test_a_stale_version_is_noted_and_changes_nothing(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        conversation = await hub.open(ANNA)
        await hub.signals.receive("shop", *webhook(shipped("e5", version=5)))
        await settled(hub, 1)
        await hub.signals.receive("shop", *webhook(shipped("e4", version=4)))
        rows = await settled(hub, 2)

        assert await shown(hub) == [(conversation, 5)]
        assert {row["dedupe"]: row["state"] for row in rows} == {"e5": "done", "e4": "stale"}


@pytest.mark.parametrize("seed", range(5))
async def test_any_order_of_arrival_ends_in_the_newest_state(tmp_path: Path, seed: int) -> None:
    signals = [shipped(f"e{version}", version=version) for version in range(1, 7)]
    random.Random(seed).shuffle(signals)

    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        await hub.open(ANNA)
        for signal in signals:
            await hub.inbox.take("main", "shop", [signal])
        await settled(hub, 6)
        revs = [rev for _, rev in await shown(hub)]

    assert revs == sorted(set(revs)), "no version is shown twice or after a newer one"
    assert revs[-1] == 6


async def test_without_versions_the_older_state_would_win() -> None:
    """The sabotaged twin: applied as they come, the order of arrival decides."""
    state = 0
    for version in (5, 4):
        state = version

    assert state == 4


async def test_adapters_say_whom_it_concerns(tmp_path: Path) -> None:
    conversations: list[str] = []

    class Knows(Plain):
        @hookimpl
        async def find_conversations(self, signal: Signal) -> Sequence[Target]:
            return [Target(conversation=ConversationId(conversations[0]))]

    async with small_hub(tmp_path, {"shop": Shop, "knows": Knows}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        await hub.open(ANNA)
        conversations.append(await hub.open(BERT))
        await hub.signals.receive("shop", *webhook(shipped()))
        await settled(hub, 1)

        assert await shown(hub) == [(conversations[0], 1)]


async def test_a_signal_nobody_has_a_card_for_is_done(tmp_path: Path) -> None:
    class Silent(Plain):
        @hookimpl
        async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
            return [shipped()]

    async with small_hub(tmp_path, {"shop": Silent}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        await hub.open(ANNA)
        assert await hub.signals.receive("shop", {}, b"") == 1
        (row,) = await settled(hub, 1)

        assert (row["state"], row["error"]) == ("done", "no adapter had a card for it")
        assert await shown(hub) == []


async def test_an_unfinished_signal_is_picked_up_at_start(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"shop": Shop}, run=("host",)) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        conversation = await hub.open(ANNA)
        await hub.signals.receive("shop", *webhook(shipped()))
        assert await shown(hub) == []
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await settled(hub, 1)

        assert await shown(hub) == [(conversation, 1)]


async def test_a_poisoned_signal_gets_ten_attempts_and_holds_nothing_up(
    tmp_path: Path,
) -> None:
    asked: list[str] = []
    healthy = asyncio.Event()

    class Unsure(Plain):
        @hookimpl
        async def find_conversations(self, signal: Signal) -> Sequence[Target]:
            asked.append(signal.dedupe)
            if signal.subject is None and not healthy.is_set():
                raise Unavailable("cannot tell")
            return [Target(subject="C-1001")]

    poison = shipped("poison", object="orders:9", subject=None)
    async with small_hub(tmp_path, {"shop": Shop, "unsure": Unsure}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        conversation = await hub.open(ANNA)
        await hub.inbox.take("main", "shop", [poison, shipped()])
        rows = {row["dedupe"]: row for row in await settled(hub, 2)}

        assert (rows["e1"]["state"], rows["poison"]["state"]) == ("done", "dead")
        assert asked.count("poison") == 10
        assert "Unavailable" in rows["poison"]["error"]
        assert [row.dedupe for row in await hub.signals.dead("main")] == ["poison"]

        healthy.set()
        assert await hub.signals.replay("main", "shop", "poison")
        await eventually(lambda: _all_done(hub))
        assert len(await shown(hub)) == 2
        assert {of for of, _ in await shown(hub)} == {conversation}


async def _all_done(hub: SmallHub) -> bool:
    return {row["state"] for row in await hub.rows(tables.signal)} == {"done"}


async def test_a_forged_webhook_stores_nothing(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        headers, body = webhook(shipped(), secret=b"wrong")
        with pytest.raises(WebhookForged):
            await hub.signals.receive("shop", headers, body)
        with pytest.raises(WebhookForged):
            await hub.signals.receive("shop", {}, webhook(shipped())[1])
        with pytest.raises(UnknownInstance):
            await hub.signals.receive("nobody", headers, body)

        assert await hub.rows(tables.signal) == []


async def test_a_signed_webhook_without_sense_is_not_asked_for_again(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        signature = hmac.new(SECRET, b"<xml/>", "sha256").hexdigest()

        with pytest.raises(WebhookMalformed):
            await hub.signals.receive("shop", {"x-signature": signature}, b"<xml/>")
        with pytest.raises(WebhookMalformed):
            await hub.signals.receive("shop", *webhook(shipped("x" * 201)))


@pytest.mark.parametrize("answer", [None, "signals", [1], RuntimeError("bug")])
async def test_an_adapter_that_fails_lets_the_sender_come_again(
    tmp_path: Path, answer: object
) -> None:
    class Bad(Plain):
        @hookimpl
        async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
            if isinstance(answer, Exception):
                raise answer
            return answer  # type: ignore[return-value]

    async with small_hub(tmp_path, {"shop": Bad}) as hub:
        with pytest.raises(WebhookUnread):
            await hub.signals.receive("shop", {}, b"{}")


async def test_a_fact_found_by_polling_takes_the_same_way(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {"shop": Shop}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        conversation = await hub.open(ANNA)
        adapter = hub.host.instance("shop").adapter
        assert adapter is not None

        await adapter.ctx.emit(shipped())
        await settled(hub, 1)

        assert await shown(hub) == [(conversation, 1)]
