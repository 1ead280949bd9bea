"""Signatures of GitHub and Shopify, judged by their own libraries on node."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deskhub_orders_shopify.simulator import Shopify
from deskhub_sdk import WebhookRequest
from deskhub_sdk.webhooks import GITHUB, SHOPIFY, sign, verify

PEERS = Path(__file__).with_name("peers")
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
BODY = '{"action": "opened", "text": "\u4f60\u597d & <b>"}'
SECRET = "a secret of the sender"


@pytest.fixture(scope="module")
def judge() -> Callable[..., Any]:
    """Ask a library; its packages are there after ``npm ci`` in the folder `peers`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no node here")
    if not (PEERS / "node_modules").exists():
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(
                command, check=False, cwd=PEERS, capture_output=True, timeout=120
            )
        except subprocess.TimeoutExpired:
            pytest.skip("npm ci does not end here")
        if done.returncode != 0:
            pytest.skip("npm ci does not work here")

    def ask(what: str, **told: Any) -> Any:
        line = json.dumps({"what": what, **told})
        answer = subprocess.run(
            [node, "check.mjs"],
            check=False,
            cwd=PEERS,
            input=line,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    return ask


def test_octokit_believes_us_and_we_believe_it(judge: Callable[..., Any]) -> None:
    ours = sign(GITHUB, [SECRET], BODY.encode(), at=NOW, id="d_1")[GITHUB.header]
    theirs = judge("github.sign", secret=SECRET, body=BODY)

    assert judge("github.verify", secret=SECRET, body=BODY, header=ours) is True
    assert judge("github.verify", secret="other", body=BODY, header=ours) is False
    request = WebhookRequest(
        instance="far", headers={GITHUB.header: theirs, "x-github-delivery": "d_1"},
        body=BODY.encode(), received_at=NOW,
    )  # fmt: skip
    assert verify(request, GITHUB, [SECRET]) == "d_1"


def test_shopifys_library_believes_us(judge: Callable[..., Any]) -> None:
    headers = {
        "x-shopify-topic": "orders/updated", "x-shopify-shop-domain": "acme.myshopify.com",
        "x-shopify-webhook-id": "w_1", "x-shopify-api-version": "2026-10",
    }  # fmt: skip
    signed = headers | sign(SHOPIFY, [SECRET], BODY.encode(), at=NOW, id="e_1")

    assert judge("shopify.verify", secret=SECRET, body=BODY, headers=signed) is True
    assert judge("shopify.verify", secret="other", body=BODY, headers=signed) is False


def test_shopifys_library_believes_the_simulated_shop(judge: Callable[..., Any]) -> None:
    shop = Shopify(webhook_secret=SECRET)
    shop.url = "http://acme.myshopify.com"
    (order, *_) = shop.records.orders.values()
    hook = shop.hook(order)
    told: dict[str, Any] = {"body": hook.body.decode(), "headers": dict(hook.headers)}

    assert judge("shopify.verify", secret=SECRET, **told) is True
    assert (
        judge("shopify.verify", secret=SECRET, **told | {"body": told["body"] + " "}) is False
    )
