"""The kinds of actions that the hub ships: each is data and a small form."""

from __future__ import annotations

from deskhub.actions.kinds.cancelling import ORDER_CANCEL
from deskhub.actions.kinds.escalating import TICKET_ESCALATE
from deskhub.actions.kinds.exchanging import ORDER_EXCHANGE
from deskhub.actions.kinds.refunding import ORDER_REFUND
from deskhub.actions.kinds.returning import ORDER_RETURN

SHIPPED = (ORDER_RETURN, ORDER_EXCHANGE, ORDER_CANCEL, ORDER_REFUND, TICKET_ESCALATE)

__all__ = [
    "ORDER_CANCEL",
    "ORDER_EXCHANGE",
    "ORDER_REFUND",
    "ORDER_RETURN",
    "SHIPPED",
    "TICKET_ESCALATE",
]
