"""A hub that is killed right after it took a webhook, or while it sends one: told exactly once."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.desk import Desk, call, desk, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SETTINGS = '\n[webhooks]\nprivate_hosts = ["127.0.0.1"]\n'
ROUNDS = 4


def shown(product: Desk) -> Counter[tuple[str, int]]:
    """Return how often each version of each order was shown."""
    path = product.folder / "data" / "deskhub.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT data FROM event WHERE kind = 'card.shown'").fetchall()
    told = [json.loads(row[0]).get("signal") for row in rows]
    return Counter((one["object"], one["version"]) for one in told if one)


def signals(product: Desk) -> list[tuple[str, str]]:
    path = product.folder / "data" / "deskhub.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return list(db.execute("SELECT object, state FROM signal"))


def underway(product: Desk) -> list[dict[str, Any]]:
    """Return orders that the shop can move on, of different customers."""
    state = call("GET", f"{product.shop}/_sim/state")
    found = {
        one["customer"]: one for one in state["orders"].values() if one["status"] == "paid"
    }
    return list(found.values())


def ask(product: Desk, order: dict[str, Any]) -> None:
    """Let the order's customer open a conversation, so that somebody is shown the change."""
    visitor = product.visitor(order["customer"])
    said = {"body": {"kind": "text", "text": "Where is it?"}}
    product.post("/api/v1/conversations", said, visitor["token"])


def killed_after_202(product: Desk, order: dict[str, Any]) -> int:
    """Let the shop report a change and kill the hub once it said 202; return how often it did."""
    told = call("POST", f"{product.shop}/_sim/advance", {"order": order["number"]})
    product.kill()
    return list(told["webhooks"]).count(202)


def test_what_was_answered_202_is_shown_exactly_once_after_a_kill():
    with desk() as product:
        admin = product.sign_in("admin")
        for order in underway(product)[:ROUNDS]:
            product.adapters_ready(admin)
            ask(product, order)
            assert killed_after_202(product, order) >= 1
            product.start()
            name = f"orders:{order['id']}"
            until(
                lambda name=name: any(key[0] == name for key in shown(product)), "it is shown"
            )
            until(
                lambda: all(state != "pending" for _, state in signals(product)),
                "every signal is settled",
            )
            assert [n for key, n in shown(product).items() if key[0] == name] == [1]


def test_answered_before_it_is_on_disk_it_is_lost():
    """The sabotaged twin."""
    with desk() as product:
        admin, lost = product.sign_in("admin"), 0
        for order in underway(product)[:ROUNDS]:
            ask(product, order)
        product.kill()
        product.environment["DESKHUB_SABOTAGE"] = "ack_before_commit"
        for order in underway(product)[:ROUNDS]:
            product.start()
            product.adapters_ready(admin)
            taken = killed_after_202(product, order)
            stored = [one for one, _ in signals(product) if one == f"orders:{order['id']}"]
            lost += taken > len(stored)

        assert lost > 0


@dataclass
class Far:
    """An endpoint on a thread: it writes down what it gets, and may be slow to answer."""

    got: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    free: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def endpoint() -> Iterator[Far]:
    far = Far()
    far.free.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            far.got.append({"id": self.headers["webhook-id"], **json.loads(body)})
            far.free.wait(30)
            with contextlib.suppress(OSError):
                self.send_response(204)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    far.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield far
    finally:
        far.free.set()
        server.shutdown()
        server.server_close()
        thread.join()


def killed_while_sending(product: Desk, far: Far) -> dict[int, set[str]]:
    """Kill the hub while its messages are answered slowly; return the ids of each event."""
    admin = product.sign_in("admin")
    wanted = {"name": "far", "url": far.url, "kinds": ["message.posted"]}
    product.post("/api/v1/subscriptions", wanted, admin)
    visitor = product.visitor("C-1001")
    said = {"body": {"kind": "text", "text": "Where is it?"}}
    opened = product.post("/api/v1/conversations", said, visitor["token"])
    far.free.clear()
    path = f"/api/v1/conversations/{opened['conversation']}/messages"
    for number in range(3):
        product.post(path, {"text": f"Line {number}"}, visitor["token"])
    until(lambda: len(far.got) >= 2, "messages are under way")
    product.kill()
    far.free.set()
    product.start()
    sent = product.post(path, {"text": "After the kill."}, visitor["token"])["seq"]
    until(lambda: any(one["data"]["seq"] == sent for one in far.got), "the last one arrived")

    def settled() -> bool:
        found = product.get("/api/v1/subscriptions", admin)["subscriptions"]
        return found[0]["waiting"] == 0 and found[0]["done"] >= 5

    until(settled, "everything was taken")
    ids: dict[int, set[str]] = {}
    for one in far.got:
        ids.setdefault(one["data"]["seq"], set()).add(one["id"])
    return ids


def test_a_message_that_was_under_way_is_sent_again_under_its_id():
    with endpoint() as far, desk(settings=SETTINGS) as product:
        ids = killed_while_sending(product, far)

        assert len(far.got) > len(ids), "some had to be sent again"
        assert len(ids) == 5
        assert {len(one) for one in ids.values()} == {1}, "one event is one message"


def test_noted_apart_from_the_cursor_one_event_would_be_two_messages():
    """The sabotaged twin."""
    with endpoint() as far, desk(settings=SETTINGS) as product:
        product.kill()
        product.environment["DESKHUB_SABOTAGE"] = "told_twice"
        product.start()

        ids = killed_while_sending(product, far)

        assert max(len(one) for one in ids.values()) > 1
