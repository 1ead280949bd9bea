"""What agents read from this adapter, in English and Chinese."""

from __future__ import annotations

from deskhub_sdk import Money

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "hubspot.email": "E-mail",
        "hubspot.phone": "Phone",
        "hubspot.language": "Language",
        "hubspot.company": "Company",
        "hubspot.city": "City",
        "hubspot.since": "Contact since",
        "hubspot.open": "Open in HubSpot",
        "hubspot.summary": "{name} in HubSpot",
        "why.signed": "customer number signed by the shop",
        "why.number": "customer number, not signed",
        "why.email": "same e-mail address",
        "why.phone": "same phone number",
        "why.shared": "several records share it",
        "note.return": "Return of order {order}: {amount}",
        "note.cancel": "Order {order} cancelled: {amount}",
        "note.refund": "Goodwill on order {order}: {amount}",
        "note.exchange": "Exchange on order {order}, {amount} back",
        "note.escalate": "Escalated: {summary}",
        "step.title": "Note this on {name} in HubSpot",
        "step.change": "Note",
        "step.nobody": "HubSpot has no contact for customer {number}; nothing is noted",
        "step.done": "Noted in HubSpot",
        "health.ready": "HubSpot answers.",
        "health.missing": "Contacts in HubSpot have no property {name}.",
        "health.not_unique": "The property {name} in HubSpot allows the same value twice.",
    },
    "zh-CN": {
        "hubspot.email": "邮箱",
        "hubspot.phone": "电话",
        "hubspot.language": "语言",
        "hubspot.company": "公司",
        "hubspot.city": "城市",
        "hubspot.since": "建档时间",
        "hubspot.open": "在 HubSpot 中打开",
        "hubspot.summary": "{name}（HubSpot）",
        "why.signed": "商店签名的客户编号",
        "why.number": "未签名的客户编号",
        "why.email": "邮箱相同",
        "why.phone": "电话相同",
        "why.shared": "多条记录共用",
        "note.return": "订单 {order} 退货：{amount}",
        "note.cancel": "订单 {order} 已取消：{amount}",
        "note.refund": "订单 {order} 补偿：{amount}",
        "note.exchange": "订单 {order} 换货，退差价 {amount}",
        "note.escalate": "已升级：{summary}",
        "step.title": "在 HubSpot 中为 {name} 记录此事",
        "step.change": "备注",
        "step.nobody": "HubSpot 中没有客户 {number}；不做记录",
        "step.done": "已在 HubSpot 中记录",
        "health.ready": "HubSpot 应答正常。",
        "health.missing": "HubSpot 的联系人没有属性 {name}。",
        "health.not_unique": "HubSpot 的属性 {name} 允许重复值。",
    },
}
_SIGN = {"CNY": "¥", "EUR": "€", "GBP": "£", "USD": "$"}


def text(language: str, key: str, /, **values: object) -> str:
    """Return the sentence *key* in *language*, or in English when there is none."""
    return TEXTS.get(language, TEXTS["en"])[key].format(**values)


def shown(amount: Money) -> str:
    """Return *amount* as people write it."""
    sign = _SIGN.get(amount.currency)
    return f"{sign}{amount.amount}" if sign else f"{amount.amount} {amount.currency}"
