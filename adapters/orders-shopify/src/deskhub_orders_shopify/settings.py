"""What an admin sets for a Shopify shop."""

from __future__ import annotations

from pydantic import Field, SecretStr

from deskhub_sdk.rest import PushingConfig


class ShopifyConfig(PushingConfig):
    """Where the shop is, an app's token and secret, and the policy for returns."""

    base_url: str = Field(description="The shop's own address, https://NAME.myshopify.com.")
    token: SecretStr = Field(description="The Admin API access token of an app in this shop.")
    webhook_secret: SecretStr = Field(
        description="The app's client secret, with which Shopify signs webhooks."
    )
    # A repetition carries the first payload for four hours (Shopify, HTTPS webhooks).
    webhook_max_age_s: float = Field(
        default=21_600.0, gt=0, le=86_400, description="How old a webhook may be."
    )
    customer_prefix: str = Field(
        default="",
        max_length=20,
        description="What stands before Shopify's customer id in your customer numbers.",
    )
    return_days: int = Field(
        default=30, ge=0, le=3650, description="Days after delivery in which a return is taken."
    )
    orders_ttl_s: float = Field(
        default=30.0, ge=0, le=3600, description="How long an order may be shown unread again."
    )
