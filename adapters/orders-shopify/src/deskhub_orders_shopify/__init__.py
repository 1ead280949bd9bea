"""A Shopify shop: orders, live, with returns, refunds and cancellations."""

from deskhub_orders_shopify.adapter import OrdersShopify
from deskhub_orders_shopify.settings import ShopifyConfig

__all__ = ["OrdersShopify", "ShopifyConfig"]
