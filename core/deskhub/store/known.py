"""Conversations that the writer still knows from its last batches.

They are true for as long as nobody else wrote: the locked counter says so, since every change
of a conversation makes an event and thereby moves the head.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from deskhub.chat.model import Conversation

CONVERSATIONS_MAX = 5_000


class Known:
    """The states of one tenant's busy conversations, as of one head of its log."""

    def __init__(self) -> None:
        """Know nothing."""
        self._head = -1
        self._states: OrderedDict[str, Conversation] = OrderedDict()

    def as_of(self, head: int) -> None:
        """Forget everything unless the log still ends at *head*."""
        if head != self._head:
            self._states.clear()
            self._head = head

    def get(self, conversation: str) -> Conversation | None:
        """Return what is known of *conversation*."""
        return self._states.get(conversation)

    def committed(self, head: int, states: Iterable[Conversation | None]) -> None:
        """Take over what a batch that ended at *head* has read and changed."""
        self._head = head
        for state in states:
            if state is not None:
                self._states[state.id] = state
                self._states.move_to_end(state.id)
        while len(self._states) > CONVERSATIONS_MAX:
            self._states.popitem(last=False)

    def forget(self) -> None:
        """Know nothing any more: a batch failed, or a part of it was undone."""
        self._head = -1
        self._states.clear()
