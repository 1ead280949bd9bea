"""What agents and customers read from this adapter, in English and Chinese."""

from __future__ import annotations

from deskhub_sdk import Money

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "woo.order": "Order #{number}",
        "woo.earlier": "Earlier orders",
        "woo.more": "{count} more not shown",
        "woo.status.placed": "Placed",
        "woo.status.paid": "Being prepared",
        "woo.status.shipped": "Shipped",
        "woo.status.delivered": "Delivered",
        "woo.status.completed": "Completed",
        "woo.status.cancelled": "Cancelled",
        "woo.status.returned": "Refunded",
        "woo.total": "Total",
        "woo.refunded": "Refunded",
        "woo.paid_with": "Paid with",
        "woo.unpaid": "Not paid yet",
        "woo.ordered": "Ordered",
        "woo.changed": "Last change",
        "woo.back": "On a return",
        "woo.pieces": "{count} articles",
        "woo.return": "Return…",
        "woo.why.early": "Not delivered yet",
        "woo.why.cancelled": "The order was cancelled",
        "woo.why.returned": "Everything went back already",
        "woo.why.late": "The time for returns is over",
        "woo.said": "Order #{number} · {status}",
        "woo.healthy": "The shop answers.",
    },
    "zh-CN": {
        "woo.order": "订单 #{number}",
        "woo.earlier": "更早的订单",
        "woo.more": "另有 {count} 项未显示",
        "woo.status.placed": "已下单",
        "woo.status.paid": "备货中",
        "woo.status.shipped": "已发货",
        "woo.status.delivered": "已签收",
        "woo.status.completed": "已完成",
        "woo.status.cancelled": "已取消",
        "woo.status.returned": "已退款",
        "woo.total": "合计",
        "woo.refunded": "已退款",
        "woo.paid_with": "付款方式",
        "woo.unpaid": "尚未付款",
        "woo.ordered": "下单时间",
        "woo.changed": "最近变动",
        "woo.back": "退货中",
        "woo.pieces": "{count} 件商品",
        "woo.return": "退货…",
        "woo.why.early": "尚未签收",
        "woo.why.cancelled": "订单已取消",
        "woo.why.returned": "商品已全部退回",
        "woo.why.late": "已超过退货期限",
        "woo.said": "订单 #{number} · {status}",
        "woo.healthy": "商店应答正常。",
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
