"""Mail from a real server that is killed between deciding and sending, and goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.notify.office import Office, office_beside
from tests.support.desk import Desk, desk, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MAIL = """
[mail]
server = "127.0.0.1:{port}"
sender = "support@scree.example"
tls = "none"
grace = "300ms"
"""


def mails(product: Desk, state: str) -> list[dict[str, Any]]:
    found = product.get(f"/api/v1/mails?state={state}", product.sign_in("admin"))
    return list(found["mails"])


def answered(product: Desk) -> None:
    """Let a customer ask, leave an address, and go; let an agent answer."""
    visitor = product.visitor("C-1001")
    said = {"body": {"kind": "text", "text": "Where is it?"}}
    opened = product.post("/api/v1/conversations", said, visitor["token"])
    path = f"/api/v1/conversations/{opened['conversation']}/messages"
    product.post(path, {"text": "On Tuesday."}, product.sign_in("agent"))


@pytest.mark.parametrize("moment", ["rcpt", "data"])
def test_a_server_that_is_killed_while_it_mails_sends_once(moment: str) -> None:
    with office_beside() as office, desk(settings=MAIL.format(port=office.port)) as product:
        getattr(office, moment).append("stall")
        answered(product)
        until(lambda: reached(office, moment), "the mail server was asked")
        product.kill()
        product.start()

        if moment == "rcpt":
            until(lambda: bool(mails(product, "sent")), "the mail was sent")
        else:
            until(lambda: bool(mails(product, "unknown")), "the mail lies before a person")

        assert len(office.arrived) == 1
        assert office.envelopes[0][0] == "support@scree.example"
        assert [mails(product, state) for state in ("waiting", "handing", "failed")] == [[]] * 3


def reached(office: Office, moment: str) -> bool:
    return bool(office.visits if moment == "rcpt" else office.arrived)
