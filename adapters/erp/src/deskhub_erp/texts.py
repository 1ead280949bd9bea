"""What agents read from this adapter, in English and Chinese."""

from __future__ import annotations

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "erp.title": "Stock",
        "erp.product": "Product",
        "erp.stock": "Stock",
        "erp.batch": "Batch",
        "erp.place": "Place",
        "erp.bought": "Products bought",
        "erp.out": "Out of stock",
        "erp.low": "Low in stock",
        "erp.more": "And {count} more products.",
        "erp.out.notice": "{count} of these products are out of stock.",
        "erp.out.notice.one": "1 of these products is out of stock.",
        "card.summary": "{count} products, {out} out of stock",
        "step.receive.title": "Expect {pieces} pieces at {place}",
        "step.receive.title.one": "Expect 1 piece at {place}",
        "step.receive.inbound": "Expected {sku}",
        "step.receive.label": "Label",
        "step.receive.label.new": "{carrier}, paid by us",
        "step.receive.unknown": "The warehouse does not know {sku}.",
        "step.credit.title": "Draft a credit note, account {account}",
        "step.credit.change": "Credit for order {order}",
        "step.goods.title": "Wait for the parcel at {place}",
        "step.hold.title": "Set {title} aside at {place}",
        "step.hold.stock": "Stock of {sku}",
        "step.hold.out": "Of {title}, {stock} are in stock, not {wanted}.",
        "step.hold.done": "{reservation}: set aside",
        "step.credit.nothing": "Nothing to credit",
        "step.goods.wait": "Parcel",
        "step.goods.days": "awaited for {days} days",
        "step.goods.done": "{receipt} booked in",
        "health.ready": "The ERP answers.",
    },
    "zh-CN": {
        "erp.title": "库存",
        "erp.product": "商品",
        "erp.stock": "库存",
        "erp.batch": "批次",
        "erp.place": "库位",
        "erp.bought": "购买过的商品",
        "erp.out": "缺货",
        "erp.low": "库存偏低",
        "erp.more": "另有 {count} 种商品。",
        "erp.out.notice": "其中 {count} 种商品缺货。",
        "erp.out.notice.one": "其中 1 种商品缺货。",
        "card.summary": "{count} 种商品，{out} 种缺货",
        "step.receive.title": "预计在{place}收货 {pieces} 件",
        "step.receive.title.one": "预计在{place}收货 1 件",
        "step.receive.inbound": "待收 {sku}",
        "step.receive.label": "面单",
        "step.receive.label.new": "{carrier}，运费由我方承担",
        "step.receive.unknown": "仓库没有 {sku} 的资料。",
        "step.credit.title": "开具贷项凭证草稿，科目 {account}",
        "step.credit.change": "订单 {order} 的贷项",
        "step.goods.title": "等待{place}收到包裹",
        "step.hold.title": "在{place}预留 {title}",
        "step.hold.stock": "{sku} 库存",
        "step.hold.out": "{title} 库存 {stock} 件，不足 {wanted} 件。",
        "step.hold.done": "{reservation}：已预留",
        "step.credit.nothing": "无需贷记",
        "step.goods.wait": "包裹",
        "step.goods.days": "最多等待 {days} 天",
        "step.goods.done": "{receipt} 已入库",
        "health.ready": "ERP 应答正常。",
    },
}

_SIGN = {"CNY": "¥", "EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}


def text(language: str, key: str, /, **values: object) -> str:
    """Return the sentence *key* in *language*, or in English when there is none."""
    return TEXTS.get(language, TEXTS["en"])[key].format(**values)


def shown(amount: str, currency: str) -> str:
    """Return an amount as a sentence shows it: ``¥399.00``, or ``399.00 CHF``."""
    sign = _SIGN.get(currency)
    return f"{sign}{amount}" if sign else f"{amount} {currency}"
