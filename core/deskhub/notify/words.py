"""What mails and notices say, in the languages of the widget."""

from __future__ import annotations

from collections.abc import Mapping

_ENGLISH = {
    "answers.subject": "{inbox} answered you",
    "answers.intro": "You wrote to us in the chat. While you were away, we answered:",
    "transcript.subject": "Your conversation with {inbox}",
    "transcript.intro": "This is your conversation with {inbox}, as you asked for.",
    "transcript.cut": "It is longer; these are the last {count} messages.",
    "file": "[File: {name}]",
    "reply": "To answer, open the chat again:",
    "reply.nowhere": "To answer, open the chat again on our page.",
    "noreply": "Nobody reads mail that is sent to this address.",
    "stop": "No more answers by mail:",
    "customer": "You",
    "push.answer.title": "{inbox} answered you",
    "push.answer.body": "Open the chat to read it.",
    "push.message.title": "New message in {inbox}",
    "push.message.body": "A customer wrote. Open the conversation to read it.",
    "push.test.title": "Notices work",
    "push.test.body": "This browser is told about new messages.",
}
_CHINESE = {
    "answers.subject": "{inbox} 回复了您",
    "answers.intro": "您在聊天中给我们留了言，您离开后我们已回复：",
    "transcript.subject": "您与 {inbox} 的对话记录",
    "transcript.intro": "这是您索取的与 {inbox} 的对话记录。",
    "transcript.cut": "对话较长，以下为最后 {count} 条消息。",
    "file": "[文件：{name}]",
    "reply": "如需回复，请重新打开聊天：",
    "reply.nowhere": "如需回复，请在我们的网页上重新打开聊天。",
    "noreply": "此邮箱不接收来信。",
    "stop": "不再通过邮件接收回复：",
    "customer": "您",
    "push.answer.title": "{inbox} 回复了您",
    "push.answer.body": "打开聊天即可查看。",
    "push.message.title": "{inbox} 有新消息",
    "push.message.body": "客户发来了消息，打开对话即可查看。",
    "push.test.title": "通知已开启",
    "push.test.body": "有新消息时，此浏览器会收到通知。",
}
CATALOGUES: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "zh-CN": _CHINESE}


def language_of(wanted: str | None) -> str:
    """Return which of the languages there are fits *wanted*; English when none does."""
    return "zh-CN" if (wanted or "").lower().startswith("zh") else "en"


def text(language: str, key: str, **values: object) -> str:
    """Return a sentence in *language*, which `language_of` gave."""
    return CATALOGUES[language][key].format(**values)
