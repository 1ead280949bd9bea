"""The words of the customers' cards, in both languages, never with a system's name."""

from __future__ import annotations

from deskhub.actions.types import CardText

_COMMON_EN = {
    "left": "One step left",
    "setting_up_text": "This takes a moment. You can go on writing.",
    "refunded_text": "The money is on its way back to how you paid.",
    "left_text": "We finish one step by hand. You do not need to do anything.",
    "refund": "Refund",
    "amount": "Amount",
    "articles": "Articles",
    "instead": "Instead",
    "return_label": "Return label",
    "open_label": "Open the label",
}
_COMMON_ZH = {
    "left": "还差一步",
    "setting_up_text": "稍等片刻，您可以继续发消息。",
    "refunded_text": "款项将退回您的原付款方式。",
    "left_text": "还有一步由我们人工完成，您无需任何操作。",
    "refund": "退款",
    "amount": "金额",
    "articles": "商品",
    "instead": "换成",
    "return_label": "退货面单",
    "open_label": "打开面单",
}
_STOPPED_EN = "Nothing was changed and nothing was refunded. We go on with you here."
_STOPPED_ZH = "没有任何变更，也没有退款。我们会在这里继续为您处理。"

RETURN_CARD = CardText(
    icon="undo",
    moments=(
        ("accepted", "authorized"),
        ("label", "restocked"),
        ("goods_in", "goods_in"),
        ("refund", "refunded"),
    ),
    words={
        "en": {
            **_COMMON_EN,
            "title": "Return for order {order}",
            "setting_up": "Setting up your return",
            "booked": "Your return is booked",
            "refunded": "Your return is booked and refunded",
            "waiting": "Waiting for your parcel",
            "stopped": "Your return is not set up",
            "booked_text": "We have accepted your return.",
            "waiting_text": "Send the parcel with the label; we go on when it arrives.",
            "stopped_text": _STOPPED_EN,
            "accepted": "Return accepted",
            "label": "Return label ready",
            "goods_in": "Parcel received",
        },
        "zh": {
            **_COMMON_ZH,
            "title": "订单 {order} 的退货",
            "setting_up": "正在为您办理退货",
            "booked": "您的退货已登记",
            "refunded": "您的退货已登记，款项已退回",
            "waiting": "等待收到您的包裹",
            "stopped": "您的退货尚未办理",
            "booked_text": "我们已接受您的退货申请。",
            "waiting_text": "请使用面单寄回，我们收到后继续办理。",
            "stopped_text": _STOPPED_ZH,
            "accepted": "退货已受理",
            "label": "退货面单已备好",
            "goods_in": "已收到包裹",
        },
    },
)

CANCEL_CARD = CardText(
    icon="close",
    moments=(("accepted", "cancelled"), ("refund", "refunded")),
    words={
        "en": {
            **_COMMON_EN,
            "title": "Cancellation of order {order}",
            "setting_up": "Cancelling your order",
            "booked": "Your order is cancelled",
            "refunded": "Your order is cancelled and refunded",
            "waiting": "Cancelling your order",
            "stopped": "Your order is not cancelled",
            "booked_text": "Your order is cancelled.",
            "waiting_text": "This takes a moment. You can go on writing.",
            "stopped_text": _STOPPED_EN,
            "accepted": "Order cancelled",
        },
        "zh": {
            **_COMMON_ZH,
            "title": "取消订单 {order}",
            "setting_up": "正在取消您的订单",
            "booked": "您的订单已取消",
            "refunded": "您的订单已取消，款项已退回",
            "waiting": "正在取消您的订单",
            "stopped": "您的订单未取消",
            "booked_text": "您的订单已取消。",
            "waiting_text": "稍等片刻，您可以继续发消息。",
            "stopped_text": _STOPPED_ZH,
            "accepted": "订单已取消",
        },
    },
)

REFUND_CARD = CardText(
    icon="undo",
    moments=(("refund", "refunded"),),
    words={
        "en": {
            **_COMMON_EN,
            "title": "Refund for order {order}",
            "setting_up": "Preparing your refund",
            "booked": "Your refund is booked",
            "refunded": "You have been refunded",
            "waiting": "Preparing your refund",
            "stopped": "Nothing was refunded",
            "booked_text": "Your refund is booked.",
            "waiting_text": "This takes a moment. You can go on writing.",
            "stopped_text": _STOPPED_EN,
        },
        "zh": {
            **_COMMON_ZH,
            "title": "订单 {order} 的退款",
            "setting_up": "正在为您退款",
            "booked": "您的退款已登记",
            "refunded": "款项已退回",
            "waiting": "正在为您退款",
            "stopped": "未退款",
            "booked_text": "您的退款已登记。",
            "waiting_text": "稍等片刻，您可以继续发消息。",
            "stopped_text": _STOPPED_ZH,
        },
    },
)

EXCHANGE_CARD = CardText(
    icon="undo",
    moments=(
        ("accepted", "authorized"),
        ("label", "restocked"),
        ("replacement", "replaced"),
        ("refund", "refunded"),
    ),
    words={
        "en": {
            **_COMMON_EN,
            "title": "Exchange for order {order}",
            "setting_up": "Setting up your exchange",
            "booked": "Your exchange is booked",
            "refunded": "Your exchange is booked",
            "waiting": "Setting up your exchange",
            "stopped": "Your exchange is not set up",
            "booked_text": "Your new article will be on its way soon.",
            "waiting_text": "This takes a moment. You can go on writing.",
            "stopped_text": _STOPPED_EN,
            "accepted": "Return accepted",
            "label": "Return label ready",
            "replacement": "New article ordered",
        },
        "zh": {
            **_COMMON_ZH,
            "title": "订单 {order} 的换货",
            "setting_up": "正在为您办理换货",
            "booked": "您的换货已登记",
            "refunded": "您的换货已登记",
            "waiting": "正在为您办理换货",
            "stopped": "您的换货尚未办理",
            "booked_text": "新商品即将发出。",
            "waiting_text": "稍等片刻，您可以继续发消息。",
            "stopped_text": _STOPPED_ZH,
            "accepted": "退货已受理",
            "label": "退货面单已备好",
            "replacement": "新商品已下单",
        },
    },
)
