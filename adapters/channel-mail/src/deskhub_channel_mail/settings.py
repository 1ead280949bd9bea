"""What an admin sets for a mailbox."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from deskhub_sdk import Config
from deskhub_sdk.smtp import SmtpRoute

# 42 characters of a token and the plus have to fit into the 64 of a local part.
_ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,21}@[A-Za-z0-9.-]{1,190}")


class MailConfig(Config):
    """One mailbox: where its mail is read, where answers are handed over."""

    address: str = Field(description="The address customers write to; it must take plus tags.")
    name: str = Field(default="", max_length=80, description="The name in front of it.")
    inbox: str = Field(description="The inbox in which conversations are opened.")
    imap_host: str = Field(description="The IMAP server.")
    imap_port: int = Field(default=993, ge=1, le=65535, description="Its port.")
    imap_tls: Literal["tls", "starttls", "none"] = Field(
        default="tls", description="How the way to it is encrypted."
    )
    smtp_host: str = Field(description="The server that takes answers.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_tls: Literal["tls", "starttls", "none"] = Field(
        default="starttls", description="How the way to it is encrypted."
    )
    user: str = Field(description="The user of both servers.")
    password: SecretStr = Field(description="The password of both servers.")
    smtp_login: bool = Field(default=True, description="Sign in before handing over.")
    ca: str | None = Field(default=None, description="A file of further authorities.")
    folder: str = Field(default="INBOX", description="The folder that is read.")
    poll_s: float = Field(
        default=60.0, ge=0.05, le=1200, description="Seconds between two looks, or of one IDLE."
    )
    timeout_s: float = Field(
        default=10.0, ge=0.2, le=30, description="Seconds that a server may take for a step."
    )
    max_bytes: int = Field(
        default=25_000_000,
        ge=1_000,
        le=50_000_000,
        description="The largest mail that is read.",
    )

    @field_validator("address")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        if not _ADDRESS.fullmatch(value):
            raise ValueError("an address such as support@example.com, at most 21 before the @")
        return value.lower()

    @property
    def route(self) -> SmtpRoute:
        """Return where answers are handed over."""
        login = self.smtp_login
        return SmtpRoute(
            self.smtp_host, self.smtp_port, self.smtp_tls, self.user if login else None,
            self.password.get_secret_value() if login else None, self.ca,
            self.address.partition("@")[2], self.timeout_s, 30.0,
        )  # fmt: skip
