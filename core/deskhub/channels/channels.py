"""Both directions of every channel as one part of the hub, which contexts of adapters ask."""

from __future__ import annotations

from collections.abc import Mapping

from deskhub.channels.inbound import Inbound
from deskhub.channels.outbound import Outbound
from deskhub.channels.tokens import Tokens
from deskhub.chat.service import Chat
from deskhub.clock import Clock
from deskhub.config import Inbox
from deskhub.files.files import Files
from deskhub.identity.keys import KeyTable
from deskhub.notify.outbox import FIRST_PAUSE_S
from deskhub.store.store import Store


class Channels:
    """Implements `deskhub.host.ports.ChannelPort`. One `run` for the process."""

    def __init__(
        self,
        store: Store,
        chat: Chat,
        files: Files,
        clock: Clock,
        keys: KeyTable,
        inboxes: Mapping[str, Inbox],
        *,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """Hear into *inboxes*; `attach` says which adapters carry the answers."""
        tokens = Tokens(keys)
        inbound = Inbound(store, chat, files, tokens, inboxes)
        outbound = Outbound(store, clock, tokens, files, first_pause_s=first_pause_s)
        self.hear = inbound.hear
        self.find = inbound.find
        self.returned = inbound.returned
        self.leaving = outbound.leaving
        self.read_file = outbound.read_file
        self.attach = outbound.attach
        self.run = outbound.run
        self.outbound = outbound
