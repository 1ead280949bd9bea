"""The form before a conversation: a visitor answers it, an agent reads the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from deskhub.chat.forms import ANSWER_CHARS, FIELDS_MAX, checked_answers, read_form
from deskhub.edge.auth import requires
from deskhub.edge.fields import Input
from deskhub.edge.views import here_of
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.store import conversations, inboxes, prechat
from deskhub.store.tx import Connection, Tx

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

Asked = Annotated[Principal, Depends(requires(Permission.CONVERSATION_OPEN))]
Reader = Annotated[Principal, Depends(requires(Permission.CONVERSATION_LIST))]
Name = Annotated[str, Field(max_length=40)]
Text = Annotated[str, Field(max_length=ANSWER_CHARS)]


class FormView(BaseModel):
    """What the caller has to fill in before the first message, null for nothing."""

    form: dict[str, Any] | None


class AnswersBody(Input):
    """Answers by the names of the form's properties; true and false are ticks."""

    answers: Annotated[dict[Name, Text | bool], Field(max_length=2 * FIELDS_MAX)]


class ToldView(BaseModel):
    """What was answered, in the form's order, with its questions in every language."""

    answers: list[dict[str, Any]]


def router(hub: Hub) -> APIRouter:
    """Return the routes of the form."""
    routes = APIRouter(prefix="/api/v1", tags=["inboxes"])

    @routes.get("/prechat")
    async def asked(principal: Asked) -> FormView:
        """Return the form as it is asked now."""
        return await hub.store.read(lambda db: _form(db, principal))

    @routes.put("/prechat")
    async def answer(body: AnswersBody, principal: Asked) -> FormView:
        """Keep the caller's answers for their first message, or name what is wrong with each.

        ``prechat_needed`` comes with one error for each answer that is missing or wrong.
        """

        def keep(tx: Tx) -> FormView:
            schema = inboxes.setting(tx.connection, tx.tenant, _inbox(principal)).prechat
            if schema is None:
                # It was taken away while it was filled in: there is nothing to keep.
                return FormView(form=None)
            prechat.keep(tx, principal.id, checked_answers(read_form(schema), body.answers))
            return _form(tx.connection, principal)

        return await hub.store.transact(principal.tenant, keep)

    @routes.get("/conversations/{conversation}/prechat")
    async def told(conversation: str, principal: Reader) -> ToldView:
        """Return what the customer answered before the conversation."""

        def query(db: Connection) -> ToldView:
            conversations.load(db, principal, conversation)
            return ToldView(answers=prechat.told(db, principal.tenant, conversation))

        return await hub.store.read(query)

    return routes


def _form(connection: Connection, principal: Principal) -> FormView:
    here = here_of(connection, principal.tenant, _inbox(principal), principal.id)
    return FormView(form=here.prechat)


def _inbox(principal: Principal) -> str:
    (inbox,) = principal.inboxes or ("",)
    return inbox
