"""Agents' answers that leave over a channel: noted with the log, handed over once.

The rows are those of the hub's own mail, with the same states and the same page for a person:
``handing`` is on disk before an adapter lets go of an answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from deskhub.channels.tokens import Tokens
from deskhub.clock import Clock
from deskhub.errors import HubError, NotFound
from deskhub.figures import Tally
from deskhub.files.files import Files
from deskhub.host.errors import InstanceBusy, NotRunning, UnknownHook
from deskhub.host.host import Host
from deskhub.host.patience import patiently
from deskhub.host.turns import Turns
from deskhub.identity.model import Principal, system
from deskhub.notify.followed import Follower
from deskhub.notify.outbox import FIRST_PAUSE_S, Outbox, Verdict
from deskhub.store import channels, mails
from deskhub.store.channels import Correspondent
from deskhub.store.event import Event
from deskhub.store.mails import REPLIES, MailRow
from deskhub.store.store import Store
from deskhub.store.tx import Connection, Tx
from deskhub_sdk import AdapterError, ConversationId, Delivered, Outgoing, OutgoingFile

HOOK = "deliver"
CURSOR = "hub:channels"
# An instance that is being repaired is waited for; that is no attempt.
NOT_RUNNING_S = 15.0
# Files of one answer are read into memory; more than this are named and not carried.
FILES_BYTES = 15 * 1024 * 1024

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Leaving:
    """An answer that an adapter has in its hands; *let_go* says that it may have left."""

    row: MailRow
    address: str
    outgoing: Outgoing
    instance: str
    let_go: bool = False


class Outbound:
    """Everything that leaves over channels from one process. One `run` for the process."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        tokens: Tokens,
        files: Files,
        *,
        turns: Turns | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """Sign addresses with *tokens*; `attach` says who carries the answers."""
        self._store = store
        self._tokens = tokens
        self._files = files
        self._turns = turns or Turns(store)
        self._host: Host | None = None
        self._hands: dict[str, _Leaving] = {}
        self._outbox = Outbox(store, clock, REPLIES, self._take, first_pause_s=first_pause_s)
        self._follower = Follower(store, CURSOR, _concerns, _note, self._outbox.wake)

    @property
    def ended(self) -> Tally:
        """Return how answers ended in this process, by (kind, outcome)."""
        return self._outbox.ended

    def attach(self, host: Host) -> None:
        """Let the instances of *host* carry answers."""
        self._host = host

    async def run(self) -> None:
        """Note and hand over until cancelled, in tenants that have a channel."""
        host = self._carrier
        async with asyncio.TaskGroup() as group:
            served: set[str] = set()
            while True:
                with_channel = {one.tenant for one in host.all_instances() if HOOK in one.hooks}
                for tenant in with_channel - served:
                    for name, work in (
                        ("channel-answers", self._follower.follow),
                        ("channel", self._outbox.work),
                    ):
                        steady = partial(patiently, name, partial(work, tenant))
                        group.create_task(
                            self._turns.while_mine(tenant, name, steady),
                            name=f"{name}:{tenant}",
                        )
                served |= with_channel
                await host.changed()

    async def leaving(self, instance: str, mail: str) -> bool:
        """Write down that *mail* leaves now; false when it must not."""
        held = self._held(instance, mail)
        done = await self._store.transact(
            held.row.tenant, lambda tx: mails.hand_over(tx, held.row, held.address)
        )
        held.let_go = done
        return done

    async def read_file(self, instance: str, mail: str, file: str) -> bytes:
        """Return the bytes of a file of the answer *mail*. Raises `NotFound`, `FilesDown`."""
        held = self._held(instance, mail)
        if file not in {one.id for one in held.outgoing.files}:
            raise NotFound(f"file {file}")
        return await self._files.whole(_reader(held.row.tenant), file, FILES_BYTES)

    @property
    def _carrier(self) -> Host:
        if self._host is None:
            raise RuntimeError("attach a host first")
        return self._host

    def _held(self, instance: str, mail: str) -> _Leaving:
        held = self._hands.get(mail)
        if held is None or held.instance != instance:
            raise NotFound(f"answer {mail} is not being handed over")
        return held

    async def _take(self, row: MailRow) -> None:
        is_last = row.attempts + 1 >= self._outbox.attempts
        drafted = await self._store.read(lambda db: self._draft(db, row, is_last=is_last))
        if drafted is None:
            await self._outbox.drop(row, "gone")
            return
        who, outgoing = drafted
        self._hands[row.id] = _Leaving(row, who.address, outgoing, who.instance)
        try:
            verdict, why = await self._deliver(self._hands[row.id])
        except (InstanceBusy, NotRunning, UnknownHook):
            await self._outbox.put_off(row, NOT_RUNNING_S)
            return
        finally:
            del self._hands[row.id]
        await self._outbox.settle(row, verdict, why)

    async def _deliver(self, held: _Leaving) -> tuple[Verdict, str]:
        """Return how it ended; an adapter that failed after it let go leaves it in doubt."""
        try:
            told = await self._carrier.direct(held.instance, HOOK, outgoing=held.outgoing)
        except (InstanceBusy, NotRunning, UnknownHook):
            if not held.let_go:
                raise
            return "unknown", "the adapter was stopped"
        except (AdapterError, HubError) as error:
            return ("unknown" if held.let_go else "later"), error.code
        if not isinstance(told, Delivered):
            return ("unknown" if held.let_go else "later"), "no answer of the contract"
        if told.state == "later" and held.let_go:
            # The server refused the text for now: it cannot have arrived.
            return "later", told.why
        return told.state, told.why

    def _draft(
        self, db: Connection, row: MailRow, *, is_last: bool
    ) -> tuple[Correspondent, Outgoing] | None:
        who = channels.of_conversation(db, row.tenant, row.conversation)
        said = mails.said(db, row.tenant, row.conversation, (row.from_seq, row.until_seq))
        if who is None or not said:
            return None
        _, at, by, encoded = said[-1]
        data: dict[str, object] = msgspec.json.decode(encoded)
        files = data.get("files")
        return who, Outgoing(
            id=row.id,
            conversation=ConversationId(row.conversation),
            address=who.address,
            text=str(data.get("text", "")),
            at=at,
            token=self._tokens.of(row.tenant, who.instance, row.conversation),
            inbox=who.inbox,
            author=str(data.get("name") or by.partition(":")[2]),
            name=who.name,
            title=who.title,
            said=tuple(dict.fromkeys((who.first_key, who.last_key))),
            sent=mails.sent_before(db, row.tenant, row.conversation),
            files=tuple(_file(one) for one in files) if isinstance(files, list) else (),
            is_last=is_last,
        )


def _file(shown: Mapping[str, object]) -> OutgoingFile:
    return OutgoingFile(
        id=str(shown["id"]),
        name=str(shown["name"]),
        media=str(shown["media"]),
        bytes=int(str(shown["bytes"])),
    )


def _concerns(event: Event) -> bool:
    answered = event.kind == "message.posted" and event.by.startswith("agent:")
    return answered and event.audience == "all" and event.visitor is not None


def _note(tx: Tx, event: Event) -> None:
    who = channels.of_visitor(tx.connection, tx.tenant, event.visitor or "")
    if who is not None and event.conversation is not None:
        mails.note_reply(tx, event.conversation, event.seq)


def _reader(tenant: str) -> Principal:
    return system(tenant, "channels")
