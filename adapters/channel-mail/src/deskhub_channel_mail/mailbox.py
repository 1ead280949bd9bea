"""The mailbox in a thread of its own: imap-tools blocks, and nothing here waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from deskhub_channel_mail.settings import MailConfig
from deskhub_sdk import AuthRequired, Unavailable

T = TypeVar("T")
BATCH = 50
_FAULTS = (imaplib.IMAP4.error, ImapToolsError, OSError, ValueError, IndexError, TypeError)


@dataclass(frozen=True, slots=True)
class Found:
    """What is there to read: *validity* is that of the UIDs, which are numbers in order.

    *next_uid* is what the next mail would get. *is_all* says that nothing else is there.
    """

    validity: int
    uids: tuple[int, ...]
    next_uid: int
    is_all: bool


class Box:
    """One connection. Every method has a deadline; after a failure, `close` and begin anew."""

    def __init__(self, config: MailConfig) -> None:
        """Connect nothing yet."""
        self._config = config
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="imap")
        self._box: BaseMailBox | None = None

    async def open(self) -> None:
        """Connect, encrypt, sign in. Raises `AuthRequired` and `Unavailable`."""
        await self._do(self._open)

    async def look(self, after: int, validity: int) -> Found:
        """Return what came after UID *after*; what was not seen where UIDs are others now."""
        return await self._do(lambda: self._look(after, validity))

    async def fetch(self, uid: int) -> tuple[bytes, bool]:
        """Return a mail's bytes and whether they are whole: of a large one only its header."""
        return await self._do(lambda: self._fetch(uid))

    async def done(self, uid: int) -> None:
        """Mark a mail as seen."""
        await self._do(lambda: self._client.uid("STORE", str(uid), "+FLAGS", r"(\Seen)"))

    async def wait(self, most_s: float) -> None:
        """Wait until something came, or *most_s*. Without IDLE it is a pause."""
        if "IDLE" in self._client.capabilities and self._box is not None:
            idle = self._box.idle
            await self._do(lambda: idle.wait(timeout=most_s), most_s)
        else:
            await asyncio.sleep(most_s)

    async def close(self) -> None:
        """Cut the connection; a call under way ends with it."""
        box, self._box = self._box, None
        if box is not None:
            with contextlib.suppress(*_FAULTS):
                box.client.shutdown()
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def _client(self) -> imaplib.IMAP4:
        if self._box is None:
            raise Unavailable("the mailbox is closed")
        return self._box.client

    async def _do(self, work: Callable[[], T], more_s: float = 0.0) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._config.timeout_s * 3 + more_s):
                return await loop.run_in_executor(self._thread, work)
        except (TimeoutError, RuntimeError) as error:
            raise Unavailable("the mailbox does not answer") from error
        except MailboxLoginError as error:
            # The server's words may hold what was sent.
            raise AuthRequired("the mailbox refuses user or password") from error
        except _FAULTS as error:
            raise Unavailable(f"mailbox: {type(error).__name__}") from error

    def _open(self) -> None:
        config = self._config
        host, port, limit = config.imap_host, config.imap_port, config.timeout_s
        box: BaseMailBox
        if config.imap_tls == "none":
            box = MailBoxUnencrypted(host, port, timeout=limit)
        else:
            context = ssl.create_default_context(cafile=config.ca)
            kind = MailBox if config.imap_tls == "tls" else MailBoxStartTls
            box = kind(host, port, timeout=limit, ssl_context=context)
        try:
            password = config.password.get_secret_value()
            if f"{config.user}{password}".isascii():
                box.login(config.user, password, initial_folder=config.folder)
            else:
                box.login_utf8(config.user, password, initial_folder=config.folder)
        except BaseException:
            box.client.shutdown()
            raise
        self._box = box

    def _look(self, after: int, validity: int) -> Found:
        box = self._box
        if box is None:
            raise OSError("closed")
        status = box.folder.status(box.folder.get(), ["UIDVALIDITY", "UIDNEXT"])
        now = status["UIDVALIDITY"]
        known = now == validity
        wanted = f"UID {after + 1}:*" if known else "UNSEEN"
        uids = sorted(int(one) for one in box.uids(wanted, charset=None))
        # The star names the last mail even when it is an old one (RFC 9051, 6.4.4).
        fresh = [one for one in uids if one > after or not known]
        return Found(now, tuple(fresh[:BATCH]), status["UIDNEXT"], len(fresh) <= BATCH)

    def _fetch(self, uid: int) -> tuple[bytes, bool]:
        told: Any = self._client.uid("FETCH", str(uid), "(RFC822.SIZE)")[1]
        text = b" ".join(one for one in told if isinstance(one, bytes))
        size = int(text.upper().partition(b"RFC822.SIZE ")[2].split(b")")[0].split()[0])
        whole = size <= self._config.max_bytes
        part = "(BODY.PEEK[])" if whole else "(BODY.PEEK[HEADER])"
        found: Any = self._client.uid("FETCH", str(uid), part)[1]
        return bytes(next(one[1] for one in found if isinstance(one, tuple))), whole
