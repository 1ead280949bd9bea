"""The settings of one account at a payment provider."""

from __future__ import annotations

from pydantic import Field, SecretStr

from deskhub_sdk.rest import PushingConfig


class PaymentsConfig(PushingConfig):
    """Where the provider is, its token, and the secrets of its webhook."""

    token: SecretStr = Field(description="A token that may read payments and refund.")
    payments_ttl_s: float = Field(
        default=30.0, ge=0, le=3600, description="How long a payment may be shown unread again."
    )
