"""Others at work: events at a steady rate while somebody uses the console."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.desk import Desk

# What the hub lets one person send stays well above this.
PER_AGENT_PER_S = 18


@dataclass
class Crowd:
    """How much was said, and what went wrong."""

    sent: int = 0
    refused: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def per_s(self) -> float:
        """Return how many events a second there were."""
        return self.sent / max(0.001, time.monotonic() - self.began)


@contextmanager
def talking(desk: Desk, conversations: Sequence[str], *, agents: int = 3) -> Iterator[Crowd]:
    """Let *agents* colleagues answer in *conversations*, one after the other, all the while."""
    crowd, over, lock = Crowd(), threading.Event(), threading.Lock()
    people = [("agent", 1), ("supervisor", 0), ("admin", 0)][:agents]
    tokens = [desk.sign_in(role, index) for role, index in people]
    order = itertools.cycle(conversations)

    def answer(token: str) -> None:
        line = http.client.HTTPConnection(desk.listen, timeout=10)
        at = time.monotonic()
        while not over.is_set():
            with lock:
                one, number = next(order), crowd.sent + crowd.refused
            body = json.dumps({"kind": "text", "text": f"Answer {number}"})
            headers = {
                "Authorization": f"Bearer {token}", "Content-Type": "application/json",
                "Idempotency-Key": f"crowd{number}-{token[-8:]}",
            }  # fmt: skip
            line.request("POST", f"/api/v1/conversations/{one}/messages", body, headers)
            reply = line.getresponse()
            reply.read()
            with lock:
                crowd.sent += reply.status < 300
                crowd.refused += reply.status >= 300
            at += 1 / PER_AGENT_PER_S
            over.wait(max(0.0, at - time.monotonic()))
        line.close()

    threads = [threading.Thread(target=answer, args=[token]) for token in tokens]
    for thread in threads:
        thread.start()
    try:
        yield crowd
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=20)
