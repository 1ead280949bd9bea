"""A hub on a real port with files in a folder of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deskhub.chat.commands import OpenConversation
from tests.files import made
from tests.support.chat import ChatHub, chat_hub, person


@dataclass
class Desk:
    """The hub, the folder its data lie in, and what people do there."""

    hub: ChatHub
    data: Path

    async def open(self, visitor: str = "v_1") -> str:
        command = OpenConversation("web", "hello")
        done = await self.hub.chat.do(person("visitor", visitor), command, cid=f"{visitor}-0")
        return done.conversation

    async def upload(
        self, token: str, content: bytes | None = None, name: str = "shoe.jpg", **more: Any
    ) -> httpx2.Response:
        body = made.TEXT if content is None else content
        async with self.hub.http(token) as client:
            return await client.post(
                "/api/v1/files", params={"name": name}, content=body, **more
            )

    async def uploaded(self, token: str, content: bytes | None = None, **more: Any) -> str:
        answer = await self.upload(token, content, **more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["file"])

    async def send(
        self, token: str, conversation: str, files: list[str], cid: str = "m-1", text: str = ""
    ) -> httpx2.Response:
        async with self.hub.http(token) as client:
            return await client.post(
                f"/api/v1/conversations/{conversation}/messages",
                json={"text": text, "files": files}, headers={"idempotency-key": cid},
            )  # fmt: skip

    async def links(self, token: str, files: list[str]) -> httpx2.Response:
        async with self.hub.http(token) as client:
            return await client.post("/api/v1/files/links", json={"files": files})

    async def get(self, address: str) -> httpx2.Response:
        async with httpx2.AsyncClient(base_url=self.hub.api, timeout=30) as client:
            return await client.get(address)

    def kept(self) -> list[str]:
        """Return every file in the folder, and everything that waits in front of it."""
        found = [*(self.data / "files").rglob("*"), *(self.data / "incoming").rglob("*")]
        return sorted(path.name for path in found if path.is_file())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with chat_hub(tmp_path / "hub.db") as hub:
        yield Desk(hub, tmp_path / "data")
