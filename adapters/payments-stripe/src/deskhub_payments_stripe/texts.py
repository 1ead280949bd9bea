"""What agents read from this adapter, in English and Chinese."""

from __future__ import annotations

from deskhub_sdk import Money

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "stripe.payment": "Order #{number}",
        "stripe.nameless": "Payment without an order number",
        "stripe.changed": "Payment for order #{number}",
        "stripe.paid": "Paid",
        "stripe.part": "Partly refunded",
        "stripe.refunded": "Refunded",
        "stripe.disputed": "Disputed",
        "stripe.dispute": "The customer's bank disputes this payment. Answer it in Stripe;"
        " a refund now would pay twice.",
        "stripe.failed": "A refund came back: the customer does not have the money.",
        "stripe.captured": "Collected",
        "stripe.left": "Can still be refunded",
        "stripe.method": "Paid with",
        "stripe.at": "Paid on",
        "stripe.refunds": "Refunds",
        "stripe.earlier": "Earlier payments",
        "stripe.refund.pending": "On its way",
        "stripe.refund.requires_action": "Waits for the customer",
        "stripe.refund.succeeded": "Done",
        "stripe.refund.failed": "Failed",
        "stripe.refund.canceled": "Canceled",
        "stripe.said.paid": "{amount} paid on #{number}",
        "stripe.said.refunded": "{amount} refunded on #{number}",
        "stripe.healthy": "Stripe answers.",
    },
    "zh-CN": {
        "stripe.payment": "订单 #{number}",
        "stripe.nameless": "没有订单号的付款",
        "stripe.changed": "订单 #{number} 的付款",
        "stripe.paid": "已付款",
        "stripe.part": "部分退款",
        "stripe.refunded": "已退款",
        "stripe.disputed": "有争议",
        "stripe.dispute": "客户的银行对这笔付款提出争议。请在 Stripe 中答复；"
        "现在退款会重复付出。",
        "stripe.failed": "有一笔退款被退回：客户没有收到钱。",
        "stripe.captured": "实收",
        "stripe.left": "可退金额",
        "stripe.method": "付款方式",
        "stripe.at": "付款时间",
        "stripe.refunds": "退款记录",
        "stripe.earlier": "更早的付款",
        "stripe.refund.pending": "处理中",
        "stripe.refund.requires_action": "等待客户操作",
        "stripe.refund.succeeded": "已完成",
        "stripe.refund.failed": "失败",
        "stripe.refund.canceled": "已取消",
        "stripe.said.paid": "#{number} 实付 {amount}",
        "stripe.said.refunded": "#{number} 已退 {amount}",
        "stripe.healthy": "Stripe 应答正常。",
    },
}
_SIGN = {"CNY": "¥", "EUR": "€", "GBP": "£", "USD": "$"}


def text(language: str, key: str, /, **values: object) -> str:
    """Return the sentence *key* in *language*, or in English when there is none."""
    return TEXTS.get(language, TEXTS["en"])[key].format(**values)


def shown(amount: Money) -> str:
    """Return *amount* for a sentence: ``€1,399.00``, or ``1,399 JPY`` without a sign."""
    whole, dot, part = amount.amount.partition(".")
    value = f"{int(whole):,}{dot}{part}"
    sign = _SIGN.get(amount.currency)
    return f"{sign}{value}" if sign else f"{value} {amount.currency}"
