"""Macros: several commands to one conversation with one request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from deskhub.chat import commands as c
from deskhub.config.macros import Macro
from deskhub.edge.answers import IdempotencyKey
from deskhub.edge.auth import requires
from deskhub.edge.fields import Input
from deskhub.edge.hub import Hub
from deskhub.edge.limits import refuse_until
from deskhub.errors import Invalid, NotFound
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.stream.frames import TEXT_CHARS

Mover = Annotated[Principal, Depends(requires(Permission.CONVERSATION_STATE, agents_only=True))]


class MacroRun(Input):
    """Which macro; *text* is what it says, with the variables filled in by who has read it."""

    macro: Annotated[str, Field(min_length=1, max_length=64)]
    text: Annotated[str, Field(max_length=TEXT_CHARS)] = ""


class MacroDone(BaseModel):
    """The steps that were done, in order, and the seq of the last."""

    done: list[str]
    seq: int


def router(hub: Hub) -> APIRouter:
    """Return the route of macros."""
    routes = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])

    @routes.post("/{conversation}/macro")
    async def run(
        conversation: str, body: MacroRun, key: IdempotencyKey, principal: Mover
    ) -> MacroDone:
        """Do a macro's steps in order; the same key again goes on where it was interrupted.

        The message comes first: when it is refused, nothing else happens.
        """
        macro = macros_of(hub, principal.tenant).get(body.macro)
        if macro is None:
            raise NotFound(f"macro {body.macro}")
        if bool(macro.say) != bool(body.text.strip()):
            raise Invalid(
                "macro text",
                fields=({"path": "text", "code": "say", "text": "Send what the macro says."},),
            )
        if macro.say:
            refuse_until(hub.streams.sends_of(principal).take())
        done, seq = [], 0
        for step, command in _steps(conversation, macro, body.text, principal):
            receipt = await hub.chat.do(principal, command, cid=_cid(key, step))
            done.append(step)
            seq = max(seq, receipt.seq)
        return MacroDone(done=done, seq=seq)

    return routes


def macros_of(hub: Hub, tenant: str) -> dict[str, Macro]:
    """Return the macros of *tenant* by name."""
    return {name: one for name, one in hub.config.macros.items() if one.tenant == tenant}


def macro_views(hub: Hub, tenant: str) -> list[dict[str, Any]]:
    """Return the macros as the console's snapshot holds them."""
    return [
        {
            "id": name,
            "title": one.title,
            "say": one.say,
            "tags": list(one.tags),
            "assign": one.assign,
            "close": one.close,
        }
        for name, one in macros_of(hub, tenant).items()
    ]


def _steps(
    conversation: str, macro: Macro, text: str, principal: Principal
) -> Iterator[tuple[str, c.ChatCommand]]:
    if macro.say:
        yield "say", c.PostMessage(conversation, text)
    if macro.tags:
        yield "tag", c.Tag(conversation, add=macro.tags)
    if macro.assign == "me":
        yield "assign", c.Assign(conversation, principal.id, "manual", principal.name)
    elif macro.assign == "queue":
        yield "assign", c.Assign(conversation, None)
    if macro.close:
        yield "close", c.Close(conversation)


def _cid(key: str, step: str) -> str:
    """Return the id of a step of the request *key*: the same for a repetition."""
    return f"m{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}-{step}"
