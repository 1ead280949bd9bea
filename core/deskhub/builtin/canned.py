"""Canned replies: short texts for the usual questions, in English and Chinese.

Placeholders in double braces (``{{customer.name}}``) are filled by the console when a reply is
inserted; nothing is ever sent by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deskhub_sdk import Adapter, Config, Conversation, Meta, SuggestedReply, hookimpl

# Words that say nothing about what a text is about.
COMMON = frozenset(
    {"the", "you", "your", "for", "and", "can", "will", "are", "this", "that", "have"}
    | {"什么", "时候", "可以", "怎么", "您的", "我的", "请问", "一下"}
)
VARIABLES = ("customer.name", "agent.name", "order.number", "tracking.number")


@dataclass(frozen=True, slots=True)
class Canned:
    """One reply: *shortcut* is what is typed after a slash, *text* is by language."""

    id: str
    shortcut: str
    title: str
    text: Mapping[str, str]


CATALOGUE: tuple[Canned, ...] = (
    Canned(
        "hello", "hello", "Greeting",
        {
            "en": "Hello {{customer.name}}, I am {{agent.name}}. How can I help?",
            "zh-CN": "您好 {{customer.name}}，我是 {{agent.name}}，请问有什么可以帮您？",
        },
    ),
    Canned(
        "moment", "moment", "One moment",
        {
            "en": "One moment please, I am looking that up for you.",
            "zh-CN": "请稍等，我马上为您查询。",
        },
    ),
    Canned(
        "order-number", "order", "Ask for the order number",
        {
            "en": "Could you give me your order number? It is in the confirmation e-mail.",
            "zh-CN": "请提供一下您的订单号，可以在确认邮件中找到。",
        },
    ),
    Canned(
        "return-started", "return", "Return started",
        {
            "en": "I have started the return of order {{order.number}}. You will get the label "
            "here in the chat; drop the parcel off within 14 days and we refund you the way "
            "you paid.",
            "zh-CN": "我已为订单 {{order.number}} 办理退货。退货面单会发送到本对话，"
            "请在 14 天内寄出包裹，款项将原路退回。",
        },
    ),
    Canned(
        "return-condition", "condition", "Condition of returned goods",
        {
            "en": "Goods can come back within 30 days if they are unworn and still have their "
            "labels. Items of a final sale are excluded.",
            "zh-CN": "商品未经使用且吊牌完整，可在 30 天内退货；清仓商品除外。",
        },
    ),
    Canned(
        "refund-when", "refund", "When the refund arrives",
        {
            "en": "The refund is on its way. It usually arrives within 3 working days, with "
            "some banks it takes up to 7.",
            "zh-CN": "退款已发出，通常 3 个工作日内到账，部分银行最长需要 7 个工作日。",
        },
    ),
    Canned(
        "shipped", "shipped", "Order shipped",
        {
            "en": "Order {{order.number}} has left our warehouse. The tracking number is "
            "{{tracking.number}}.",
            "zh-CN": "订单 {{order.number}} 已发货，快递单号：{{tracking.number}}。",
        },
    ),
    Canned(
        "delay", "delay", "Delivery delayed",
        {
            "en": "I am sorry, order {{order.number}} is late. I have asked the carrier and "
            "will write to you here as soon as I know more.",
            "zh-CN": "非常抱歉，订单 {{order.number}} 有所延误。我已联系快递公司，有消息会第一"
            "时间在这里通知您。",
        },
    ),
    Canned(
        "address", "address", "Change of address",
        {
            "en": "The address can be changed until the order is packed. Which address shall "
            "I use instead?",
            "zh-CN": "订单打包前可以修改收货地址，请问您想改成哪个地址？",
        },
    ),
    Canned(
        "exchange", "exchange", "Exchange for another size",
        {
            "en": "The quickest way to another size is a return and a new order: I refund the "
            "first one as soon as it is on its way back.",
            "zh-CN": "换码最快的方式是先退货再重新下单：包裹寄出后我会立即为您退款。",
        },
    ),
    Canned(
        "goodbye", "bye", "Goodbye",
        {
            "en": "Glad I could help. This chat stays open to you, just write again if there "
            "is anything else.",
            "zh-CN": "很高兴能帮到您。如有其他问题，随时在这里留言即可。",
        },
    ),
)  # fmt: skip


def canned_replies() -> list[dict[str, object]]:
    """Return the catalogue as the console's snapshot holds it."""
    return [
        {"id": one.id, "shortcut": one.shortcut, "title": one.title, "text": dict(one.text)}
        for one in CATALOGUE
    ]


class CannedConfig(Config):
    """Canned replies have no settings."""


class CannedReplies(Adapter[CannedConfig]):
    """Suggests the catalogue's replies that fit what the agent has begun to write."""

    meta = Meta(
        id="canned",
        name="Canned replies",
        sdk=">=1.0,<2",
        summary="Short texts for the usual questions.",
    )
    config_model = CannedConfig

    @hookimpl
    async def suggest_replies(
        self, conversation: Conversation, draft: str, limit: int
    ) -> Sequence[SuggestedReply]:
        """Return the replies whose words fit *draft*, best first; all when it is empty."""
        language = language_of(conversation.language)
        scored = [(score(one, draft, language), place) for place, one in enumerate(CATALOGUE)]
        best = sorted((-points, place) for points, place in scored if points or not draft)
        return [
            SuggestedReply(
                text=CATALOGUE[place].text[language],
                title=CATALOGUE[place].title,
                source=f"canned:{CATALOGUE[place].id}",
            )
            for _, place in best[:limit]
        ]


def language_of(language: str | None) -> str:
    """Return the catalogue's language for a visitor's (``zh-TW`` reads ``zh-CN``)."""
    return "zh-CN" if (language or "").lower().startswith("zh") else "en"


def score(reply: Canned, draft: str, language: str) -> int:
    """Return how well *reply* fits *draft*; 0 when not at all."""
    typed = draft.strip().lower()
    if typed.startswith("/"):
        return 10 if reply.shortcut.startswith(typed[1:]) else 0
    content = f"{reply.title} {reply.shortcut} {reply.text[language]}".lower()
    # Chinese has no spaces between words; every pair of characters serves as one.
    english = re.findall(r"[a-z]{3,}", typed)
    chinese = re.findall(r"(?=([\u4e00-\u9fff]{2}))", typed)
    words = {*english, *chinese} - COMMON
    return sum(word in content for word in words)
