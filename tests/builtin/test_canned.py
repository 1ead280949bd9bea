"""Canned replies: complete in both languages, and suggested by what was typed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deskhub.builtin import CannedConfig, CannedReplies, canned_replies
from deskhub.builtin.canned import CATALOGUE, VARIABLES, Canned
from deskhub.host.ports import BuiltIn
from deskhub_sdk import Conversation, ConversationId, SuggestedReply, TenantId
from tests.host.small_hub import small_hub


@pytest.mark.parametrize("reply", CATALOGUE, ids=lambda reply: reply.id)
def test_a_reply_says_the_same_in_both_languages(reply: Canned) -> None:
    used = {
        language: set(re.findall(r"\{\{(.+?)\}\}", text))
        for language, text in reply.text.items()
    }

    assert set(reply.text) == {"en", "zh-CN"}
    assert used["en"] == used["zh-CN"]
    assert used["en"] <= set(VARIABLES)


def test_shortcuts_are_unique() -> None:
    shortcuts = [reply["shortcut"] for reply in canned_replies()]

    assert len(set(shortcuts)) == len(shortcuts)


async def suggest(folder: Path, draft: str, language: str, limit: int) -> list[SuggestedReply]:
    conversation = Conversation(
        id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open",
        opened_at=datetime(2026, 11, 23, tzinfo=UTC), language=language,
    )  # fmt: skip
    feature = [BuiltIn(CannedReplies, CannedConfig())]
    async with small_hub(folder, {}, builtins=feature, run=("host",)) as hub:
        (answer,) = await hub.host.gather(
            "suggest_replies", "main", conversation=conversation, draft=draft, limit=limit
        ).all()
    return list(answer.value)


async def test_what_was_typed_chooses_and_the_visitors_language_counts(tmp_path: Path) -> None:
    english = await suggest(tmp_path, "when does my refund arrive", "en", 1)
    chinese = await suggest(tmp_path, "退款什么时候到", "zh-TW", 1)
    shortcut = await suggest(tmp_path, "/ret", "en", 5)

    assert english[0].source == "canned:refund-when"
    assert chinese[0].text.startswith("退款已发出")
    assert [one.source for one in shortcut] == ["canned:return-started"]


async def test_an_empty_draft_offers_the_first_ones(tmp_path: Path) -> None:
    assert len(await suggest(tmp_path, "", "en", 3)) == 3
