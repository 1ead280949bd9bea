"""The page's receiver, as it stands there, against what the hub really sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import ROOT, blocks
from tests.subscriptions.conftest import Desk, Endpoint, endpoint
from tests.support.chat import chat_hub

PAGE = ROOT / "docs/how-to/webhooks.md"


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[tuple[Endpoint, str]]:
    """An endpoint that was told of one message, and its secret."""
    async with endpoint() as far, chat_hub(tmp_path / "hub.db") as hub:
        desk = Desk(hub)
        async with desk.telling():
            _, secret = await desk.subscribe(far, "message.posted")
            await desk.open()
            await far.until(1)
        yield far, secret


async def test_the_examples_receiver_believes_the_hub_once(
    told: tuple[Endpoint, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = blocks(PAGE, "python")
    scope: dict[str, Any] = {"__name__": "example"}
    exec(block.text, scope)  # noqa: S102  the page is our own
    receive, seen = scope["receive"], set[str]()
    far, secret = told
    ((headers, body),) = far.got

    assert receive(secret, body, headers, seen) == 204
    assert receive(secret, body, headers, seen) == 204
    assert receive(secret, body + b" ", headers, seen) == 401
    assert receive("whsec_" + "A" * 44, body, headers, seen) == 401
    assert capsys.readouterr().out.split() == ["message.posted", "2"]
