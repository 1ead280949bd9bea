"""The server of ``[mail]``, as the contract's mailer knows it."""

from __future__ import annotations

from deskhub.config import MailSettings
from deskhub_sdk.smtp import SmtpFailed, SmtpRoute, SmtpServer, Verdict

__all__ = ["SmtpFailed", "SmtpServer", "Verdict", "smtp_server"]


def smtp_server(settings: MailSettings) -> SmtpServer:
    """Return the server that *settings* name; nothing is connected yet."""
    host, port = settings.host_port
    password = settings.password
    return SmtpServer(
        SmtpRoute(
            host, port, settings.tls, settings.user,
            password.get_secret_value() if password else None, settings.ca,
            settings.sender_address.domain,
        )
    )  # fmt: skip
