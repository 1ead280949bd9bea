"""``deskhub webhook`` at a real hub, with a token that may do only that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.faults.test_kill_webhooks import SETTINGS, endpoint
from tests.support.desk import Desk, desk, until

pytestmark = pytest.mark.timeout(240)


def run(product: Desk, *words: str, token: str = "", code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "deskhub", *words, "--config", str(product.folder / "hub.toml")],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "DESKHUB_TOKEN": token, "DESKHUB_URL": product.api},
    )  # fmt: skip
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout


def told(text: str) -> Any:
    return json.loads(text)["data"]


def test_endpoints_are_listed_tested_and_what_failed_is_replayed() -> None:
    with endpoint() as far, desk(settings=SETTINGS) as product:
        made = run(product, "token", "new", "ops", "--scope", "webhooks.admin", "--json")
        token = told(made)["token"]
        wanted = {"name": "far", "url": far.url, "kinds": ["message.posted"]}
        admin = product.sign_in("admin")
        id_ = product.post("/api/v1/subscriptions", wanted, admin)["subscription"]["id"]

        assert id_ in run(product, "webhook", "list", token=token)
        sent = told(run(product, "webhook", "test", id_, "--json", token=token))["delivery"]
        until(lambda: any(one["id"] == sent for one in far.got), "the test arrived")
        shown = run(product, "webhook", "deliveries", id_, "--state", "done", token=token)
        assert sent in shown
        run(product, "webhook", "replay", id_, sent, token=token)
        until(lambda: [one["id"] for one in far.got].count(sent) == 2, "it came again")
        assert told(run(product, "webhook", "replay", id_, "--json", token=token)) == {
            "replayed": 0
        }
        arrived = run(product, "webhook", "arrived", "--json", token=token)
        assert told(arrived) == []
        missing = run(product, "webhook", "deliveries", "sub_none", token=token, code=4)
        assert missing == ""
