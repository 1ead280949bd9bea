"""``python -m deskhub_sdk.worker FD PARENT``: one adapter, asked by the hub over socket FD."""

from __future__ import annotations

import asyncio
import os
import socket
import sys

from deskhub_sdk.worker.cage import follow_parent


def main() -> int:
    """Serve until the hub's end of the socket closes."""
    number, parent = (int(word) for word in sys.argv[1:3])
    follow_parent(parent)
    # Most of the start is this import; it happens at the worker's own priority.
    from deskhub_sdk.worker.serve import serve  # noqa: PLC0415

    connection = socket.socket(fileno=number)
    connection.setblocking(False)  # noqa: FBT003  its only form
    return asyncio.run(serve(connection))


if __name__ == "__main__":
    # No clean-up by the interpreter: threads of an adapter must not hold the end back.
    os._exit(main())
