"""The only hook in a message's way: `message_accept` may refuse a text before it is stored.

Nothing happens here while no adapter answers the hook. When one does, it has 50 ms, and its
silence or failure lets the message pass: an adapter cannot stop a chat, only a text.
"""

from __future__ import annotations

import asyncio

from deskhub.chat.commands import ChatCommand, Edit, OpenConversation, PostMessage
from deskhub.chat.model import Receipt
from deskhub.chat.service import Log
from deskhub.clock import Clock
from deskhub.errors import HubError
from deskhub.host.host import Host
from deskhub.host.records import conversation_record
from deskhub.host.tasks import TaskOwner
from deskhub.identity.model import Principal
from deskhub.store import edits
from deskhub.store.store import Store
from deskhub.store.surroundings import around
from deskhub_sdk import Conversation, ConversationId, Message, TenantId

HOOK = "message_accept"


class MessageRefused(HubError):
    """An adapter refused a text; *extra* carries its reason for the sender."""

    code = "message_refused"
    status = 422
    retry = "never"
    text = "This message was not accepted."

    def __init__(self, reason: str) -> None:
        """Keep the adapter's *reason*, at most 300 characters of it."""
        super().__init__("refused by an adapter")
        self.extra = {"reason": reason[:300]}


class MessageGate:
    """Asks adapters before a message is stored; one sender's messages keep their order."""

    def __init__(self, host: Host, store: Store, clock: Clock) -> None:
        """Ask the adapters of *host*."""
        self._host = host
        self._store = store
        self._clock = clock
        self._owner = TaskOwner()
        self._last: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Own the questions until cancelled."""
        try:
            await asyncio.Event().wait()
        finally:
            await self._owner.close()

    def stands_before(self, principal: Principal, command: ChatCommand) -> bool:
        """Return whether *command* is a text of a person that some adapter wants to see."""
        return (
            isinstance(command, PostMessage | OpenConversation | Edit)
            and principal.kind in ("visitor", "agent")
            and bool(self._host.runner.listeners(HOOK, principal.tenant))
        )

    def submit(
        self, principal: Principal, command: ChatCommand, cid: str, log: Log
    ) -> asyncio.Future[Receipt]:
        """Return what *log* answers, once nobody refused *command*."""
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        sender = f"{principal.tenant} {principal.by}"
        before = self._last.get(sender)
        task = self._owner.start(
            self._pass(principal, command, cid, log, before, answer), name=f"accept:{sender}"
        )
        self._last[sender] = task
        task.add_done_callback(lambda done: self._forget(sender, done))
        return answer

    async def _pass(
        self,
        principal: Principal,
        command: ChatCommand,
        cid: str,
        log: Log,
        before: asyncio.Task[None] | None,
        answer: asyncio.Future[Receipt],
    ) -> None:
        try:
            reason = await self._refusal(principal, command)
            if before is not None:
                await asyncio.wait([before])
            if reason is not None:
                raise MessageRefused(reason)
            stored = log.submit(principal, command, cid)
        except HubError as error:
            if not answer.done():
                answer.set_exception(error)
            return
        except BaseException:
            answer.cancel()
            raise
        # The order is fixed by the submit; the next message need not wait for the disk.
        stored.add_done_callback(lambda done: _copy(done, answer))

    async def _refusal(self, principal: Principal, command: ChatCommand) -> str | None:
        assert isinstance(  # noqa: S101  stands_before
            command, PostMessage | OpenConversation | Edit
        )
        if isinstance(command, Edit) and not await self._is_public(principal, command):
            return None
        now = self._clock.now()
        conversation = await self._conversation(principal, command)
        if conversation is None:
            return None
        message = Message(
            conversation=conversation.id, seq=0, author=principal.by, text=command.text, at=now
        )
        refused = await self._host.veto(
            HOOK, principal.tenant, message=message, conversation=conversation
        )
        return refused.text if refused is not None else None

    async def _is_public(self, principal: Principal, command: Edit) -> bool:
        """Return whether customers read what *command* changes: notes pass."""
        tenant, where, seq = principal.tenant, command.conversation, command.seq
        kind = await self._store.read(lambda db: edits.kind_of(db, tenant, where, seq))
        return kind == "message.posted"

    async def _conversation(
        self, principal: Principal, command: PostMessage | OpenConversation | Edit
    ) -> Conversation | None:
        """Return the conversation as adapters see it; a new one has no id yet."""
        if isinstance(command, OpenConversation):
            return Conversation(
                id=ConversationId(""),
                tenant=TenantId(principal.tenant),
                inbox=command.inbox,
                state="open",
                opened_at=self._clock.now(),
                language=command.language,
            )
        found = await self._store.read(
            lambda db: around(db, principal.tenant, command.conversation)
        )
        # Whoever may not write there is refused by the rules, not by adapters.
        return conversation_record(found.conversation) if found is not None else None

    def _forget(self, sender: str, done: asyncio.Task[None]) -> None:
        if self._last.get(sender) is done:
            del self._last[sender]


def _copy(done: asyncio.Future[Receipt], answer: asyncio.Future[Receipt]) -> None:
    if answer.done():
        return
    if done.cancelled():
        answer.cancel()
    elif (error := done.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(done.result())
