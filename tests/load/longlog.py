"""A long log to measure with: texts as unequal as real ones, English and Chinese."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

IN_A_CONVERSATION = 20
# How often the word of rank r is said falls with r, as in any language.
VOCABULARY = 20_000
ENGLISH = [
    "the", "order", "you", "my", "is", "refund", "not", "when", "return", "arrive",
    "please", "parcel", "shipped", "size", "exchange", "delivery", "money", "back",
    "address", "invoice", "broken", "late", "wrong", "colour", "tracking", "number",
    "thanks",
]  # fmt: skip
CHINESE = [
    "订单", "退货", "退款", "什么时候", "收到", "快递", "地址", "修改", "发票", "质量",
    "问题", "换货", "尺码", "颜色", "物流", "查询", "客服", "谢谢", "你好", "包裹", "破损",
    "优惠券", "会员", "积分", "支付", "失败", "取消", "运费", "保修", "安装", "说明书",
    "鞋子", "衣服", "手机", "电池",
]  # fmt: skip


class Talk:
    """Texts whose words are as unequal as real ones."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        letters = "bcdfghklmnprst"
        made = {
            "".join(self._dice.choice(letters) + self._dice.choice("aeiou") for _ in range(n))
            for n in (2, 3, 4)
            for _ in range(VOCABULARY)
        }
        self.english = (ENGLISH + sorted(made))[:VOCABULARY]
        signs = [chr(0x4E00 + number) for number in range(2_500)]
        made_up = ["".join(self._dice.choices(signs, k=2)) for _ in range(VOCABULARY)]
        self.chinese = (CHINESE + made_up)[:VOCABULARY]
        weights = [1 / (rank + 3) for rank in range(VOCABULARY)]
        self._steps = list(_running(weights))

    def word(self, language: list[str]) -> str:
        return self._dice.choices(language, cum_weights=self._steps)[0]

    def text(self) -> str:
        if self._dice.random() < 0.5:
            return " ".join(self.word(self.english) for _ in range(self._dice.randint(4, 16)))
        return "".join(self.word(self.chinese) for _ in range(self._dice.randint(3, 10)))

    def question(self) -> str:
        """Return what somebody looks for: one word or two, usual or rare, some with a filter."""
        language = self._dice.choice([self.english, self.chinese])
        words = [self.word(language) for _ in range(self._dice.choice([1, 1, 2]))]
        if self._dice.random() < 0.2:
            words.append(self._dice.choice(language[5_000:VOCABULARY]))
        filters = ["", "", "", "from:customer ", "with:Customer-77 ", "has:note "]
        # A word that is still being typed is the dearest: every third question ends with one.
        end = "" if self._dice.random() < 0.34 else " "
        return self._dice.choice(filters) + " ".join(words) + end


def fill(file: Path, talk: Talk, count: int) -> None:
    """Write a log of *count* messages and its conversations, without the hub."""
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute(
            "INSERT INTO tenant (tenant, epoch, head) VALUES ('main', 'e1', ?)", (count,)
        )
        db.executemany(
            "INSERT INTO event (tenant, seq, at, kind, conversation, audience, by, inbox, visitor,"
            " data) VALUES ('main', ?, ?, ?, ?, ?, ?, 'web', ?, ?)",
            _events(talk, count),
        )
        db.executemany(
            "INSERT INTO conversation VALUES ('main', ?, 'web', ?, ?, 'en', 0, 0, 'open', NULL,"
            " NULL, NULL, '[]', '[]', ?, '', '', '', NULL, NULL, 0, 0, 1, 0, ?, '')",
            (
                (f"c_{number}", f"v_{number}", f"Customer-{number}", number, number)
                for number in range(count // IN_A_CONVERSATION + 1)
            ),
        )
        db.commit()


def _events(talk: Talk, count: int) -> Iterator[tuple[object, ...]]:
    began = 1_700_000_000_000_000
    for seq in range(1, count + 1):
        # Conversations run beside each other.
        of = seq // (IN_A_CONVERSATION * 50) * 50 + seq % 50
        is_note, is_visitor = seq % 17 == 0, seq % 2 == 0
        data = json.dumps({"text": talk.text(), "name": f"Customer-{of}"}).encode()
        yield (
            seq,
            began + seq * 1_000_000,
            "note.posted" if is_note else "message.posted",
            f"c_{of}",
            "agents" if is_note else "all",
            f"visitor:v_{of}" if is_visitor and not is_note else "agent:a_1",
            f"v_{of}",
            data,
        )


def _running(weights: list[float]) -> Iterator[float]:
    total = 0.0
    for weight in weights:
        total += weight
        yield total
