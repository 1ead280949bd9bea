"""What is said in a conversation: messages, notes, and paging back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.responses import Response

from deskhub.chat.commands import AddNote, Edit
from deskhub.edge.answers import (
    IdempotencyKey,
    ReceiptView,
    fragments,
    json_answer,
    receipt,
)
from deskhub.edge.auth import requires
from deskhub.edge.fields import Id, Input
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.store import conversations
from deskhub.store.tx import Connection
from deskhub.stream.commands import posted
from deskhub.stream.frames import TEXT_CHARS

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

Writer = Annotated[Principal, Depends(requires(Permission.MESSAGE_POST))]
Noter = Annotated[Principal, Depends(requires(Permission.NOTE_POST))]
Reader = Annotated[Principal, Depends(requires(Permission.CONVERSATION_READ))]
Editor = Annotated[Principal, Depends(requires(Permission.MESSAGE_EDIT, agents_only=True))]
Text = Annotated[str, Field(max_length=TEXT_CHARS)]


class Message(Input):
    """What a message says."""

    text: Text
    kind: Literal["text"] = "text"
    files: list[Id] = Field(default=[], max_length=10)
    reply_to: Annotated[int, Field(ge=0)] | None = None


class NoteText(Input):
    """What a note says."""

    text: Text


class EditBody(Input):
    """The new text of the event *seq*; *version* is how often it had been edited before."""

    seq: Annotated[int, Field(ge=0, le=2**53)]
    text: Text
    version: Annotated[int, Field(ge=0, le=2**53)]


def router(hub: Hub) -> APIRouter:
    """Return the routes of messages."""
    routes = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])

    @routes.post("/{conversation}/messages", status_code=201, response_model=ReceiptView)
    async def post(
        conversation: str, body: Message, key: IdempotencyKey, principal: Writer
    ) -> Response:
        """Post a message: 201 the first time, 200 with ``dup`` after that."""
        command = posted(
            principal,
            conversation,
            body.text,
            files=tuple(body.files),
            reply_to=body.reply_to,
        )
        return receipt(await hub.chat.do(principal, command, cid=key), created=True)

    @routes.post("/{conversation}/notes", status_code=201, response_model=ReceiptView)
    async def note(
        conversation: str, body: NoteText, key: IdempotencyKey, principal: Noter
    ) -> Response:
        """Leave a note for agents."""
        done = await hub.chat.do(principal, AddNote(conversation, body.text), cid=key)
        return receipt(done, created=True)

    @routes.post("/{conversation}/edit", response_model=ReceiptView)
    async def edit(
        conversation: str, body: EditBody, key: IdempotencyKey, principal: Editor
    ) -> Response:
        """Give the caller's last message or note another text, within 15 minutes."""
        command = Edit(conversation, body.seq, body.text, body.version)
        return receipt(await hub.chat.do(principal, command, cid=key))

    @routes.get("/{conversation}/messages")
    async def page(
        conversation: str,
        principal: Reader,
        before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> Response:
        """Return events before seq *before*, oldest first, and whether there are older ones."""

        def query(connection: Connection) -> dict[str, Any]:
            conversations.load(connection, principal, conversation)
            found, more = conversations.events_before(
                connection, principal, conversation, before=before, limit=limit
            )
            return {"events": fragments(found), "more": more}

        return json_answer(await hub.store.read(query))

    return routes
