"""What an admin sets for Roundup."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from deskhub_sdk import Config

_NAME = r"^[^,\s][^,]{0,79}$"


class RoundupConfig(Config):
    """Where the tracker is, who the hub is there, and how its cases look."""

    base_url: str = Field(description="The tracker's web address, as its config.ini says it.")
    user: str = Field(
        pattern=r"^[^:\s]{1,80}$", description="The name of the hub's user in the tracker."
    )
    password: SecretStr = Field(description="That user's password.")
    customer_prefix: str = Field(
        default="customer:",
        pattern=_NAME,
        description="What stands before a customer's number in the keyword that marks cases.",
    )
    return_keyword: str = Field(
        default="return", pattern=_NAME, description="The keyword of cases for returns."
    )
    escalation_keyword: str = Field(
        default="escalation", pattern=_NAME, description="The keyword of escalations."
    )
    priority: str = Field(
        default="bug", pattern=_NAME, description="The priority of cases for returns."
    )
    escalation_priority: str = Field(
        default="urgent", pattern=_NAME, description="The priority of escalations."
    )
    closed_status: str = Field(
        default="resolved", pattern=_NAME, description="The status that a case is closed with."
    )
    closed_statuses: list[str] = Field(
        default=["resolved", "done-cbb"],
        min_length=1,
        max_length=20,
        description="Every status that means a case is closed.",
    )
    poll_s: float = Field(
        default=30.0, ge=1, le=3600, description="Seconds between two looks for changes."
    )

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("must start with https:// (or http:// inside your own network)")
        return value.rstrip("/")
