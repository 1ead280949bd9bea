"""Actions as tools for a model: it reads and proposes; the hub and a person decide."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import aiohttp

JsonObject = dict[str, Any]
CALL_S = 30.0
_TEXT = {"type": "string"}


class Refused(Exception):
    """The hub said no; *problem* is its answer for the model to read."""

    def __init__(self, problem: JsonObject) -> None:
        """Keep the *problem*."""
        super().__init__(str(problem.get("code", "refused")))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What the model may confirm by itself: nothing, unless whoever starts it says so."""

    amount: Decimal = Decimal(0)
    currency: str = ""

    @classmethod
    def parse(cls, text: str) -> Ceiling:
        """Return the ceiling in *text*; empty is nothing. Raises `ValueError`."""
        if not text:
            return cls()
        amount, _, currency = text.partition(" ")
        try:
            value = Decimal(amount)
        except InvalidOperation as error:
            raise ValueError(f"not an amount: {text!r}") from error
        if not value.is_finite() or value < 0 or len(currency) != 3:
            raise ValueError(f"not an amount: {text!r}")
        return cls(value, currency)

    def covers(self, plan: Mapping[str, Any]) -> bool:
        """Return whether *plan* may run without a person."""
        amount = plan.get("amount")
        if amount is None or not self.currency:
            return False
        return bool(
            amount["currency"] == self.currency and Decimal(amount["money"]) <= self.amount
        )


class HubApi:
    """The hub's REST interface with one agent's token; nothing here can do more than they."""

    def __init__(self, url: str, token: str) -> None:
        """Call *url* as the agent whose *token* this is."""
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str, body: JsonObject | None = None) -> Any:  # noqa: ANN401  JSON
        """Return the answer. Raises `Refused` with the hub's own problem."""
        async with (
            asyncio.timeout(CALL_S),
            aiohttp.ClientSession(headers=self._headers) as session,
            session.request(method, f"{self._url}{path}", json=body) as answer,
        ):
            told = await answer.json(content_type=None)
            if answer.status >= 400:
                raise Refused(told if isinstance(told, dict) else {"code": "failed"})
            return told


class Toolbox:
    """The tools a model is given: look, plan each kind of action, and hand a plan over."""

    def __init__(self, api: HubApi, ceiling: Ceiling) -> None:
        """Act through *api*; up to *ceiling* a plan may be confirmed at once."""
        self._api = api
        self._ceiling = ceiling

    async def tools(self) -> list[JsonObject]:
        """Return every tool: name, description, JSON Schema, and whether it only reads."""
        found = [
            _tool(
                "available_actions",
                "List what can be done in a conversation, and if not, why.",
                {"conversation": _TEXT},
            )
        ]
        found += [
            _tool(
                name_of(kind["type"]),
                f"{kind['title']}: preview every effect in every system. Changes nothing."
                " Returns plan, digest and approval.",
                {"conversation": _TEXT, **kind["schema"]["properties"]},
                required=("conversation", *kind["schema"]["required"]),
            )
            for kind in await self._kinds()
        ]
        found.append(
            _tool(
                "confirm_plan",
                "Hand a plan over to be run. Above the configured limit, which is nothing"
                " unless it was set, it waits for a person in the console.",
                {"plan": _TEXT, "digest": _TEXT},
                reads=False,
            )
        )
        found.append(_tool("run_status", "Say how a run stands.", {"run": _TEXT}))
        return found

    async def use(self, name: str, arguments: Mapping[str, Any]) -> JsonObject:
        """Use one tool. Raises `Refused`."""
        given = dict(arguments)
        if name == "available_actions":
            path = f"/api/v1/conversations/{_id(given, 'conversation')}/actions"
            return dict(await self._api.call("GET", path))
        if name == "run_status":
            return dict(await self._api.call("GET", f"/api/v1/runs/{_id(given, 'run')}"))
        if name == "confirm_plan":
            return await self._confirm(_id(given, "plan"), str(given.get("digest", "")))
        types = {name_of(kind["type"]): kind["type"] for kind in await self._kinds()}
        if name not in types:
            raise Refused({"code": "unknown_tool", "detail": name})
        body = {"conversation": given.pop("conversation", ""), "input": given}
        return dict(await self._api.call("POST", f"/api/v1/actions/{types[name]}/plan", body))

    async def _kinds(self) -> list[JsonObject]:
        """Return every kind of action of the hub, those of adapters included."""
        return list((await self._api.call("GET", "/api/v1/actions"))["actions"])

    async def _confirm(self, plan: str, digest: str) -> JsonObject:
        """Confirm within the ceiling, else leave the plan to a second person.

        The plan is read from the hub: what the model says about it decides nothing.
        """
        view = await self._api.call("GET", f"/api/v1/plans/{plan}")
        if digest != view["digest"]:
            raise Refused({"code": "digest_mismatch", "detail": "Plan again and compare."})
        if view["approval"] is None and self._ceiling.covers(view):
            body = {"digest": digest}
            done = await self._api.call("POST", f"/api/v1/plans/{plan}/confirm", body)
            return {"state": "running", **done}
        asked = await self._api.call("POST", f"/api/v1/plans/{plan}/ask", {"propose": True})
        return {
            "state": "waiting_for_a_person",
            "approval": asked["id"],
            "expires_at": asked["expires_at"],
        }


def name_of(type_: str) -> str:
    """Return the tool's name: ``plan_order_return``."""
    return "plan_" + re.sub(r"[^a-z0-9]+", "_", type_.partition("@")[0])


def _tool(
    name: str,
    description: str,
    properties: JsonObject,
    *,
    required: tuple[str, ...] | None = None,
    reads: bool = True,
) -> JsonObject:
    return {
        "name": name,
        "description": description,
        "schema": {
            "type": "object",
            "properties": properties,
            "required": list(properties if required is None else required),
            "additionalProperties": False,
        },
        "reads": reads,
    }


def _id(given: Mapping[str, Any], name: str) -> str:
    """Return an id that is one: it becomes part of a path."""
    value = str(given.get(name, ""))
    if not value or not all(c.isalnum() or c in "_-" for c in value):
        raise Refused({"code": "invalid", "detail": f"{name} is not an id"})
    return value
