"""A shop's orders, live, and return authorizations."""

from deskhub_orders.adapter import Orders
from deskhub_orders.settings import OrdersConfig

__all__ = ["Orders", "OrdersConfig"]
