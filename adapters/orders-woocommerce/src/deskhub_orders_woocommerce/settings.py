"""The settings of one WooCommerce shop."""

from __future__ import annotations

import re

from pydantic import Field, SecretStr, field_validator

from deskhub_sdk.rest import PushingConfig

PLACE = "{id}"


class WooConfig(PushingConfig):
    """Where the shop is, a key for it, its webhook's secrets, and its return policy."""

    base_url: str = Field(description="WordPress's address, without /wp-json.")
    consumer_key: str = Field(
        pattern=r"^ck_[A-Za-z0-9_]{1,80}$", description="The key's name, ck_ and what follows."
    )
    token: SecretStr = Field(description="The key's consumer secret, cs_ and what follows.")
    webhook_max_age_s: float = Field(
        default=86_400.0, gt=0, le=86_400,
        description="How long ago the order of a webhook may have changed.",
    )  # fmt: skip
    customer_format: str = Field(
        default=PLACE, max_length=40,
        description="How the chat names a customer; {id} is the number in WordPress.",
    )  # fmt: skip
    return_days: int = Field(
        default=30, ge=0, le=3650,
        description="Days after an order is completed in which a return is taken.",
    )  # fmt: skip
    refund_payment: bool = Field(
        default=True,
        description="Let the shop's payment gateway send the money; else it is only noted.",
    )
    orders_ttl_s: float = Field(
        default=30.0, ge=0, le=3600, description="How long an order may be shown unread again."
    )
    write_timeout_s: float = Field(
        default=9.0, gt=0, le=9.0, description="How long a change may take to be answered."
    )

    @field_validator("customer_format")
    @classmethod
    def _has_a_place(cls, value: str) -> str:
        if value.count(PLACE) != 1:
            raise ValueError("must hold {id} once")
        return value

    def number_of(self, customer: int) -> str:
        """Return how the chat names the customer with WordPress's number *customer*."""
        return self.customer_format.replace(PLACE, str(customer))

    def customer_of(self, number: str) -> int | None:
        """Return WordPress's number of the customer *number*, or None when it is none."""
        before, after = (re.escape(part) for part in self.customer_format.split(PLACE))
        found = re.fullmatch(f"{before}([1-9][0-9]{{0,17}}){after}", number)
        return int(found[1]) if found else None
