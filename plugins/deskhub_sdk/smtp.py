"""One mail, one visit to the mail server; the text leaves only after all else was accepted.

The hub's own mail and adapters that send some hand it over here. It needs aiosmtplib
(``deskhub-sdk[mail]``), and is the only module of the contract that does.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

import aiosmtplib

ANSWER_S = 30.0
CHECK_S = 10.0
# Servers may think about a message for long; the RFC says ten minutes.
TAKEN_S = 300.0

Verdict = Literal["sent", "later", "refused", "unknown", "withdrawn"]
Tls = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class SmtpRoute:
    """Where mail is handed over, and how: ``none`` sends texts in the clear.

    *ca* is a file of further authorities, *helo* the domain we say we are. *answer_s* is how
    long each step may take, *taken_s* how long the server may think about a whole message.
    """

    host: str
    port: int
    tls: Tls = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None
    helo: str | None = None
    answer_s: float = ANSWER_S
    taken_s: float = TAKEN_S


class SmtpFailed(Exception):
    """The server was not reached, or it refused a step; *is_final* when it will again."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        """Say *why* in words without an address or a text of the mail."""
        super().__init__(why)
        self.is_final = is_final


class SmtpServer:
    """One mail server, which is connected anew for each mail."""

    def __init__(self, route: SmtpRoute) -> None:
        """Speak to the server of *route*; nothing is connected yet."""
        self._route = route

    async def check(self) -> None:
        """Connect, encrypt and sign in, and send nothing. Raises `SmtpFailed`."""
        client = await self._connected(min(CHECK_S, self._route.answer_s))
        try:
            await _quit(client)
        finally:
            client.close()

    async def send(
        self, made: EmailMessage, sender: str, to: str, leave: Callable[[], Awaitable[bool]]
    ) -> tuple[Verdict, str]:
        """Send *made*; return how it ended, and why in words.

        *leave* is asked right before the text goes out, when everything else was accepted:
        whatever it answers True to is either sent, refused, or unknown. Before that nothing
        can have been delivered.
        """
        try:
            client = await self._connected(self._route.answer_s)
        except SmtpFailed as failed:
            return ("refused" if failed.is_final else "later"), str(failed)
        try:
            ended = await self._hand_over(client, made, sender, to, leave)
            await _quit(client)
        finally:
            client.close()
        return ended

    async def _hand_over(
        self,
        client: aiosmtplib.SMTP,
        made: EmailMessage,
        sender: str,
        to: str,
        leave: Callable[[], Awaitable[bool]],
    ) -> tuple[Verdict, str]:
        try:
            await client.mail(sender)
            await client.rcpt(to)
        except aiosmtplib.SMTPResponseException as error:
            return _verdict(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            return "later", type(error).__name__
        if not await leave():
            return "withdrawn", ""
        try:
            await client.data(made.as_bytes(policy=SMTP), timeout=self._route.taken_s)
        except aiosmtplib.SMTPResponseException as error:
            # -1 stands for an answer that was none: the server had the text by then.
            return ("unknown", "no answer") if error.code < 0 else _verdict(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            return "unknown", type(error).__name__
        return "sent", ""

    async def _connected(self, timeout_s: float) -> aiosmtplib.SMTP:
        route = self._route
        client = aiosmtplib.SMTP(
            hostname=route.host,
            port=route.port,
            timeout=timeout_s,
            use_tls=route.tls == "tls",
            start_tls=route.tls == "starttls",
            tls_context=None if route.tls == "none" else self._tls(),
            local_hostname=route.helo,
        )
        try:
            await client.connect()
            if route.user and route.password:
                await client.login(route.user, route.password)
        except ssl.SSLError as error:
            client.close()
            raise SmtpFailed(f"TLS: {error.reason or 'failed'}") from error
        except aiosmtplib.SMTPAuthenticationError as error:
            client.close()
            raise SmtpFailed(f"it does not accept user and password ({error.code})") from error
        except aiosmtplib.SMTPResponseException as error:
            client.close()
            raise SmtpFailed(f"it answered {error.code}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise SmtpFailed(_words(error)) from error
        return client

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._route.ca)
        except OSError as error:
            raise SmtpFailed(f"the file of ca cannot be read: {error.strerror}") from error


def _verdict(error: aiosmtplib.SMTPResponseException) -> tuple[Verdict, str]:
    # A server's sentence may repeat the address; its number says enough.
    return ("refused" if 500 <= error.code < 600 else "later"), f"it answered {error.code}"


def _words(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPConnectTimeoutError | TimeoutError):
        return "it does not answer"
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {getattr(cause, 'verify_message', '') or cause.reason or 'failed'}"
    if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
        return os.strerror(cause.errno)
    # The library's own words about what the server cannot do; none of the server's are in them.
    return str(error) if type(error) is aiosmtplib.SMTPException else type(error).__name__


async def _quit(client: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        await client.quit(timeout=1.0)
