"""One tenant's part of a group commit: decide in memory, write with a few statements.

The counter row is locked first; from then on this is the only writer of the tenant's log, so
that `seq` has no gaps and what was read stays true until the commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa

from deskhub.chat.commands import (
    ChatCommand,
    Edit,
    MarkRead,
    MarkUnread,
    OpenConversation,
    PostMessage,
    Rate,
    fingerprint,
)
from deskhub.chat.decide import decide
from deskhub.chat.forms import Form, read_form
from deskhub.chat.model import (
    Attachment,
    Closing,
    Conversation,
    Decision,
    Facts,
    Mark,
    Receipt,
    Said,
)
from deskhub.clock import rfc3339
from deskhub.errors import CidReuse, HubError
from deskhub.identity.model import Principal
from deskhub.ids import new_id
from deskhub.store import edits, files, inboxes, prechat, ratings, rows
from deskhub.store.event import Audience, Event, encode_data, wire
from deskhub.store.known import Known
from deskhub.store.sabotage import sabotaged


@dataclass(slots=True)
class Asked:
    """A command on its way: who, what, and the id and fingerprint of its first attempt."""

    principal: Principal
    command: ChatCommand
    cid: str
    digest: bytes = b""

    def __post_init__(self) -> None:
        """Take the fingerprint."""
        self.digest = fingerprint(self.command)


@dataclass(slots=True)
class _Pending:
    """What was decided and not yet written."""

    events: list[Event] = field(default_factory=list)
    states: dict[str, Conversation] = field(default_factory=dict)
    marks: dict[tuple[str, str], Mark] = field(default_factory=dict)
    objects: list[tuple[str, str]] = field(default_factory=list)


class Batch:
    """A tenant's commands inside one transaction."""

    def __init__(
        self, connection: sa.Connection, tenant: str, now: datetime, known: Known
    ) -> None:
        """Lock the tenant's counter; create it with a fresh epoch when it is new."""
        self.connection = connection
        self.tenant = tenant
        self.now = now
        self.at = rfc3339(now)
        self.epoch, self.head = rows.lock_counter(connection, tenant)
        self.written: list[Event] = []
        self.known = known
        known.as_of(self.head)
        self._start = self.head
        self._is_careful = False
        self._pending = _Pending()
        self._states: dict[str, Conversation | None] = {}
        self._open_of: dict[str, str | None] = {}
        self._receipts: dict[tuple[str, str], Event] = {}

    def prefetch(self, asked: Sequence[Asked], *, careful: bool) -> None:
        """Read what *asked* will need, with one statement for each kind of thing.

        A *careful* batch looks for repetitions first. Without, a repetition breaks the unique
        index of the log, and the whole batch has to be done again carefully: that is rare, and
        the look is not free.
        """
        self._is_careful = careful
        if careful and not sabotaged("no_dedupe"):
            wanted = [(one.principal.by, one.cid) for one in asked]
            self._receipts.update(rows.events_of_cids(self.connection, self.tenant, wanted))
        ids = set()
        for one in asked:
            if not isinstance(one.command, OpenConversation):
                conversation = one.command.conversation
                state = self._states.get(conversation) or self.known.get(conversation)
                if state is None:
                    ids.add(conversation)
                else:
                    self._states[conversation] = state
        if ids:
            found = rows.conversations(self.connection, self.tenant, ids)
            self._states.update({key: found.get(key) for key in ids})

    def chat(self, asked: Asked) -> Receipt:
        """Decide one command on the present state; its events wait for `flush`.

        Raises a `HubError` and leaves everything as it was.
        """
        first = self._receipts.get((asked.principal.by, asked.cid))
        if first is not None:
            return _repeated(first, asked)
        state = self._state_for(asked)
        try:
            decision = decide(state, asked.command, asked.principal, self._facts(state, asked))
        except HubError:
            # What is refused now may have been done the first time it was asked.
            if (first := self._first(asked)) is not None:
                return _repeated(first, asked)
            raise
        if not decision.events and (first := self._first(asked)) is not None:
            return _repeated(first, asked)
        return self._keep(decision, asked)

    def append(
        self,
        kind: str,
        *,
        conversation: str | None,
        audience: Audience,
        by: str,
        data: object,
        cid: str | None = None,
        digest: bytes | None = None,
    ) -> Event:
        """Add an event to the log; it is written by `flush`."""
        state = self.state(conversation) if conversation is not None else None
        self.head += 1
        encoded_data = encode_data(data)
        event = Event(
            self.tenant,
            self.head,
            self.now,
            kind,
            conversation,
            audience,
            by,
            cid,
            encoded_data,
            wire(self.head, self.at, kind, conversation, by, encoded_data),
            state.inbox if state else None,
            state.visitor if state else None,
            digest,
        )
        self._pending.events.append(event)
        if cid is not None:
            self._receipts[by, cid] = event
        return event

    def state(self, conversation: str) -> Conversation | None:
        """Return a conversation as it is at this point of the batch."""
        if conversation not in self._states:
            state = self.known.get(conversation)
            if state is not None:
                self._states[conversation] = state
                return state
            found = rows.conversations(self.connection, self.tenant, {conversation})
            self._states[conversation] = found.get(conversation)
        return self._states[conversation]

    def receipt(self, by: str, cid: str) -> Event | None:
        """Return the event that (by, cid) already made."""
        if (by, cid) not in self._receipts:
            found = rows.events_of_cids(self.connection, self.tenant, [(by, cid)])
            self._receipts.update(found)
        return self._receipts.get((by, cid))

    def touch(self, state: Conversation, seq: int) -> None:
        """Let the conversation's head follow an event that no command made."""
        self.put(replace(state, head=seq))

    def put(self, state: Conversation) -> None:
        """Take *state* as the conversation's new one; it is written by `flush`."""
        self._states[state.id] = state
        self._pending.states[state.id] = state

    def flush(self) -> None:
        """Write everything decided so far."""
        pending, self._pending = self._pending, _Pending()
        rows.insert_events(self.connection, pending.events)
        rows.upsert_conversations(self.connection, pending.states.values())
        rows.upsert_marks(self.connection, self.tenant, pending.marks)
        rows.insert_objects(self.connection, self.tenant, pending.objects)
        self.written += pending.events

    def finish(self) -> None:
        """Write the rest and the counter."""
        self.flush()
        if self.head != self._start:
            rows.set_counter(self.connection, self.tenant, self.head)

    def committed(self) -> None:
        """Let the next batch start with what this one knows; call it after the commit."""
        self.known.committed(self.head, self._states.values())

    def checkpoint(self) -> tuple[int, int]:
        """Return a place to `rewind` to; call it after `flush`."""
        return self.head, len(self.written)

    def rewind(self, place: tuple[int, int]) -> None:
        """Forget what came after *place*, after the savepoint was rolled back."""
        self.head = place[0]
        self.known.forget()
        del self.written[place[1] :]
        self._pending = _Pending()
        self._states.clear()
        self._open_of.clear()
        # What earlier commands and earlier batches made is still true.
        self._receipts = {k: e for k, e in self._receipts.items() if e.seq <= place[0]}

    def _first(self, asked: Asked) -> Event | None:
        """Return the event of an earlier attempt, where nobody has looked for it yet."""
        if self._is_careful or sabotaged("no_dedupe"):
            return None
        return self.receipt(asked.principal.by, asked.cid)

    def _state_for(self, asked: Asked) -> Conversation | None:
        command = asked.command
        if not isinstance(command, OpenConversation):
            return self.state(command.conversation)
        visitor = asked.principal.id
        if visitor not in self._open_of:
            found = rows.open_conversation_of(self.connection, self.tenant, visitor)
            self._open_of[visitor] = found.id if found else None
            if found is not None:
                self._states.setdefault(found.id, found)
        known = self._open_of[visitor]
        state = self.state(known) if known is not None else None
        return None if state is None or state.state == "closed" else state

    def _facts(self, state: Conversation | None, asked: Asked) -> Facts:
        principal, command = asked.principal, asked.command
        if isinstance(command, OpenConversation) and state is None:
            customer = rows.customer_of_visitor(self.connection, self.tenant, principal.id)
            form = self._form(command)
            return Facts(
                self.tenant, self.now, self.head, asked.cid, new_id("c"), customer=customer,
                files=self._files(asked), form=form,
                answers=self._answers(form, principal.id),
            )  # fmt: skip
        mark, after = Mark(), 0
        reads = isinstance(command, MarkRead | MarkUnread)
        if reads and principal.kind == "agent" and state is not None:
            mark = self._mark(principal.id, state.id)
            if isinstance(command, MarkRead) and command.seq < state.visitor_last_seq:
                self.flush()
                after = rows.visitor_messages_after(
                    self.connection, self.tenant, state.id, command.seq
                )
        return Facts(
            self.tenant, self.now, self.head, asked.cid, mark=mark, visitor_after=after,
            closing=self._closing(asked), is_asked=self._is_asked(state, asked),
            said=self._said(asked), files=self._files(asked),
        )  # fmt: skip

    def _closing(self, asked: Asked) -> Closing | None:
        if not isinstance(asked.command, Rate):
            return None
        self.flush()
        return ratings.closing_of(self.connection, self.tenant, asked.command.conversation)

    def _is_asked(self, state: Conversation | None, asked: Asked) -> bool:
        if not isinstance(asked.command, Rate) or state is None:
            return True
        return inboxes.asks_rating(self.connection, self.tenant, state.inbox)

    def _form(self, command: OpenConversation) -> Form | None:
        schema = inboxes.setting(self.connection, self.tenant, command.inbox).prechat
        return None if schema is None else read_form(schema)

    def _answers(self, form: Form | None, visitor: str) -> Mapping[str, object] | None:
        if form is None:
            return None
        return prechat.answers_of(self.connection, self.tenant, visitor)

    def _said(self, asked: Asked) -> Said | None:
        command = asked.command
        if not isinstance(command, Edit):
            return None
        self.flush()
        return edits.said_of(self.connection, self.tenant, command.conversation, command.seq)

    def _files(self, asked: Asked) -> Mapping[str, Attachment]:
        command = asked.command
        if not isinstance(command, PostMessage | OpenConversation) or not command.files:
            return {}
        by = asked.principal.by
        return files.offered(self.connection, self.tenant, by, command.files)

    def _mark(self, agent: str, conversation: str) -> Mark:
        pending = self._pending.marks.get((agent, conversation))
        if pending is not None:
            return pending
        return rows.mark_of(self.connection, self.tenant, agent, conversation)

    def _keep(self, decision: Decision, asked: Asked) -> Receipt:
        state = decision.state
        if not decision.events and decision.mark is None:
            return Receipt(state.head, dup=False, conversation=state.id)
        known = self._states.get(state.id)
        fresh = known is None
        self.put(state)
        main: Event | None = None
        for new in decision.events:
            event = self.append(
                new.kind,
                conversation=state.id,
                audience=new.audience,
                by=asked.principal.by,
                data=new.data,
                cid=asked.cid if new.main and not sabotaged("no_dedupe") else None,
                digest=asked.digest if new.main else None,
            )
            main = event if new.main else main
        if isinstance(asked.command, PostMessage | OpenConversation) and asked.command.files:
            files.attach(self.connection, self.tenant, asked.command.files, state)
        if isinstance(asked.command, Rate) and main is not None:
            ratings.keep(self.connection, main, asked.command.score)
        if isinstance(asked.command, Edit) and main is not None:
            of, version = asked.command.seq, asked.command.version + 1
            edits.keep(self.connection, self.tenant, of, version, main.seq)
        if fresh:
            self._open_of[state.visitor] = state.id
        if any(new.kind == prechat.ANSWERED for new in decision.events):
            prechat.drop(self.connection, self.tenant, [state.visitor])
        links = () if known is None else known.links
        self._pending.objects += [(o, state.id) for o in state.links if o not in links]
        if decision.mark is not None:
            self._pending.marks[asked.principal.id, state.id] = decision.mark
        seq = main.seq if main else state.head
        wire_event = main.encoded if main else None
        return Receipt(seq, dup=False, conversation=state.id, event=wire_event)


def _repeated(first: Event, asked: Asked) -> Receipt:
    """Return the first result again. Raises `CidReuse` for another command of the same cid."""
    if first.digest != asked.digest:
        raise CidReuse(f"{asked.principal.by} {asked.cid}")
    return Receipt(
        first.seq, dup=True, conversation=first.conversation or "", event=first.encoded
    )
