"""A mail server of the tests' own: a real one on loopback that can refuse, stall and hang up."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email
import email.policy
import ipaddress
import queue
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Office:
    """What arrived, and what is answered: *data* and *rcpt* are taken one by one.

    An answer is an SMTP line, ``hang up`` (the text is kept, nobody is told) or ``stall``.
    """

    port: int = 0
    data: list[str] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    arrived: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    visits: int = 0
    on_data: Callable[[], None] = lambda: None
    secret: tuple[str, str] | None = None

    async def handle_RCPT(  # noqa: N802  the library's name
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        self.visits += 1
        answer = self.rcpt.pop(0) if self.rcpt else "250 OK"
        if answer == "stall":
            await asyncio.sleep(3600)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.data.pop(0) if self.data else "250 OK"
        if answer[0] in "hs2":
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.arrived.append(message)
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self.on_data()
        if answer == "stall":
            await asyncio.sleep(3600)
        if answer == "hang up":
            server.transport.abort()
        return answer

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _how: str, given: Any):
        told = (given.login.decode(), given.password.decode())
        return AuthResult(success=told == self.secret, handled=False)

    async def until(self, count: int, within_s: float = 20.0) -> EmailMessage:
        """Return the last message when *count* arrived."""
        async with asyncio.timeout(within_s):
            while len(self.arrived) < count:
                await asyncio.sleep(0.01)
        assert len(self.arrived) == count, [one["Subject"] for one in self.arrived]
        return self.arrived[-1]


@contextlib.asynccontextmanager
async def office(
    *,
    context: ssl.SSLContext | None = None,
    starttls: bool = False,
    secret: tuple[str, str] | None = None,
    port: int = 0,
) -> AsyncIterator[Office]:
    """Run a mail server on loopback, with TLS from the start or on demand."""
    here = Office(secret=secret)
    loop = asyncio.get_running_loop()

    def connected() -> SMTP:
        with warnings.catch_warnings():
            # It cannot know that the connection was encrypted before it began.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(
                here, hostname="localhost", loop=loop,
                tls_context=context if starttls else None, require_starttls=starttls,
                authenticator=here.authenticate if secret else None,
                auth_required=secret is not None, auth_require_tls=starttls,
            )  # fmt: skip

    server = await loop.create_server(
        connected, "127.0.0.1", port, ssl=None if starttls else context
    )
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's side for 127.0.0.1, and the file that makes a client believe it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    ca, chain = folder / "ca.pem", folder / "server.pem"
    ca.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + ca.read_bytes()
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return context, ca


@contextlib.contextmanager
def office_beside() -> Iterator[Office]:
    """Run a mail server in a thread, for tests without a loop of their own."""
    found: queue.Queue[tuple[Office, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def run() -> None:
        ended = asyncio.Event()
        async with office() as here:
            found.put((here, asyncio.get_running_loop(), ended))
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    here, loop, ended = found.get(timeout=20)
    try:
        yield here
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
