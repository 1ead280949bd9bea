"""What agents read from this adapter, in English and Chinese."""

from __future__ import annotations

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "health.ready": "The mailbox and the mail server answer.",
        "bounce.title": "Not delivered",
        "bounce.text": "An answer did not reach the customer by mail ({why}).",
    },
    "zh-CN": {
        "health.ready": "邮箱和邮件服务器应答正常。",
        "bounce.title": "未送达",
        "bounce.text": "一条回复未能通过邮件送达客户（{why}）。",
    },
}


def text(language: str, key: str, **values: object) -> str:
    """Return a sentence in *language*, or in English."""
    return TEXTS.get(language, TEXTS["en"])[key].format(**values)
