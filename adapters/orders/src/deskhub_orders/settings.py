"""The settings of one shop."""

from __future__ import annotations

from pydantic import Field, SecretStr

from deskhub_sdk.rest import PushingConfig


class OrdersConfig(PushingConfig):
    """Where the shop is, its token, its webhook's secrets, and its return policy."""

    token: SecretStr = Field(description="A token that may read orders and create returns.")
    return_days: int = Field(
        default=30, ge=0, le=3650, description="Days after delivery in which a return is taken."
    )
    orders_ttl_s: float = Field(
        default=30.0, ge=0, le=3600, description="How long an order may be shown unread again."
    )
