"""The settings of one Zammad."""

from __future__ import annotations

from pydantic import Field, SecretStr

from deskhub_sdk.rest import PushingConfig


class ZammadConfig(PushingConfig):
    """Where Zammad is, an agent's token there, its webhook's secrets, and the groups."""

    token: SecretStr = Field(
        description="A token of an agent, with the permission ticket.agent."
    )
    webhook_secret: SecretStr = Field(
        description="The webhook's HMAC SHA1 signature token; without one nothing is believed."
    )
    webhook_max_age_s: float = Field(
        default=86_400.0, gt=0, le=86_400,
        description="How long ago the ticket of a webhook may have changed.",
    )  # fmt: skip
    group: str = Field(
        default="Users", min_length=1, max_length=160,
        description="The group in which returns are opened.",
    )  # fmt: skip
    escalations: str = Field(
        default="Users", min_length=1, max_length=160,
        description="The group in which agents escalate.",
    )  # fmt: skip
    tickets_ttl_s: float = Field(
        default=30.0, ge=0, le=3600, description="How long a ticket may be shown unread again."
    )
    write_timeout_s: float = Field(
        default=9.0, gt=0, le=9.0, description="How long a change may take to be answered."
    )
