"""Conversations over REST: the same commands as on the stream, and lists to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from deskhub.chat import commands as c
from deskhub.chat.model import COMMENT_CHARS, SCORE_MAX, SCORE_MIN
from deskhub.edge.answers import (
    IdempotencyKey,
    ReceiptView,
    fragments,
    json_answer,
    receipt,
)
from deskhub.edge.auth import requires
from deskhub.edge.fields import Id, Input
from deskhub.edge.routes.messages import Message, Text
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.store import conversations, drafts
from deskhub.store import log as event_log
from deskhub.store.tx import Connection, Tx
from deskhub.stream import cursor as cursors
from deskhub.stream.commands import NEW, posted

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

Opener = Annotated[Principal, Depends(requires(Permission.CONVERSATION_OPEN))]
Reader = Annotated[Principal, Depends(requires(Permission.CONVERSATION_READ))]
Lister = Annotated[Principal, Depends(requires(Permission.CONVERSATION_LIST))]
Assigner = Annotated[Principal, Depends(requires(Permission.CONVERSATION_ASSIGN))]
Mover = Annotated[Principal, Depends(requires(Permission.CONVERSATION_STATE))]
Tagger = Annotated[Principal, Depends(requires(Permission.CONVERSATION_TAG))]
Rater = Annotated[Principal, Depends(requires(Permission.CONVERSATION_RATE))]
Marker = Annotated[Principal, Depends(requires(Permission.MESSAGE_MARK))]
Drafter = Annotated[Principal, Depends(requires(Permission.NOTE_POST))]


class OpenBody(Input):
    """A visitor's first message."""

    body: Message
    language: Annotated[str, Field(max_length=20)] | None = None


class AssignBody(Input):
    """Who gets the conversation; null puts it back into the queue."""

    agent: Id | None
    how: Literal["manual", "transfer"] = "manual"


class SnoozeBody(Input):
    """Until when."""

    until: Annotated[AwareDatetime, Field(strict=False)]


class TagsBody(Input):
    """Which tags come and go."""

    add: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=50)
    remove: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=50)


class ReadBody(Input):
    """How far was read."""

    seq: Annotated[int, Field(ge=0, le=2**53)]


class RatingBody(Input):
    """How it was: from 1 (bad) to 5 (good)."""

    score: Annotated[int, Field(ge=SCORE_MIN, le=SCORE_MAX)]
    comment: Annotated[str, Field(max_length=COMMENT_CHARS)] = ""


class Nothing(Input):
    """A command without anything to say."""


class DraftBody(Input):
    """Unsent text; empty text removes it."""

    mode: Literal["reply", "note"]
    text: Text


class DraftView(BaseModel):
    """Both drafts of a conversation."""

    reply: str
    note: str


def router(hub: Hub) -> APIRouter:
    """Return the routes of conversations."""
    routes = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])
    _commands(hub, routes)
    _lists(hub, routes)
    _drafts(hub, routes)
    return routes


def _commands(hub: Hub, routes: APIRouter) -> None:
    chat = hub.chat
    _moves(hub, routes)

    @routes.post("", status_code=201, response_model=ReceiptView)
    async def begin(body: OpenBody, key: IdempotencyKey, principal: Opener) -> Response:
        """Open a conversation with its first message; an open one is continued."""
        said = body.body
        command = posted(
            principal, NEW, said.text, files=tuple(said.files), language=body.language
        )
        return receipt(await chat.do(principal, command, cid=key), created=True)

    @routes.post("/{conversation}/assign", response_model=ReceiptView)
    async def assign(
        conversation: str, body: AssignBody, key: IdempotencyKey, principal: Assigner
    ) -> Response:
        """Give the conversation to an agent, or back to the queue."""
        name = await hub.streams.agent_name(principal, body.agent)
        command = c.Assign(conversation, body.agent, body.how, name)
        return receipt(await chat.do(principal, command, cid=key))

    @routes.post("/{conversation}/tags", response_model=ReceiptView)
    async def tags(
        conversation: str, body: TagsBody, key: IdempotencyKey, principal: Tagger
    ) -> Response:
        """Add and remove tags."""
        command = c.Tag(conversation, tuple(body.add), tuple(body.remove))
        return receipt(await chat.do(principal, command, cid=key))

    @routes.post("/{conversation}/read", response_model=ReceiptView)
    async def read(
        conversation: str, body: ReadBody, key: IdempotencyKey, principal: Marker
    ) -> Response:
        """Say how far the caller has read."""
        return receipt(await chat.do(principal, c.MarkRead(conversation, body.seq), cid=key))

    @routes.post("/{conversation}/unread", response_model=ReceiptView)
    async def unread(
        conversation: str, key: IdempotencyKey, principal: Drafter, _: Nothing | None = None
    ) -> Response:
        """Let the visitor's last message count as unread again."""
        return receipt(await chat.do(principal, c.MarkUnread(conversation), cid=key))


def _moves(hub: Hub, routes: APIRouter) -> None:
    chat = hub.chat

    @routes.post("/{conversation}/close", response_model=ReceiptView)
    async def close(
        conversation: str, key: IdempotencyKey, principal: Mover, _: Nothing | None = None
    ) -> Response:
        """Close the conversation."""
        return receipt(await chat.do(principal, c.Close(conversation), cid=key))

    @routes.post("/{conversation}/rate", response_model=ReceiptView)
    async def rate(
        conversation: str, body: RatingBody, key: IdempotencyKey, principal: Rater
    ) -> Response:
        """Say how it was: once for each closing, within seven days of it."""
        command = c.Rate(conversation, body.score, body.comment)
        return receipt(await chat.do(principal, command, cid=key))

    @routes.post("/{conversation}/reopen", response_model=ReceiptView)
    async def reopen(
        conversation: str, key: IdempotencyKey, principal: Mover, _: Nothing | None = None
    ) -> Response:
        """Take a closed conversation up again."""
        return receipt(await chat.do(principal, c.Reopen(conversation), cid=key))

    @routes.post("/{conversation}/snooze", response_model=ReceiptView)
    async def snooze(
        conversation: str, body: SnoozeBody, key: IdempotencyKey, principal: Mover
    ) -> Response:
        """Put the conversation away until a time to come or the visitor's next message."""
        return receipt(await chat.do(principal, c.Snooze(conversation, body.until), cid=key))

    @routes.post("/{conversation}/wake", response_model=ReceiptView)
    async def wake(
        conversation: str, key: IdempotencyKey, principal: Mover, _: Nothing | None = None
    ) -> Response:
        """Take a snoozed conversation up again."""
        return receipt(await chat.do(principal, c.Wake(conversation), cid=key))


def _lists(hub: Hub, routes: APIRouter) -> None:
    @routes.get("")
    async def page(
        principal: Lister,
        view: conversations.View = "all",
        q: Annotated[str, Query(max_length=200)] = "",
        before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        """Return conversations, the latest message first, those before seq *before*."""

        def query(connection: Connection) -> dict[str, Any]:
            found = conversations.page(
                connection, principal, view, search=q, before=before, limit=limit
            )
            return {
                "conversations": found.views,
                "more": found.more,
                "counts": conversations.counts(connection, principal),
            }

        return json_answer(await hub.store.read(query))

    @routes.get("/{conversation}")
    async def one(conversation: str, principal: Reader) -> Response:
        """Return a conversation with its latest events, and the cursor to go on from."""

        def query(connection: Connection) -> dict[str, Any]:
            cursor = cursors.written(*event_log.position(connection, principal.tenant))
            state = conversations.load(connection, principal, conversation)
            events, more = conversations.events_before(connection, principal, conversation)
            return {
                "conversation": conversations.view_of(connection, principal, state),
                "events": fragments(events),
                "more": more,
                "cursor": cursor,
            }

        return json_answer(await hub.store.read(query))


def _drafts(hub: Hub, routes: APIRouter) -> None:
    @routes.put("/{conversation}/draft", status_code=204)
    async def put(conversation: str, body: DraftBody, principal: Drafter) -> Response:
        """Keep unsent text."""

        def work(tx: Tx) -> None:
            drafts.put(tx, principal, conversation, body.mode, body.text)

        await hub.store.transact(principal.tenant, work)
        return Response(status_code=204)

    @routes.get("/{conversation}/draft")
    async def draft(conversation: str, principal: Drafter) -> DraftView:
        """Return the caller's unsent text."""
        found = await hub.store.read(
            lambda db: drafts.of_conversation(db, principal, conversation)
        )
        return DraftView(**found)
