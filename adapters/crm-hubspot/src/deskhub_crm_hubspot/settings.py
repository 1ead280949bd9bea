"""What an admin sets for a HubSpot account."""

from __future__ import annotations

from pydantic import Field, SecretStr

from deskhub_sdk.rest import PushingConfig


class HubspotConfig(PushingConfig):
    """A private app's token and secret, and which property holds the customer number."""

    base_url: str = Field(
        default="https://api.hubapi.com", description="The address of HubSpot's interface."
    )
    token: SecretStr = Field(description="The access token of a private app.")
    webhook_secret: SecretStr = Field(
        description="The app's client secret, with which HubSpot signs webhooks."
    )
    id_property: str = Field(
        default="customer_number",
        pattern=r"^[a-z][a-z0-9_]{0,99}$",
        description="The contact property, with unique values, that holds your number.",
    )
    portal: int | None = Field(
        default=None, ge=1, description="The account's number, for links to its records."
    )
    profile_ttl_s: float = Field(
        default=30.0, ge=0, le=3600, description="How long a profile may be shown unread again."
    )
