"""Correcting one's own last message: an event of its own, so that nothing said is unsaid."""

from __future__ import annotations

from dataclasses import replace

from deskhub.chat.commands import Edit
from deskhub.chat.errors import EditConflict, NotEditable
from deskhub.chat.model import (
    EDIT_WITHIN,
    EXCERPT_CHARS,
    Audience,
    Conversation,
    Decision,
    Facts,
    NewEvent,
)
from deskhub.chat.texts import checked_text
from deskhub.clock import rfc3339
from deskhub.identity.model import Principal


def edit(state: Conversation, command: Edit, by: Principal, facts: Facts) -> Decision:
    """Return the event that gives *by*'s last message or last note another text.

    Raises `NotEditable` for what is not *by*'s, not the last of its kind or too old, and
    `EditConflict` when it was edited after the caller looked at it.
    """
    said = facts.said
    if said is None or said.by != by.by or not said.is_last or said.is_erased:
        raise NotEditable(f"{command.conversation} {command.seq}")
    if facts.now - said.at > EDIT_WITHIN:
        raise NotEditable(f"{command.seq} was said at {rfc3339(said.at)}")
    if command.version != said.version:
        raise EditConflict(f"{command.seq} is at version {said.version}")
    text = checked_text(command.text)
    if text == said.text:
        return Decision(state)
    is_note = said.kind == "note.posted"
    kind, audience = _NOTE if is_note else _MESSAGE
    data = {"of": said.seq, "version": said.version + 1, "text": text, "name": by.name}
    after = replace(state, head=facts.head + 1)
    if state.last_seq == said.seq:
        after = replace(after, last_text=text[:EXCERPT_CHARS])
    return Decision(after, (NewEvent(kind, audience, data, main=True),))


_MESSAGE: tuple[str, Audience] = ("message.edited", "all")
_NOTE: tuple[str, Audience] = ("note.edited", "agents")
