"""Entrances for customers: what hub.toml says of them, and what an admin decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from deskhub.chat.forms import read_form
from deskhub.edge.auth import requires
from deskhub.edge.fields import Input
from deskhub.errors import NotFound
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store import inboxes
from deskhub.store.tx import Tx

if TYPE_CHECKING:
    from deskhub.config.model import Inbox
    from deskhub.edge.hub import Hub

Admin = Annotated[Principal, Depends(requires(Permission.INBOX_ADMIN, agents_only=True))]


class InboxRow(BaseModel):
    """An inbox as hub.toml and an admin made it.

    *asks_rating* says whether its customers are asked how it was, *prechat* is the form that
    they fill in before the first message, null for none.
    """

    id: str
    name: str
    origins: list[str]
    languages: list[str]
    asks_rating: bool
    prechat: dict[str, Any] | None


class Inboxes(BaseModel):
    """The caller's inboxes, in the order of hub.toml."""

    inboxes: list[InboxRow]


class InboxChange(Input):
    """What an admin decides."""

    asks_rating: bool


class PrechatForm(Input):
    """The form before a conversation, null for none; *save* false only looks at it."""

    form: dict[str, Any] | None
    save: bool = True


def router(hub: Hub) -> APIRouter:
    """Return the routes of inboxes."""
    routes = APIRouter(prefix="/api/v1/inboxes", tags=["inboxes"])

    @routes.get("")
    async def listed(principal: Admin) -> Inboxes:
        """Return the inboxes of the caller's tenant."""
        decided = await hub.store.read(lambda db: inboxes.settings(db, principal.tenant))
        boxes = [one for one in hub.config.inboxes.values() if one.tenant == principal.tenant]
        return Inboxes(
            inboxes=[_row(one, decided.get(one.id, inboxes.Setting())) for one in boxes]
        )

    @routes.patch("/{inbox}")
    async def change(inbox: str, body: InboxChange, principal: Admin) -> InboxRow:
        """Let an inbox ask for ratings or not; it holds at once, in every process."""
        box = _own(hub, inbox, principal)

        def put(tx: Tx) -> inboxes.Setting:
            inboxes.put(tx, inbox, principal.by, asks=body.asks_rating)
            return inboxes.setting(tx.connection, tx.tenant, inbox)

        return _row(box, await hub.store.transact(principal.tenant, put))

    @routes.put("/{inbox}/prechat")
    async def set_form(inbox: str, body: PrechatForm, principal: Admin) -> InboxRow:
        """Let an inbox ask a form before the first message; it holds at once.

        ``form_invalid`` names every mistake of the form by its place. With *save* false
        nothing changes.
        """
        box = _own(hub, inbox, principal)
        if body.form is not None:
            read_form(body.form)

        def put(tx: Tx) -> inboxes.Setting:
            if body.save:
                inboxes.put_prechat(tx, inbox, principal.by, body.form)
            return inboxes.setting(tx.connection, tx.tenant, inbox)

        return _row(box, await hub.store.transact(principal.tenant, put))

    return routes


def _own(hub: Hub, inbox: str, principal: Principal) -> Inbox:
    box = hub.config.inboxes.get(inbox)
    if box is None:
        raise NotFound(f"inbox {inbox}")
    authorize(principal, Permission.INBOX_ADMIN, Scope(box.tenant, box.id))
    return box


def _row(box: Inbox, decided: inboxes.Setting) -> InboxRow:
    return InboxRow(
        id=box.id,
        name=box.name or box.id,
        origins=list(box.origins),
        languages=list(box.languages),
        asks_rating=decided.asks_rating,
        prechat=None if decided.prechat is None else dict(decided.prechat),
    )
