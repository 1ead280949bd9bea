"""What an admin sets for Tryton."""

from __future__ import annotations

from pydantic import Field, SecretStr

from deskhub_sdk.rest import RestConfig


class TrytonConfig(RestConfig):
    """Where Tryton is, a user application key, and how returns are handled."""

    token: SecretStr = Field(description="A user application key for the REST API.")
    database: str = Field(
        pattern=r"^[A-Za-z0-9_.-]{1,63}$", description="The database's name in the address."
    )
    company: str | None = Field(
        default=None, description="The company's name, where the key sees several."
    )
    warehouse: str | None = Field(
        default=None, description="The code of the warehouse whose stock counts; else all."
    )
    goods_days: int = Field(
        default=14, ge=1, le=365, description="Days in which a returned parcel is awaited."
    )
    post_credit_notes: bool = Field(
        default=True, description="Post the credit note; else it stays a draft for a person."
    )
    poll_s: float = Field(
        default=30.0, ge=1, le=3600, description="Seconds between two looks for changes."
    )
    posting_timeout_s: float = Field(
        default=30.0,
        ge=1,
        le=120,
        description="How long posting may take; it is slow.",
    )
