"""A Dovecot of the tests' own: an unprivileged process with its folder, on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import grp
import imaplib
import os
import pwd
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.tools import needs

USER, PASSWORD = "support", "pa55-for-tests"
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 0
first_valid_gid = 0
mail_uid = {uid}
mail_gid = {gid}
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """Where it listens, and what may be done beside the hub."""

    port: int

    def put(self, data: bytes) -> None:
        with self._signed_in() as client:
            client.append("INBOX", "", None, data)

    def unseen(self) -> int:
        with self._signed_in() as client:
            return len(client.search(None, "UNSEEN")[1][0].split())

    def forget_seen(self) -> None:
        with self._signed_in() as client:
            client.store("1:*", "-FLAGS", r"(\Seen)")

    @contextlib.contextmanager
    def _signed_in(self):
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login(USER, PASSWORD)
        client.select("INBOX")
        try:
            yield client
        finally:
            client.logout()


@contextlib.asynccontextmanager
async def dovecot(folder: Path) -> AsyncIterator[Dovecot]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in ("run", "state", "mail", "home"):
        (folder / name).mkdir(parents=True)
    # Mail of root is read for nobody.
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.getuid())
    os.chmod(folder, 0o711)  # noqa: S103  Dovecot reads as another user than it was started by
    for name in ("mail", "home"):
        os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    file = folder / "dovecot.conf"
    file.write_text(
        CONFIG.format(
            folder=folder, port=port, password=PASSWORD, uid=owner.pw_uid, gid=owner.pw_gid,
            user=getpass.getuser(), group=grp.getgrgid(os.getgid()).gr_name,
            # Dovecot's own user: it refuses to let root speak to strangers.
            login="dovenull" if os.geteuid() == 0 else getpass.getuser(),
        )
    )  # fmt: skip
    program = needs.dovecot() or "dovecot"
    process = await asyncio.create_subprocess_exec(
        program, "-F", "-c", str(file), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(10):
            while True:
                try:
                    imaplib.IMAP4("127.0.0.1", port, timeout=2).logout()
                    break
                except (OSError, imaplib.IMAP4.error):
                    assert process.returncode is None, (folder / "log").read_text()
                    await asyncio.sleep(0.05)
        yield Dovecot(port)
    finally:
        process.terminate()
        await process.wait()
