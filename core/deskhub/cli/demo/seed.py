"""Fill the demo through the public API, like any other client would."""

from __future__ import annotations

from typing import Any

import aiohttp

from deskhub.cli.demo.people import PEOPLE, TALKS, Talk
from deskhub.cli.demo.systems import DemoFailed
from deskhub.ids import new_secret


class Seeder:
    """Speaks to the hub at *api* and to the shop at *shop*."""

    def __init__(self, http: aiohttp.ClientSession, api: str, shop: str) -> None:
        """Use *http* for both."""
        self._http = http
        self._api = f"{api}/api/v1"
        self._shop = shop
        self._tokens: dict[str, str] = {}

    async def identity(self, customer: str) -> str:
        """Return the identity token that the shop signs for *customer*; good for 10 min."""
        found = await self._json("GET", f"{self._shop}/session?customer={customer}")
        return str(found["identity"])

    async def talks(self) -> None:
        """Write every conversation of the demo."""
        for talk in TALKS:
            await self._talk(talk)

    async def _talk(self, talk: Talk) -> None:
        identity = await self.identity(talk.customer)
        visitor = await self._json(
            "POST", f"{self._api}/visitors", {"inbox": "shop", "identity": identity}
        )
        token = visitor["token"]
        opened = await self._json(
            "POST",
            f"{self._api}/conversations",
            {"body": {"kind": "text", "text": talk.lines[0]}},
            token,
        )
        conversation = opened["conversation"]
        here = f"{self._api}/conversations/{conversation}"
        agent = await self._agent(talk.agent or PEOPLE[0].email)
        if talk.agent:
            me = await self._json("GET", f"{self._api}/agents/me", None, agent)
            await self._json("POST", f"{here}/assign", {"agent": me["id"]}, agent)
        for line in talk.lines[1:]:
            if line.startswith("> "):
                await self._post(f"{here}/messages", {"kind": "text", "text": line[2:]}, agent)
            elif line.startswith("# "):
                await self._post(f"{here}/notes", {"text": line[2:]}, agent)
            else:
                await self._post(f"{here}/messages", {"kind": "text", "text": line}, token)
        if talk.tags:
            await self._post(f"{here}/tags", {"add": list(talk.tags), "remove": []}, agent)

    async def _agent(self, email: str) -> str:
        """Return an access token of the agent with *email*."""
        if email not in self._tokens:
            password = next(one.password for one in PEOPLE if one.email == email)
            session = await self._json(
                "POST", f"{self._api}/sessions", {"email": email, "password": password}
            )
            self._tokens[email] = session["access"]
        return self._tokens[email]

    async def _post(self, url: str, body: dict[str, Any], token: str) -> None:
        await self._json("POST", url, body, token)

    async def _json(
        self, method: str, url: str, body: object = None, token: str | None = None
    ) -> dict[str, Any]:
        headers = {"Idempotency-Key": new_secret(128)}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with self._http.request(method, url, json=body, headers=headers) as answer:
            if answer.status >= 400:
                text = (await answer.text())[:300]
                raise DemoFailed(f"{method} {url} answered {answer.status}", [text])
            return dict(await answer.json(content_type=None))
