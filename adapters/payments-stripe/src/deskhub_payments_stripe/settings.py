"""The settings of one Stripe account."""

from __future__ import annotations

from pydantic import Field, SecretStr

from deskhub_sdk.rest import PushingConfig

NAME = r"^[A-Za-z0-9_-]{1,40}$"


class StripeConfig(PushingConfig):
    """The account's key, its webhook's secrets, and where the shop leaves its own numbers."""

    base_url: str = Field(
        default="https://api.stripe.com", description="Stripe's address; a stand-in in tests."
    )
    token: SecretStr = Field(
        description="A secret or restricted key: reads payments, writes refunds."
    )
    webhook_secret: SecretStr = Field(
        description="The endpoint's signing secret, whsec_ and what follows."
    )
    order_metadata: str = Field(
        default="order_id", pattern=NAME,
        description="Under which name the shop writes its order number at a payment.",
    )  # fmt: skip
    customer_metadata: str = Field(
        default="customer_id", pattern=NAME,
        description="Under which name the shop writes its customer number at a payment.",
    )  # fmt: skip
    payments_ttl_s: float = Field(
        default=30.0, ge=0, le=3600, description="How long a payment may be shown unread again."
    )
    refund_timeout_s: float = Field(
        default=9.0, gt=0, le=9.0, description="How long a refund may take to be answered."
    )
