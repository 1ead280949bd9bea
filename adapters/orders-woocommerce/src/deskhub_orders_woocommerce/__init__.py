"""Orders, returns and refunds of a WooCommerce shop."""

from deskhub_orders_woocommerce.adapter import OrdersWooCommerce
from deskhub_orders_woocommerce.settings import WooConfig

__all__ = ["OrdersWooCommerce", "WooConfig"]
