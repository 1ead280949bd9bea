"""The HTTP server: a listener of our own, and uvicorn with other settings than its defaults."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
from collections.abc import Generator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from deskhub.config import Config
from deskhub.edge.errors import PortInUse
from deskhub.edge.protocol import BoundedHttp, StreamSocketProtocol

log = logging.getLogger("deskhub.edge")

BACKLOG = 2048
# A stuck reader otherwise holds about 2.9 MB of kernel buffers.
SEND_BUFFER_BYTES = 128 * 1024
FRAME_BYTES = 64 * 1024
# With the drain before it and closing the store after it, the end takes at most eight seconds,
# also when a hundred readers are stuck.
GRACE_S = 5


class Server(uvicorn.Server):
    """uvicorn that leaves signals to the program: `app.py` alone decides when to stop.

    *listening* is set once clients can connect. Set ``should_exit`` to stop it: no new
    connections, then `GRACE_S` for the open ones.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then say so."""
        await super().startup(sockets)
        if self.started:
            self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Touch no signal handler."""
        yield


def server(app: ASGIApp, config: Config) -> Server:
    """Return the server for *app*; run it with ``serve(sockets=[listener(config)])``."""
    trusted = list(config.hub.trust_proxy)
    settings = uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedHttp,
        ws=StreamSocketProtocol,
        ws_max_size=FRAME_BYTES,
        # Measured: compression costs two to three times the memory of a connection.
        ws_per_message_deflate=False,
        # Heartbeats belong to the protocol above, which also notices a stuck client.
        ws_ping_interval=None,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        backlog=BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(settings)


def listener(config: Config, *, shared: bool = False, listening: bool = True) -> socket.socket:
    """Return a listening socket at the configured address. Raises `PortInUse`.

    A *shared* one leaves room for other processes of the same user at the same port; one
    that is not *listening* only keeps the place.
    """
    host, port = config.hub.listen_host, config.hub.listen_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Accepted connections inherit both. Without NODELAY every answer on a connection that
        # is used again waits 40 ms for the client's delayed acknowledgement (measured).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        sock.bind((host, port))
        if listening:
            sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno != errno.EADDRINUSE:
            raise
        pid = pid_at(port)
        by = f"pid {pid}" if pid else "another program"
        raise PortInUse(f"{host}:{port} is used by {by}") from error
    sock.setblocking(False)  # noqa: FBT003  the socket module's own signature
    return sock


def pid_at(port: int) -> int | None:
    """Return which process listens on *port*, where the system tells (Linux, own processes)."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for handle in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if os.readlink(handle) in wanted:
                        return int(process.name)
    return None


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                at_port = int(fields[1].rpartition(":")[2], 16)
                if at_port == port and fields[3] == "0A":
                    found.add(fields[9])
    return found
