"""From a row to a notice: whether it is still needed, and what the browser shows.

A notice lies on a locked screen and passes through somebody else's service (encrypted): by
default it says that there is something to read, and nothing of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from deskhub.chat.model import Conversation
from deskhub.config import Config
from deskhub.identity.model import Principal
from deskhub.identity.policy import Scope, may_see
from deskhub.identity.records import Agent
from deskhub.notify.compose import plain_name
from deskhub.notify.words import text
from deskhub.store import pushes
from deskhub.store.pushes import Device, PushRow
from deskhub.store.surroundings import around
from deskhub.store.tx import Connection

# Why a notice is not needed any more.
Needless = Literal["seen", "reached", "answered", "elsewhere", "gone"]
# Whether a device of somebody (``visitor:…``) has acknowledged everything up to a place.
HasReached = Callable[[str, str, int], bool]

SNIPPET_CHARS = 140


@dataclass(frozen=True, slots=True)
class Notice:
    """What is sent to one browser; *topic* lets a newer one take its place."""

    device: Device
    payload: bytes
    topic: str


class Notices:
    """Makes notices from what the store says in one transaction."""

    def __init__(self, config: Config, has_reached: HasReached) -> None:
        """Name inboxes as *config* does; ask *has_reached* who has a message already."""
        self._config = config
        self._has_reached = has_reached

    def draft(self, db: Connection, row: PushRow, agents: Sequence[Agent]) -> Notice | Needless:
        """Return what *row* becomes now, or why nothing is to be sent."""
        device = pushes.device(db, row.tenant, row.device)
        found = around(db, row.tenant, row.conversation)
        if device is None or found is None:
            return "gone"
        talk = found.conversation
        why = self.needless(db, row, device, talk, agents)
        if why is not None:
            return why
        said = pushes.said_at(db, row.tenant, row.until_seq)
        return Notice(device, self._payload(device, talk, said), topic_of(talk.id))

    def needless(
        self,
        db: Connection,
        row: PushRow,
        device: Device,
        talk: Conversation,
        agents: Sequence[Agent],
    ) -> Needless | None:
        """Return why *device* need not be told of what *row* covers, or None."""
        side, _, who = device.owner.partition(":")
        if side == "visitor":
            if who != talk.visitor:
                return "elsewhere"
            read = talk.visitor_read_seq
        else:
            agent = next((one for one in agents if one.id == who and one.active), None)
            if agent is None or not _may_read(agent, talk):
                return "gone"
            if talk.assignee != who and (talk.assignee is not None or agent.status == "away"):
                return "elsewhere"
            if talk.waiting_since is None:
                return "answered"
            read = pushes.read_by(db, row.tenant, who, talk.id)
        if read >= row.until_seq:
            return "seen"
        return "reached" if self._has_reached(row.tenant, device.owner, row.until_seq) else None

    def test(self, device: Device) -> Notice:
        """Return the notice by which somebody sees that notices come."""
        shown = {
            "title": text(device.language, "push.test.title"),
            "body": text(device.language, "push.test.body"),
            "tag": "deskhub-test", "url": "/console/",
        }  # fmt: skip
        return Notice(device, _encoded(device, shown), topic_of(device.id))

    def _payload(self, device: Device, talk: Conversation, said: dict[str, object]) -> bytes:
        box = self._config.inboxes.get(talk.inbox)
        inbox = plain_name(box.name if box else talk.inbox)
        is_visitor = device.owner.startswith("visitor:")
        kind = "answer" if is_visitor else "message"
        body = text(device.language, f"push.{kind}.body")
        if self._config.push.snippet:
            body = _snippet(str(said.get("name") or ""), str(said.get("text") or "")) or body
        url = f"/c/{quote(box.key if box else '', safe='')}"
        shown = {
            "title": text(device.language, f"push.{kind}.title", inbox=inbox),
            "body": body,
            "tag": topic_of(talk.id),
            "url": url if is_visitor else f"/console/inbox/all/{talk.id}",
        }
        return _encoded(device, shown)


def topic_of(id_: str) -> str:
    """Return a name for an id that services take (32 URL-safe characters) and cannot read."""
    return base64.urlsafe_b64encode(hashlib.sha256(id_.encode()).digest()[:24]).decode()


def _may_read(agent: Agent, talk: Conversation) -> bool:
    inboxes = None if agent.inboxes is None else frozenset(agent.inboxes)
    who = Principal(agent.tenant, "agent", agent.id, role=agent.role, inboxes=inboxes)
    return may_see(who, "agents", Scope(talk.tenant, talk.inbox, talk.visitor))


def _snippet(name: str, said: str) -> str:
    line = plain_name(said[: 4 * SNIPPET_CHARS], SNIPPET_CHARS + 1)
    if len(line) > SNIPPET_CHARS:
        line = line[:SNIPPET_CHARS].rstrip() + "…"
    return f"{plain_name(name)}: {line}" if name and line else line


def _encoded(device: Device, shown: dict[str, str]) -> bytes:
    return json.dumps({"v": 1, "lang": device.language} | shown, ensure_ascii=False).encode()
