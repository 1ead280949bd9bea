"""Adapters that fail in every way there is, as the bodies of their classes."""

from __future__ import annotations

HEAD = """
import asyncio, ctypes, os, re, sys, time
from deskhub_sdk import *
from deskhub_sdk.cards import Card, TextBlock
from pydantic import SecretStr

class TestConfig(Config):
    base_url: str = "http://127.0.0.1:1"
    token: SecretStr = SecretStr("none")

def card(text):
    return Card(id="one", title="One", blocks=(TextBlock(text),))

class Test(Adapter[TestConfig]):
    meta = Meta(id="fake", name="Fake", sdk=">=1.0,<2",
                permissions=Permissions(net=("{config.base_url}",), writes=("note",)))
    config_model = TestConfig
"""


def says(body: str) -> str:
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return f"    @hookimpl\n    async def diagnostics(self):\n{lines}\n"


FAULTS: dict[str, tuple[str, str]] = {
    "burns CPU": ("while True: pass", "did not answer"),
    "holds the interpreter in a regex": ("re.match(r'(a+)+$', 'a' * 64 + 'b')", "did not answer"),
    "exits": ("os._exit(3)", "ended by itself with code 3"),
    "segfaults": ("ctypes.string_at(0)", "SIGSEGV"),
    "leaks": ("kept = []\nwhile True: kept.append(bytearray(16 * 1024 * 1024))", "memory"),
    "floods its output": (
        "while True:\n    sys.stdout.write('x' * 8192 + '\\n')\n    await asyncio.sleep(0)",
        "printed more than",
    ),
    "sends garbage": ("import socket\nsocket.socket(fileno=os.dup(self.fd())).sendall(b'\\x00\\x00\\x00\\x04junk')", "no frame"),
    "sends a frame that is too large": (
        "import socket\nsocket.socket(fileno=os.dup(self.fd())).sendall(b'\\x7f\\xff\\xff\\xff')",
        "a frame of",
    ),
}  # fmt: skip
FD = """
    def fd(self):
        return self.ctx.http._peer._transport.get_extra_info("socket").fileno()
"""
