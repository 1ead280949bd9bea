"""The rules of a conversation: `decide` is a pure function from state and command to events.

Authorisation is part of deciding, on the state of this very moment: no transport and no
earlier look can be fresher than the transaction that writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from deskhub.chat import commands as c
from deskhub.chat.edits import edit
from deskhub.chat.errors import AlreadyAssigned, FileUnknown, NotRateable
from deskhub.chat.forms import as_told, checked_answers
from deskhub.chat.model import (
    CARD_BYTES,
    COMMENT_CHARS,
    EXCERPT_CHARS,
    FILES_MAX,
    LINKS_MAX,
    RATE_WITHIN,
    SCORE_MAX,
    SCORE_MIN,
    TAG_CHARS,
    TAGS_MAX,
    Attachment,
    Audience,
    Conversation,
    Decision,
    Facts,
    Mark,
    NewEvent,
)
from deskhub.chat.texts import checked_text
from deskhub.clock import rfc3339
from deskhub.errors import Invalid, NotFound, TooLarge
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize


def decide(
    state: Conversation | None, command: c.ChatCommand, by: Principal, facts: Facts
) -> Decision:
    """Return what *command* does to *state*.

    For `OpenConversation`, *state* is the visitor's conversation that is not closed, or None.
    Raises a `HubError` when the rules or the caller's rights refuse it; nothing changed then.
    """
    if isinstance(command, c.OpenConversation):
        return _open(state, command, by, facts)
    if state is None:
        raise NotFound(f"conversation {command.conversation}")
    permission, rule = _RULES[type(command)]
    authorize(by, permission, Scope(state.tenant, state.inbox, state.visitor))
    return rule(state, command, by, facts)


def _open(
    state: Conversation | None, command: c.OpenConversation, by: Principal, facts: Facts
) -> Decision:
    authorize(by, Permission.CONVERSATION_OPEN, Scope(facts.tenant, command.inbox, by.id))
    if state is not None:
        authorize(by, Permission.MESSAGE_POST, Scope(state.tenant, state.inbox, state.visitor))
        post = c.PostMessage(state.id, command.text, command.files)
        return _post(state, post, by, facts)
    _checked_message(command)
    if len(command.links) > LINKS_MAX:
        raise TooLarge("links")
    customer = facts.customer
    fresh = Conversation(
        tenant=facts.tenant,
        id=facts.new_id,
        inbox=command.inbox,
        visitor=by.id,
        name=(customer and customer[1]) or by.name,
        language=command.language,
        opened_at=facts.now,
        last_at=facts.now,
        customer=customer[0] if customer else None,
        links=tuple(dict.fromkeys(command.links)),
    )
    before = [
        NewEvent(
            "conversation.opened",
            "all",
            {
                "inbox": fresh.inbox,
                "visitor": fresh.visitor,
                "language": fresh.language,
                "name": fresh.name,
            },
        )
    ]
    if customer:
        linked = {"customer": customer[0], "name": customer[1], "why": "identified"}
        before.append(NewEvent("customer.linked", "agents", linked))
    before += [NewEvent("conversation.linked", "agents", {"object": o}) for o in fresh.links]
    before += _answered(facts)
    post = c.PostMessage(fresh.id, command.text, command.files)
    return _said(fresh, post, by, facts, tuple(before))


def _answered(facts: Facts) -> list[NewEvent]:
    """Return what was answered before the first message. Raises `PrechatNeeded`.

    Whom the shop vouches for is not asked who they are.
    """
    if facts.form is None or facts.customer is not None:
        return []
    answers = checked_answers(facts.form, facts.answers)
    told = as_told(facts.form, answers)
    return [NewEvent("prechat.answered", "agents", {"answers": told})] if told else []


def _post(state: Conversation, command: c.PostMessage, by: Principal, facts: Facts) -> Decision:
    _checked_message(command)
    before: tuple[NewEvent, ...] = ()
    # Somebody who writes wants an answer: that takes the conversation out of the drawer. An
    # adapter's message informs, and leaves it where it is.
    if by.kind in ("visitor", "agent") and state.state != "open":
        kind = "conversation.reopened" if state.state == "closed" else "conversation.woken"
        audience: Audience = "all" if state.state == "closed" else "agents"
        before = (NewEvent(kind, audience, {"name": by.name}),)
        state = replace(state, state="open", snoozed_until=None)
    return _said(state, command, by, facts, before)


def _said(
    state: Conversation,
    command: c.PostMessage,
    by: Principal,
    facts: Facts,
    before: tuple[NewEvent, ...],
) -> Decision:
    seq = facts.head + len(before) + 1
    data: dict[str, Any] = {"kind": "text", "text": command.text, "name": by.name}
    data["cid"] = facts.cid
    if command.reply_to is not None:
        data["reply_to"] = command.reply_to
    if command.files:
        data["files"] = [_shown(file) for file in _files(command, facts)]
    visitor = by.kind == "visitor"
    waiting = (state.waiting_since or facts.now) if visitor else state.waiting_since
    after = replace(
        state,
        head=seq,
        last_at=facts.now,
        last_seq=seq,
        last_by=by.by,
        last_kind="text",
        last_text=_excerpt(command, facts),
        waiting_since=None if by.kind == "agent" else waiting,
        visitor_messages=state.visitor_messages + visitor,
        visitor_last_seq=seq if visitor else state.visitor_last_seq,
        visitor_read_seq=seq if visitor else state.visitor_read_seq,
        agent_read_seq=seq if by.kind == "agent" else state.agent_read_seq,
    )
    # Who answers has read: their own mark moves with the message.
    mark = Mark(seq, state.visitor_messages) if by.kind == "agent" else None
    posted = NewEvent("message.posted", "all", data, main=True)
    return Decision(after, (*before, posted), mark)


def _checked_message(command: c.PostMessage | c.OpenConversation) -> None:
    """Return when it says something: a text, or a file without one."""
    if not (command.files and not command.text.strip()):
        checked_text(command.text)


def _files(command: c.PostMessage, facts: Facts) -> list[Attachment]:
    """Return the message's files in its order. Raises `FileUnknown`."""
    unknown = [id_ for id_ in command.files if id_ not in facts.files]
    if unknown or len(command.files) > FILES_MAX:
        raise FileUnknown(f"{len(unknown)} of {len(command.files)} files")
    return [facts.files[id_] for id_ in dict.fromkeys(command.files)]


def _shown(file: Attachment) -> dict[str, Any]:
    """Return what an event says of *file*: enough to leave room for it before it is loaded."""
    shown: dict[str, Any] = {
        "id": file.id,
        "name": file.name,
        "media": file.media,
        "bytes": file.bytes,
    }
    if file.width is not None:
        shown["width"], shown["height"] = file.width, file.height
        shown["thumb"] = {"width": file.thumb_width, "height": file.thumb_height}
    return shown


def _excerpt(command: c.PostMessage, facts: Facts) -> str:
    text = command.text.strip() and command.text
    return (text or ", ".join(one.name for one in _files(command, facts)))[:EXCERPT_CHARS]


def _note(state: Conversation, command: c.AddNote, by: Principal, facts: Facts) -> Decision:
    data = {"text": checked_text(command.text), "name": by.name, "cid": facts.cid}
    seq = facts.head + 1
    after = replace(
        state,
        head=seq,
        last_at=facts.now,
        last_seq=seq,
        last_by=by.by,
        last_kind="note",
        last_text=command.text[:EXCERPT_CHARS],
    )
    return Decision(after, (NewEvent("note.posted", "agents", data, main=True),))


def _assign(state: Conversation, command: c.Assign, by: Principal, facts: Facts) -> Decision:
    if command.agent == state.assignee:
        return Decision(state)
    if command.how == "routing" and state.assignee is not None and command.agent is not None:
        raise AlreadyAssigned(f"{state.id} is with {state.assignee}")
    name = by.name if by.kind == "agent" and by.id == command.agent else command.name
    data = {
        "assignee": command.agent,
        "name": name,
        "previous": state.assignee,
        "how": command.how,
    }
    after = replace(state, assignee=command.agent, assignee_name=name)
    return _one(after, facts, "conversation.assigned", "all", data)


def _close(state: Conversation, command: c.Close, by: Principal, facts: Facts) -> Decision:
    if state.state == "closed":
        return Decision(state)
    after = replace(state, state="closed", snoozed_until=None, waiting_since=None)
    return _one(after, facts, "conversation.closed", "all", {"name": by.name})


def _rate(state: Conversation, command: c.Rate, by: Principal, facts: Facts) -> Decision:
    if not SCORE_MIN <= command.score <= SCORE_MAX:
        text = f"A whole number from {SCORE_MIN} to {SCORE_MAX}."
        raise Invalid("score", fields=({"path": "score", "code": "range", "text": text},))
    if len(command.comment) > COMMENT_CHARS:
        raise TooLarge(f"comment of {len(command.comment)} characters")
    comment = checked_text(command.comment).strip() if command.comment.strip() else ""
    closing = facts.closing
    if state.state != "closed" or closing is None or closing.is_rated or not facts.is_asked:
        raise NotRateable(state.id)
    if facts.now - closing.at > RATE_WITHIN:
        raise NotRateable(f"{state.id} was closed at {rfc3339(closing.at)}")
    data = {"score": command.score, "comment": comment, "closing": closing.seq, "name": by.name}
    return _one(state, facts, "conversation.rated", "all", data)


def _reopen(state: Conversation, command: c.Reopen, by: Principal, facts: Facts) -> Decision:
    if state.state != "closed":
        return Decision(state)
    after = replace(state, state="open")
    return _one(after, facts, "conversation.reopened", "all", {"name": by.name})


def _snooze(state: Conversation, command: c.Snooze, by: Principal, facts: Facts) -> Decision:
    if command.until.tzinfo is None or command.until <= facts.now:
        raise Invalid(
            "snooze into the past",
            fields=({"path": "until", "code": "past", "text": "Choose a time to come."},),
        )
    after = replace(state, state="snoozed", snoozed_until=command.until)
    data = {"until": rfc3339(command.until), "name": by.name}
    return _one(after, facts, "conversation.snoozed", "agents", data)


def _wake(state: Conversation, command: c.Wake, by: Principal, facts: Facts) -> Decision:
    if state.state != "snoozed":
        return Decision(state)
    after = replace(state, state="open", snoozed_until=None)
    return _one(after, facts, "conversation.woken", "agents", {"name": by.name})


def _tag(state: Conversation, command: c.Tag, by: Principal, facts: Facts) -> Decision:
    for tag in (*command.add, *command.remove):
        if not tag.strip() or len(tag) > TAG_CHARS or not tag.isprintable():
            raise Invalid(f"tag of {len(tag)} characters")
    added = [tag for tag in dict.fromkeys(command.add) if tag not in state.tags]
    removed = [tag for tag in state.tags if tag in command.remove]
    if not added and not removed:
        return Decision(state)
    tags = (*(tag for tag in state.tags if tag not in removed), *added)
    if len(tags) > TAGS_MAX:
        raise TooLarge(f"{len(tags)} tags")
    data = {"tags": list(tags), "added": added, "removed": removed}
    return _one(replace(state, tags=tags), facts, "conversation.tagged", "agents", data)


def _read(state: Conversation, command: c.MarkRead, by: Principal, facts: Facts) -> Decision:
    seq = min(command.seq, state.head)
    if by.kind == "visitor":
        if seq <= state.visitor_read_seq:
            return Decision(state)
        after = replace(state, visitor_read_seq=seq)
        return _one(after, facts, "conversation.read", "all", {"seq": seq, "side": "visitor"})
    if seq <= facts.mark.seq:
        return Decision(state)
    mark = Mark(seq, state.visitor_messages - facts.visitor_after)
    first = seq > state.agent_read_seq
    after = replace(state, agent_read_seq=max(seq, state.agent_read_seq))
    decision = _one(
        after,
        facts,
        "conversation.read",
        "all" if first else "agents",
        {"seq": seq, "side": "agent"},
    )
    return replace(decision, mark=mark)


def _unread(
    state: Conversation, command: c.MarkUnread, by: Principal, facts: Facts
) -> Decision:
    if state.visitor_messages == 0 or facts.mark.seen < state.visitor_messages:
        return Decision(state)
    mark = Mark(state.visitor_last_seq - 1, state.visitor_messages - 1)
    data = {"seq": mark.seq, "side": "agent", "unread": True}
    decision = _one(state, facts, "conversation.read", "agents", data)
    return replace(decision, mark=mark)


def _card(state: Conversation, command: c.ShowCard, by: Principal, facts: Facts) -> Decision:
    if len(command.card) > CARD_BYTES:
        raise TooLarge(f"card of {len(command.card)} bytes")
    try:
        card = json.loads(command.card)
    except ValueError as error:
        raise Invalid("card is not JSON") from error
    data: dict[str, Any] = {"card": card, "source": command.source}
    if command.signal is not None:
        data["signal"] = command.signal
    audience: Audience = "agents" if command.audience == "agent" else "all"
    return _one(state, facts, "card.shown", audience, data)


def _customer(
    state: Conversation, command: c.LinkCustomer, by: Principal, facts: Facts
) -> Decision:
    if state.customer == command.customer:
        return Decision(state)
    data = {"customer": command.customer, "name": command.name, "why": command.why}
    after = replace(state, customer=command.customer, name=command.name or state.name)
    return _one(after, facts, "customer.linked", "agents", data)


def _object(
    state: Conversation, command: c.LinkObject, by: Principal, facts: Facts
) -> Decision:
    if command.object in state.links:
        return Decision(state)
    if len(state.links) >= LINKS_MAX:
        raise TooLarge(f"{LINKS_MAX} links")
    after = replace(state, links=(*state.links, command.object))
    return _one(after, facts, "conversation.linked", "agents", {"object": command.object})


def _one(
    after: Conversation, facts: Facts, kind: str, audience: Audience, data: dict[str, Any]
) -> Decision:
    event = NewEvent(kind, audience, data, main=True)
    return Decision(replace(after, head=facts.head + 1), (event,))


_Rule = Callable[[Conversation, Any, Principal, Facts], Decision]
_RULES: dict[type, tuple[Permission, _Rule]] = {
    c.PostMessage: (Permission.MESSAGE_POST, _post),
    c.AddNote: (Permission.NOTE_POST, _note),
    c.Edit: (Permission.MESSAGE_EDIT, edit),
    c.Assign: (Permission.CONVERSATION_ASSIGN, _assign),
    c.Close: (Permission.CONVERSATION_STATE, _close),
    c.Rate: (Permission.CONVERSATION_RATE, _rate),
    c.Reopen: (Permission.CONVERSATION_STATE, _reopen),
    c.Snooze: (Permission.CONVERSATION_STATE, _snooze),
    c.Wake: (Permission.CONVERSATION_STATE, _wake),
    c.Tag: (Permission.CONVERSATION_TAG, _tag),
    c.MarkRead: (Permission.MESSAGE_MARK, _read),
    c.MarkUnread: (Permission.MESSAGE_MARK, _unread),
    c.ShowCard: (Permission.CARD_SHOW, _card),
    c.LinkCustomer: (Permission.CONVERSATION_LINK, _customer),
    c.LinkObject: (Permission.CONVERSATION_LINK, _object),
}
