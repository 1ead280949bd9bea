"""Mail to customers over REST: transcripts, where answers go, and what did not leave."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response

from deskhub.clock import rfc3339
from deskhub.edge.auth import requires
from deskhub.edge.fields import Email, Input
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.notify.address import masked
from deskhub.store.conversations import current_of_visitor
from deskhub.store.mails import MailKind, MailRow, MailState

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

Writer = Annotated[Principal, Depends(requires(Permission.MESSAGE_POST))]
Visitor = Annotated[Principal, Depends(requires(Permission.CONVERSATION_OPEN))]
Admin = Annotated[Principal, Depends(requires(Permission.MAIL_ADMIN, agents_only=True))]
States = Annotated[list[MailState], Query(max_length=5)]

# The page that a mail's footer leads to: one form, no script, no style.
_PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
}


class Nothing(Input):
    """A command without anything to say."""


class Asked(BaseModel):
    """A transcript that will be mailed; *to* is the address, most of it hidden."""

    mail: str
    state: MailState
    to: str


class ContactView(BaseModel):
    """Where answers go while the visitor is away.

    *mail* says whether this hub sends any; *vouched*, whether somebody else than the visitor
    knows the address.
    """

    mail: bool
    to: str | None
    vouched: bool


class ContactBody(Input):
    """Where answers shall go; null forgets it."""

    address: Email | None


class MailView(BaseModel):
    """A mail and how far it came; *error* says why it did not leave."""

    mail: str
    kind: MailKind
    state: MailState
    conversation: str
    to: str
    attempts: int
    error: str
    created_at: str
    next_at: str | None
    sent_at: str | None


class MailsView(BaseModel):
    """Mails, newest first, at most 200."""

    mails: list[MailView] = Field(max_length=200)


def router(hub: Hub) -> APIRouter:
    """Return the routes of mail."""
    routes = APIRouter(tags=["mail"])
    _customers(hub, routes)
    _admins(hub, routes)
    _footer(hub, routes)
    return routes


def _customers(hub: Hub, routes: APIRouter) -> None:
    @routes.post("/api/v1/conversations/{conversation}/transcript", status_code=202)
    async def transcript(conversation: str, _: Nothing, principal: Writer) -> Asked:
        """Mail all that was said so far to the customer; asked twice, it is one mail."""
        row = await hub.mail.transcript(principal, conversation)
        return Asked(mail=row.id, state=row.state, to=masked(row.address))

    @routes.get("/api/v1/contact")
    async def contact(principal: Visitor) -> ContactView:
        """Return where answers go while the visitor is away."""
        return await _contact_view(hub, principal)

    @routes.put("/api/v1/contact")
    async def leave(body: ContactBody, principal: Visitor) -> ContactView:
        """Leave an address for answers that come while nobody reads the chat."""
        await hub.mail.leave_contact(principal, body.address)
        return await _contact_view(hub, principal)


async def _contact_view(hub: Hub, principal: Principal) -> ContactView:
    current = await hub.store.read(lambda db: current_of_visitor(db, principal))
    reach = await hub.mail.reach(principal, current.id if current else None)
    return ContactView(mail=reach.is_on, to=reach.to, vouched=reach.vouched)


def _admins(hub: Hub, routes: APIRouter) -> None:
    @routes.get("/api/v1/mails")
    async def mails(principal: Admin, state: States = ["failed", "unknown"]) -> MailsView:  # noqa: B006  FastAPI copies it
        """Return mails, those that did not leave unless other states are named."""
        rows = await hub.mail.listed(principal.tenant, state)
        return MailsView(mails=[_view(row) for row in rows])

    @routes.post("/api/v1/mails/{mail}/retry", status_code=204)
    async def retry(mail: str, _: Nothing, principal: Admin) -> Response:
        """Send a mail that failed; one of state unknown may then arrive twice."""
        await hub.mail.again(principal.tenant, mail)
        return Response(status_code=204)

    @routes.delete("/api/v1/mails/{mail}", status_code=204)
    async def drop(mail: str, principal: Admin) -> Response:
        """Forget a mail that has not left."""
        await hub.mail.drop(principal.tenant, mail)
        return Response(status_code=204)


def _footer(hub: Hub, routes: APIRouter) -> None:
    @routes.get("/mail/{token}", response_class=HTMLResponse, include_in_schema=False)
    async def ask(token: str) -> Response:
        """Show the one question of a mail's footer; looking changes nothing."""
        tenant, address = hub.mail.links.read(token)
        return _page(address, is_stopped=await hub.mail.is_stopped(tenant, address))

    @routes.post("/mail/{token}", response_class=HTMLResponse, include_in_schema=False)
    async def answer(token: str, do: Literal["stop", "again"] = "stop") -> Response:
        """End answers by mail, or begin them again; mail programs press it too (RFC 8058)."""
        tenant, address = hub.mail.links.read(token)
        await hub.mail.stop(tenant, address, is_wanted=do == "again")
        return _page(address, is_stopped=do == "stop")


def _page(address: str, *, is_stopped: bool) -> Response:
    to = escape(masked(address))
    if is_stopped:
        said = (f"{to} gets no answers by mail.", f"{to} 不再接收邮件回复。")
        do, button = "again", "Send them again / 重新接收"
    else:
        said = (f"Answers of the chat are mailed to {to}.", f"聊天回复会发送到 {to}。")
        do, button = "stop", "No more answers by mail / 不再接收"
    body = "".join(f"<p>{one}</p>" for one in said)
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Answers by mail</title>'
        f'<main>{body}<form method="post" action="?do={do}"><button>{button}</button></form>'
        "</main></html>",
        headers=_PAGE_HEADERS,
    )


def _view(row: MailRow) -> MailView:
    return MailView(
        mail=row.id, kind=row.kind, state=row.state, conversation=row.conversation,
        to=masked(row.address) if row.address else "", attempts=row.attempts, error=row.error,
        created_at=rfc3339(row.created_at),
        next_at=rfc3339(row.next_at) if row.state == "waiting" else None,
        sent_at=rfc3339(row.sent_at) if row.sent_at else None,
    )  # fmt: skip
