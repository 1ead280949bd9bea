"""What agents read from this adapter, in English and Chinese."""

from __future__ import annotations

from deskhub_sdk import Money

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "payments.title": "Payments",
        "payments.order": "Order #{number}",
        "payments.paid": "Paid",
        "payments.part": "Partly refunded",
        "payments.refunded": "Refunded",
        "payments.captured": "Captured",
        "payments.back": "Refunded",
        "payments.left": "Can still be refunded",
        "payments.method": "Paid with",
        "payments.at": "Paid",
        "payments.refunds": "Refunds",
        "payments.pending": "On its way",
        "payments.succeeded": "Done",
        "payments.failed": "Failed",
        "payments.earlier": "Earlier payments",
        "payments.refund_title": "Refund for order #{number}",
        "payments.summary": "{amount} refunded on #{number}",
        "payments.summary_none": "{amount} paid on #{number}",
        "payments.healthy": "The payment provider answers.",
    },
    "zh-CN": {
        "payments.title": "支付",
        "payments.order": "订单 #{number}",
        "payments.paid": "已付款",
        "payments.part": "部分退款",
        "payments.refunded": "已退款",
        "payments.captured": "实收",
        "payments.back": "已退",
        "payments.left": "可退金额",
        "payments.method": "付款方式",
        "payments.at": "付款时间",
        "payments.refunds": "退款记录",
        "payments.pending": "处理中",
        "payments.succeeded": "已完成",
        "payments.failed": "失败",
        "payments.earlier": "更早的付款",
        "payments.refund_title": "订单 #{number} 的退款",
        "payments.summary": "#{number} 已退 {amount}",
        "payments.summary_none": "#{number} 实付 {amount}",
        "payments.healthy": "支付平台应答正常。",
    },
}
_SIGN = {"CNY": "¥", "EUR": "€", "GBP": "£", "USD": "$"}


def text(language: str, key: str, /, **values: object) -> str:
    """Return the sentence *key* in *language*, or in English when there is none."""
    return TEXTS.get(language, TEXTS["en"])[key].format(**values)


def shown(amount: Money) -> str:
    """Return *amount* for a sentence: ``¥1,399.00``, or ``399.00 CHF`` without a sign."""
    whole, dot, part = amount.amount.partition(".")
    value = f"{int(whole):,}{dot}{part}"
    sign = _SIGN.get(amount.currency)
    return f"{sign}{value}" if sign else f"{value} {amount.currency}"
