"""Notices from a real server that is killed between deciding and sending, and goes on."""

from __future__ import annotations

import time

import pytest

from tests.notify.browsers import pushery_beside
from tests.support.desk import Desk, call, desk, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PUSH = """
[push]
enabled = true
grace = "300ms"
contact = "mailto:ops@scree.example"
services = ["{url}"]
"""


def answered(product: Desk, subscription: dict) -> None:
    """Let a customer ask, want notices, and go; let an agent answer."""
    visitor = product.visitor("C-1001")
    said = {"body": {"kind": "text", "text": "Where is it?"}}
    opened = product.post("/api/v1/conversations", said, visitor["token"])
    call("PUT", f"{product.api}/api/v1/push", subscription, token=visitor["token"])
    path = f"/api/v1/conversations/{opened['conversation']}/messages"
    product.post(path, {"text": "On Tuesday."}, product.sign_in("agent"))


@pytest.mark.parametrize(("sabotage", "expected"), [("", 1), ("push_again", 2)])
def test_a_server_that_is_killed_while_it_tells_tells_once(
    sabotage: str, expected: int
) -> None:
    """With the planted fault the same kill gives two notices: the test can fail."""
    with pushery_beside() as service, desk(settings=PUSH.format(url=service.url)) as product:
        if sabotage:
            product.kill()
            product.environment = {"DESKHUB_SABOTAGE": sabotage}
            product.start()
        service.answers.append("stall")
        answered(product, service.browser("phone").subscription)
        until(lambda: len(service.arrived) == 1, "the push service was asked")
        product.kill()
        product.start()
        # What would be sent again is due at once; another answer shows that sending goes on.
        until(lambda: "push_interrupted" in log(product) or "pushes_interrupted" in log(product),
              "the next process found it")  # fmt: skip
        time.sleep(2.0)

        assert len(service.arrived) == expected


def log(product: Desk) -> str:
    return (product.folder / "hub.log").read_text(errors="replace")
