"""What an adapter heard outside becomes a visitor's message, once for each key.

The visitor of a thread is made of the key that began it, and the message's cid of its own key.
So whoever reads the same thing again, also in another process or after a crash between any two
steps, asks for the same command, and the log answers with what it already holds.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from deskhub.channels.tokens import Tokens
from deskhub.chat.commands import OpenConversation, PostMessage
from deskhub.chat.service import Chat
from deskhub.config import Inbox
from deskhub.errors import CidReuse, HubError, Invalid
from deskhub.files.files import Files
from deskhub.identity.model import Principal
from deskhub.identity.records import Visitor
from deskhub.store import channels, mails
from deskhub.store.channels import Correspondent
from deskhub.store.store import Store
from deskhub.store.tx import Connection
from deskhub_sdk import ConversationId, Heard, Rejected, Said, SaidFile
from deskhub_sdk.channel import KEY_CHARS

NAME_CHARS = 80
ADDRESS_CHARS = 254
TITLE_CHARS = 300
FILES_MAX = 10
# Of one message: re-encoding a picture takes seconds, and an adapter waits.
FILES_S = 60.0
TOKENS_MAX = 20
FOLLOWS_MAX = 50

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something said belongs: who says it, and in which conversation, if there is one."""

    who: Correspondent
    conversation: str | None
    is_verified: bool


class Inbound:
    """The hub's ear for every channel."""

    def __init__(
        self,
        store: Store,
        chat: Chat,
        files: Files,
        tokens: Tokens,
        inboxes: Mapping[str, Inbox],
    ) -> None:
        """Say what was heard through *chat*, in the *inboxes* of hub.toml."""
        self._store = store
        self._chat = chat
        self._files = files
        self._inboxes = inboxes
        self._tokens = tokens

    async def hear(
        self, tenant: str, instance: str, said: Said, files: Sequence[SaidFile]
    ) -> Heard:
        """Put *said* into its conversation. Raises `Rejected` and any `HubError`."""
        self._check(tenant, said)
        place = await self._store.read(lambda db: self._place(db, tenant, instance, said))
        visitor, cid = place.who.visitor, _cid(instance, said.key)
        known = await self._store.read(lambda db: channels.heard(db, tenant, visitor, cid))
        if known is not None:
            return Heard(conversation=ConversationId(known), dup=True)
        if place.conversation is None:
            await self._store.transact(
                tenant, lambda tx: channels.begin(tx, place.who, said.language)
            )
        principal = _principal(place.who, said)
        ids, refused = await self._keep(principal, files)
        command = _command(place, said, tuple(ids))
        try:
            done = await self._chat.do(principal, command, cid=cid)
        except CidReuse:
            # Another process was here between the look and the command; its files count.
            return await self._repeated(tenant, visitor, cid)
        await self._store.transact(tenant, lambda tx: channels.wrote(tx, visitor, said.key))
        log.info("channel_heard", extra={"instance": instance, "dup": done.dup})
        return Heard(
            conversation=ConversationId(done.conversation),
            is_new=place.conversation is None,
            is_verified=place.is_verified,
            dup=done.dup,
            refused=tuple(refused),
        )

    async def find(self, tenant: str, instance: str, tokens: Sequence[str]) -> str | None:
        """Return the conversation of the first of *tokens* that is ours and still answered."""

        def look(db: Connection) -> str | None:
            found = self._proven(db, tenant, instance, tokens)
            return found[1] if found else None

        return await self._store.read(look)

    async def returned(
        self, tenant: str, instance: str, tokens: Sequence[str], mail: str, why: str
    ) -> bool:
        """Say that the answer *mail* came back; return whether a token proves it ours."""
        conversation = await self.find(tenant, instance, tokens)
        if conversation is None:
            return False
        return await self._store.transact(
            tenant, lambda tx: mails.came_back(tx, mail, conversation, f"came back: {why}")
        )

    async def _repeated(self, tenant: str, visitor: str, cid: str) -> Heard:
        known = await self._store.read(lambda db: channels.heard(db, tenant, visitor, cid))
        return Heard(conversation=ConversationId(known or ""), dup=True)

    def _check(self, tenant: str, said: Said) -> None:
        box = self._inboxes.get(said.inbox)
        if box is None or box.tenant != tenant:
            raise Rejected(f"there is no inbox {said.inbox!r}")
        if not said.key or len(said.key) > KEY_CHARS:
            raise Rejected("key")
        if not said.address or len(said.address) > ADDRESS_CHARS:
            raise Rejected("address")

    def _place(self, db: Connection, tenant: str, instance: str, said: Said) -> _Place:
        proven = self._proven(db, tenant, instance, said.tokens)
        if proven is not None:
            return _Place(*proven, is_verified=True)
        followed = _followed(db, tenant, instance, said)
        if followed is not None:
            return _Place(*followed, is_verified=False)
        visitor = _visitor(tenant, instance, said.key)
        known = channels.of_visitor(db, tenant, visitor)
        return _Place(known or _fresh(tenant, instance, visitor, said), None, is_verified=False)

    def _proven(
        self, db: Connection, tenant: str, instance: str, tokens: Sequence[str]
    ) -> tuple[Correspondent, str] | None:
        """Return who and which conversation a token stands for. An erased one has nobody."""
        for token in tokens[:TOKENS_MAX]:
            conversation = self._tokens.read(tenant, instance, token)
            if conversation is not None:
                who = channels.of_conversation(db, tenant, conversation)
                if who is not None and who.instance == instance:
                    return who, conversation
        return None

    async def _keep(
        self, principal: Principal, files: Sequence[SaidFile]
    ) -> tuple[list[str], list[tuple[str, str]]]:
        """Return the ids of what was kept, and (name, code) of what the hub does not take.

        What may work later is raised, so that the whole message is tried again.
        """
        ids: list[str] = []
        refused = [(one.name, "too_many_files") for one in files[FILES_MAX:]]
        async with asyncio.timeout(FILES_S):
            for one in files[:FILES_MAX]:
                try:
                    row = await self._files.take(
                        principal, one.name, _chunks(one.data), len(one.data)
                    )
                except HubError as error:
                    if error.retry != "never":
                        raise
                    refused.append((one.name, error.code))
                else:
                    ids.append(row.id)
        return ids, refused


def _followed(
    db: Connection, tenant: str, instance: str, said: Said
) -> tuple[Correspondent, str] | None:
    """Return the thread that *said* names, if its beginner wrote and nobody has answered yet.

    Keys are seen by everybody who got a copy. Once an answer has left, who really got it can
    prove that, and naming a key is not enough any more.
    """
    for key in said.follows[:FOLLOWS_MAX]:
        visitor = _visitor(tenant, instance, key)
        who = channels.of_visitor(db, tenant, visitor)
        if who is None or who.address.casefold() != said.address.casefold():
            continue
        conversation = channels.conversation_of(db, tenant, visitor)
        if conversation and mails.sent_before(db, tenant, conversation) is None:
            return who, conversation
    return None


def _fresh(tenant: str, instance: str, visitor: str, said: Said) -> Correspondent:
    return Correspondent(
        tenant, visitor, instance, said.inbox, said.address, said.name[:NAME_CHARS],
        said.title[:TITLE_CHARS], said.key, said.key,
    )  # fmt: skip


def _principal(who: Correspondent, said: Said) -> Principal:
    # Who answers for somebody under another name is shown under that name.
    name = said.name[:NAME_CHARS] or who.name or said.address
    return Visitor(tenant=who.tenant, id=who.visitor, inbox=who.inbox, name=name).principal()


def _command(
    place: _Place, said: Said, files: tuple[str, ...]
) -> OpenConversation | PostMessage:
    if not said.text.strip() and not files:
        raise Invalid("nothing was said")
    if place.conversation is None:
        return OpenConversation(said.inbox, said.text, said.language, files=files)
    return PostMessage(place.conversation, said.text, files)


def _visitor(tenant: str, instance: str, key: str) -> str:
    return f"v_{_digest(tenant, instance, key)}"


def _cid(instance: str, key: str) -> str:
    return f"ch-{_digest(instance, key)}"


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data
