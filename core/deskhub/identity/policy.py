"""The one authorization function: every transport and every command asks here.

Default deny: what the table does not list is refused. A thing of another tenant, or of
another visitor, does not exist for the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from deskhub.errors import Forbidden, NotFound
from deskhub.identity.model import Principal


class Permission(StrEnum):
    """Everything that can be allowed."""

    CONVERSATION_OPEN = "conversation.open"
    CONVERSATION_READ = "conversation.read"
    CONVERSATION_LIST = "conversation.list"
    MESSAGE_POST = "message.post"
    MESSAGE_MARK = "message.mark"
    MESSAGE_EDIT = "message.edit"
    NOTE_POST = "note.post"
    CONVERSATION_ASSIGN = "conversation.assign"
    CONVERSATION_TAG = "conversation.tag"
    CONVERSATION_STATE = "conversation.state"
    CONVERSATION_LINK = "conversation.link"
    CONVERSATION_RATE = "conversation.rate"
    CARD_SHOW = "card.show"
    CARDS_READ = "cards.read"
    CUSTOMER_READ = "customer.read"
    CUSTOMER_EXPORT = "customer.export"
    CUSTOMER_MERGE = "customer.merge"
    CUSTOMER_ADMIN = "customer.admin"
    SEARCH = "search"
    ACTION_RUN = "action.run"
    ACTION_APPROVE = "action.approve"
    ACTION_RESOLVE = "action.resolve"
    REPORT_READ = "report.read"
    USER_ADMIN = "user.admin"
    ADAPTER_READ = "adapter.read"
    ADAPTER_ADMIN = "adapter.admin"
    AUDIT_READ = "audit.read"
    MAIL_ADMIN = "mail.admin"
    INBOX_ADMIN = "inbox.admin"
    WEBHOOK_ADMIN = "webhook.admin"
    SELF = "self"


@dataclass(frozen=True, slots=True)
class Scope:
    """The facts about a thing that decide who may touch it."""

    tenant: str
    inbox: str | None = None
    visitor: str | None = None


_P = Permission
_AGENT = frozenset(
    {
        _P.CONVERSATION_READ, _P.CONVERSATION_LIST, _P.MESSAGE_POST, _P.MESSAGE_MARK,
        _P.NOTE_POST, _P.CONVERSATION_ASSIGN, _P.CONVERSATION_TAG, _P.CONVERSATION_STATE,
        _P.CONVERSATION_LINK, _P.CARDS_READ, _P.CUSTOMER_READ, _P.SEARCH, _P.ACTION_RUN,
        _P.ACTION_RESOLVE, _P.ADAPTER_READ, _P.SELF, _P.MESSAGE_EDIT,
    }
)  # fmt: skip
_SUPERVISOR = _AGENT | {
    _P.ACTION_APPROVE, _P.REPORT_READ, _P.AUDIT_READ, _P.CUSTOMER_EXPORT, _P.CUSTOMER_MERGE,
}  # fmt: skip

ROLE_TABLE: dict[str, frozenset[Permission]] = {
    "visitor": frozenset(
        {
            _P.CONVERSATION_OPEN, _P.CONVERSATION_READ, _P.MESSAGE_POST, _P.MESSAGE_MARK,
            _P.CONVERSATION_RATE, _P.CARDS_READ, _P.SELF,
        }
    ),
    "agent": _AGENT,
    "supervisor": _SUPERVISOR,
    "admin": _SUPERVISOR | {
        _P.CUSTOMER_ADMIN, _P.USER_ADMIN, _P.ADAPTER_ADMIN, _P.MAIL_ADMIN,
        _P.INBOX_ADMIN,
        _P.WEBHOOK_ADMIN,
    },
    "auditor": frozenset({_P.AUDIT_READ, _P.REPORT_READ, _P.SELF}),
    "system": frozenset(
        {
            _P.CONVERSATION_READ, _P.CONVERSATION_LIST, _P.MESSAGE_POST, _P.CARD_SHOW,
            _P.CONVERSATION_ASSIGN, _P.CONVERSATION_TAG, _P.CONVERSATION_STATE,
            _P.CONVERSATION_LINK, _P.NOTE_POST,
        }
    ),
}  # fmt: skip

# What an adapter's granted writes allow, on top of nothing.
GRANT_TABLE: dict[str, Permission] = {
    "message": _P.MESSAGE_POST,
    "note": _P.NOTE_POST,
    "card": _P.CARD_SHOW,
    "assign": _P.CONVERSATION_ASSIGN,
    "tag": _P.CONVERSATION_TAG,
    "link": _P.CONVERSATION_LINK,
}

# What a scope of an API token allows, on top of nothing. Posting and acting need a person.
SCOPE_TABLE: dict[str, frozenset[Permission]] = {
    "adapters.read": frozenset({_P.ADAPTER_READ}),
    "adapters.admin": frozenset({_P.ADAPTER_READ, _P.ADAPTER_ADMIN}),
    "webhooks.admin": frozenset({_P.WEBHOOK_ADMIN}),
    "conversations.read": frozenset(
        {_P.CONVERSATION_READ, _P.CONVERSATION_LIST, _P.CARDS_READ, _P.CUSTOMER_READ}
    ),
    "audit.read": frozenset({_P.AUDIT_READ, _P.REPORT_READ}),
}


def allowed(principal: Principal) -> frozenset[Permission]:
    """Return everything *principal* may do in its own scope."""
    if principal.kind == "token":
        return frozenset().union(
            *(SCOPE_TABLE.get(one, frozenset()) for one in principal.grants)
        )
    if principal.kind == "adapter":
        return frozenset(GRANT_TABLE[grant] for grant in principal.grants & GRANT_TABLE.keys())
    if principal.kind == "agent":
        return ROLE_TABLE.get(principal.role or "", frozenset())
    return ROLE_TABLE.get(principal.kind, frozenset())


def authorize(principal: Principal, permission: Permission, on: Scope) -> None:
    """Return when *principal* may do *permission* on *on*.

    Raises `NotFound` where the thing is another tenant's, another inbox's or another
    visitor's, so that nobody learns what exists; else `Forbidden`.
    """
    if not in_scope(principal, on):
        raise NotFound(f"{principal.by} {permission} {on}")
    if permission not in allowed(principal):
        raise Forbidden(f"{principal.by} lacks {permission}")


def in_scope(principal: Principal, on: Scope) -> bool:
    """Return whether *on* exists for *principal* at all."""
    if principal.tenant != on.tenant:
        return False
    if principal.kind == "visitor" and on.visitor is not None and on.visitor != principal.id:
        return False
    if principal.kind == "visitor" and on.visitor is None and on.inbox is None:
        return True
    return principal.inboxes is None or on.inbox is None or on.inbox in principal.inboxes


def may_see(principal: Principal, audience: str, on: Scope) -> bool:
    """Return whether an event for *audience* (``all`` or ``agents``) about *on* is visible."""
    if Permission.CONVERSATION_READ not in allowed(principal) or not in_scope(principal, on):
        return False
    return audience == "all" or principal.kind in ("agent", "token", "system")
