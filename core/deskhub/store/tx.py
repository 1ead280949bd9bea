"""What a piece of work gets that runs inside the next group commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from deskhub.chat.commands import ChatCommand
from deskhub.chat.model import Conversation, Receipt
from deskhub.identity.model import Principal
from deskhub.store import rows
from deskhub.store.batch import Asked, Batch
from deskhub.store.event import Audience

# What a query gets; who writes queries elsewhere needs no other part of SQLAlchemy.
Connection = sa.Connection

SUMMARY_CHARS = 200


class Tx:
    """A tenant's transaction, for the duration of one `work`.

    The log is locked: what *connection* reads stays true until the commit.
    """

    def __init__(self, batch: Batch) -> None:
        """Wrap *batch*."""
        self._batch = batch
        self.tenant: str = batch.tenant
        self.now: datetime = batch.now

    @property
    def connection(self) -> sa.Connection:
        """Return the connection; it sees everything that this transaction did so far.

        It may write everything but conversations: the writer knows those from one batch to
        the next, and only their rules change them.
        """
        self._batch.flush()
        return self._batch.connection

    @property
    def head(self) -> int:
        """Return the tenant's last seq at this point."""
        return self._batch.head

    def append(
        self,
        kind: str,
        *,
        conversation: str | None,
        audience: Audience,
        by: str,
        data: dict[str, Any],
        cid: str | None = None,
    ) -> int:
        """Add an event to the log and return its seq.

        With *cid*, an event of the same (by, cid) that is already there is returned instead.
        """
        if cid is not None:
            known = self._batch.receipt(by, cid)
            if known is not None:
                return known.seq
        event = self._batch.append(
            kind, conversation=conversation, audience=audience, by=by, data=data, cid=cid
        )
        state = self._batch.state(conversation) if conversation is not None else None
        if state is not None:
            self._batch.touch(state, event.seq)
        return event.seq

    def chat(self, principal: Principal, command: ChatCommand, cid: str) -> Receipt:
        """Run a chat command as a part of this transaction; same rules as everywhere."""
        asked = Asked(principal, command, cid)
        self._batch.prefetch([asked], careful=True)
        return self._batch.chat(asked)

    def conversation(self, conversation: str) -> Conversation | None:
        """Return the state of a conversation at this point, or None."""
        return self._batch.state(conversation)

    def replace_conversation(self, state: Conversation) -> None:
        """Take *state* in place of the conversation's own: what was erased is in no rule.

        Call `append` next, with the event that reports it.
        """
        if not state.summary:
            rows.set_summary(self.connection, self.tenant, state.id, "")
        self._batch.put(state)

    def set_summary(self, conversation: str, summary: str) -> None:
        """Keep one line from the business systems for the conversation's lists; no event."""
        line = summary[:SUMMARY_CHARS]
        state = self._batch.state(conversation)
        if state is not None and state.summary != line:
            rows.set_summary(self.connection, self.tenant, conversation, line)
            self._batch.put(replace(state, summary=line))
