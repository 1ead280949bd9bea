"""Finding messages: what was typed, narrowed to what the asker may see, shown from the log."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.errors import Invalid
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize, may_see
from deskhub.store import edits, rows
from deskhub.store.engine import path_of
from deskhub.store.event import Event, from_row
from deskhub.store.metadata import to_micros
from deskhub.store.search import words
from deskhub.store.search.fts5 import FileIndex
from deskhub.store.search.index import Index
from deskhub.store.search.indexer import Indexer
from deskhub.store.search.query import AnyOf, Condition, Phrase, Query, parsed
from deskhub.store.store import Store
from deskhub.store.tables import chat as t
from deskhub.store.views import agent_views

# `with:` and `tag:` look at this many conversations, the latest first.
CONVERSATIONS_MAX = 1_000
SNIPPET_CHARS = 180
# A snippet begins this far before the first word that was found.
LEAD_CHARS = 40
_FAR = 1 << 39
ME = ("me", "我")

_C = t.conversation.c
_E = t.event.c


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of what was found, best first within it.

    *before* is where the next page goes on, None when there is none. *behind* is how many
    events are not indexed yet; *narrowed* says that more conversations fitted a filter than
    are looked at.
    """

    hits: Sequence[dict[str, Any]]
    before: int | None
    behind: int
    narrowed: bool


@dataclass(frozen=True, slots=True)
class _Limits:
    """What the conversations and days of a query leave: None means all conversations."""

    after: int
    before: int
    head: int
    conversations: Sequence[str] | None


def index_at(url: str) -> Index:
    """Return the index that belongs to the store at *url*."""
    path = path_of(url)
    if path is None or url.startswith("postgresql"):
        # Its half of SQLAlchemy is not imported for a file.
        from deskhub.store.search.tsvector import ServerIndex  # noqa: PLC0415

        return ServerIndex(url)
    return FileIndex(path.with_name(f"{path.stem}-search{path.suffix}"))


class Search:
    """Answers searches, and while it runs keeps up with the log what it looks in."""

    def __init__(self, store: Store, index: Index) -> None:
        """Look in *index*, read hits from *store*."""
        self._store = store
        self.index = index
        self.indexer = Indexer(store, index)

    @classmethod
    def at(cls, store: Store, url: str) -> Search:
        """Return the search of *store*, with the index that belongs to *url*."""
        return cls(store, index_at(url))

    async def run(self) -> None:
        """Index until cancelled; close the index then."""
        try:
            await self.indexer.run()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the index."""
        await self.index.close()

    async def find(
        self,
        principal: Principal,
        typed: str,
        zone: tzinfo,
        *,
        before: int | None = None,
        limit: int = 20,
    ) -> Hits:
        """Return the newest messages and notes that fit, the best of this page first.

        Where Chinese words find nothing side by side, they are taken wherever they stand.
        Raises `Invalid` for a filter that cannot be read and `Busy` when it takes too long.
        """
        authorize(principal, Permission.SEARCH, Scope(principal.tenant))
        query = parsed(typed, zone)
        if query.is_empty:
            raise Invalid(
                "search: nothing asked",
                fields=({"path": "q", "code": "empty", "text": "Type what to look for."},),
            )
        said = [await self._said_by(principal, name) for name in query.with_]
        limits = await self._store.read(lambda db: _limits(db, principal, query, before, said))
        place = await self.index.place(principal.tenant)
        behind = max(0, limits.head - (place.seq if place else 0))
        narrowed = len(limits.conversations or ()) >= CONVERSATIONS_MAX
        if limits.conversations is not None and not limits.conversations:
            return Hits((), None, behind, narrowed)
        seqs = await self._seqs(principal, query, limits, limit)
        if not seqs and query.relaxed().terms != query.terms:
            query = query.relaxed()
            seqs = await self._seqs(principal, query, limits, limit)
        page, more = seqs[:limit], len(seqs) > limit
        hits = await self._store.read(lambda db: _hits(db, principal, query, page))
        return Hits(hits, page[-1] if more else None, behind, narrowed)

    async def _said_by(self, principal: Principal, name: str) -> Sequence[int]:
        """Return the latest messages by people called *name*: their conversations are meant."""
        conditions = [_author(principal, name)]
        return await self.index.find(principal.tenant, conditions, 0, _FAR, CONVERSATIONS_MAX)

    async def _seqs(
        self, principal: Principal, query: Query, limits: _Limits, limit: int
    ) -> Sequence[int]:
        conditions = _conditions(principal, query, limits.conversations)
        return await self.index.find(
            principal.tenant, conditions, limits.after, limits.before, limit + 1
        )


def _conditions(
    principal: Principal, query: Query, among: Sequence[str] | None
) -> list[Condition]:
    """Return what a message has to fit, the rarest first: both databases begin there."""
    found: list[Condition] = []
    if among is not None:
        found.append(_any("c", among))
    found += query.terms
    found += [_author(principal, name) for name in query.from_]
    found += [_mention(principal, name) for name in query.mentions]
    if query.only == "note":
        found.append(Phrase((words.key("k", "note.posted"),)))
    if principal.inboxes is not None:
        found.append(_any("i", sorted(principal.inboxes) or [""]))
    # Without a word, everything in these limits is wanted.
    return found or [_any("k", ["message.posted", "note.posted"])]


def _any(kind: str, values: Collection[str]) -> Condition:
    return AnyOf(tuple(Phrase((words.key(kind, value),)) for value in values))


def _author(principal: Principal, name: str) -> Condition:
    said = name.casefold()
    if said in ME:
        return Phrase((words.key("b", principal.by),))
    if said in ("customer", "visitor", "客户"):
        return Phrase((words.key("r", "visitor"),))
    if said in ("agent", "客服"):
        return Phrase((words.key("r", "agent"),))
    tokens = words.asked_of_person(name)
    return Phrase(tuple(tokens) or (words.key("b", name),), is_prefix=True)


def _mention(principal: Principal, name: str) -> Condition:
    called = principal.name if name.casefold() in ME else name
    tokens = words.asked_of_mention(called)
    return Phrase(tuple(tokens) or (words.key("m", called),))


def _limits(
    db: sa.Connection,
    principal: Principal,
    query: Query,
    before: int | None,
    said: Sequence[Sequence[int]],
) -> _Limits:
    tenant = principal.tenant
    counter = sa.select(t.tenant.c.head).where(t.tenant.c.tenant == tenant)
    head = int(db.execute(counter).scalar() or 0)
    first = _seq_at(db, tenant, query.after, head) if query.after else 0
    last = _seq_at(db, tenant, query.before, head) if query.before else _FAR
    among = _among(db, principal, query, said) if query.with_ or query.tags else None
    return _Limits(first, min(last + 1, before or _FAR), head, among)


def _seq_at(db: sa.Connection, tenant: str, moment: datetime, head: int) -> int:
    """Return the last seq before *moment*: times grow with the log, so halving finds it."""
    low, high = 0, head
    wanted = to_micros(moment)
    at = sa.select(sa.type_coerce(_E.at, sa.BigInteger))
    while low < high:
        middle = (low + high + 1) // 2
        # Purged events leave holes: the next one that is there counts.
        row = db.execute(
            at.where(_E.tenant == tenant, _E.seq >= middle).order_by(_E.seq).limit(1)
        ).first()
        if row is None or row[0] >= wanted:
            high = middle - 1
        else:
            low = middle
    return low


def _among(
    db: sa.Connection, principal: Principal, query: Query, said: Sequence[Sequence[int]]
) -> Sequence[str]:
    """Return the conversations that `with:` and `tag:` mean, the latest first.

    *said* are messages by the people that `with:` names.
    """
    where = [_C.tenant == principal.tenant]
    if principal.inboxes is not None:
        where.append(_C.inbox.in_(sorted(principal.inboxes)))
    for name, seqs in zip(query.with_, said, strict=True):
        # With one column more, or SQLite would walk through the index on conversations.
        spoken = sa.select(_E.conversation, _E.by).where(
            _E.tenant == principal.tenant, _E.seq.in_(list(seqs))
        )
        known = _C.id.in_(db.execute(spoken).scalars().all())
        reached = _reached(db, principal.tenant, name)
        where.append(known | _C.customer.in_(reached) if reached else known)
    for tag in query.tags:
        # The list is stored as JSON: a tag stands there between its quotes.
        stored = sa.cast(_C.tags, sa.Text)
        where.append(stored.icontains(json.dumps(tag), autoescape=True))
    # Sorted here: asked for an order, SQLite would walk through all conversations by it.
    found = sorted(db.execute(sa.select(_C.last_seq, _C.id).where(*where)), reverse=True)
    return [row.id for row in found[:CONVERSATIONS_MAX]]


def _reached(db: sa.Connection, tenant: str, name: str) -> Sequence[str]:
    """Return the customers whose e-mail address or phone number *name* is a part of."""
    c = t.customer.c
    if "@" in name:
        column: sa.ColumnElement[str] = c.email
    elif sum(sign.isdigit() for sign in name) > 3:
        column = c.phone
    else:
        return ()
    query = sa.select(c.id).where(c.tenant == tenant, column.icontains(name, autoescape=True))
    return db.execute(query.limit(CONVERSATIONS_MAX)).scalars().all()


def _hits(
    db: sa.Connection, principal: Principal, query: Query, seqs: Sequence[int]
) -> list[dict[str, Any]]:
    """Return what the log says about *seqs*, as far as *principal* may see it."""
    if not seqs:
        return []
    asked = sa.select(t.event).where(_E.tenant == principal.tenant, _E.seq.in_(list(seqs)))
    events = [from_row(row) for row in db.execute(asked)]
    seen = [one for one in events if may_see(principal, one.audience, _scope(one))]
    ids = {one.conversation for one in seen if one.conversation is not None}
    states = rows.conversations(db, principal.tenant, ids)
    views = agent_views(db, principal, list(states.values()))
    by_id = {view["id"]: view for view in views}
    texts = edits.latest(db, principal.tenant, seqs)
    shown = [
        _hit(one, query, by_id, texts.get(one.seq)) for one in seen if one.conversation in by_id
    ]
    shown.sort(key=lambda hit: (-hit["score"], -hit["seq"]))
    return shown


def _scope(event: Event) -> Scope:
    return Scope(event.tenant, event.inbox, event.visitor)


def _hit(
    event: Event, query: Query, views: Mapping[str, dict[str, Any]], edited: str | None
) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.json.decode(event.data)
    text = str(data.get("text", "")) if edited is None else edited
    parts, found = snippet(text, query.shown)
    view = views[event.conversation or ""]
    return {
        "seq": event.seq,
        "at": rfc3339(event.at),
        "by": event.by,
        "name": str(data.get("name") or ""),
        "kind": "note" if event.kind == "note.posted" else "message",
        "parts": parts,
        "score": found,
        "conversation": view,
    }


def snippet(text: str, shown: Sequence[str]) -> tuple[list[tuple[str, bool]], int]:
    """Return the part of *text* around its first found word, and how much of *shown* it has.

    The part comes in pieces, each with whether it was looked for: nothing has to be escaped.
    The number counts the words that stand there whole.
    """
    marks = words.marked(text, shown)
    start = max(0, marks[0][0] - LEAD_CHARS) if marks else 0
    # Not from the middle of a Latin word.
    gap = text.find(" ", start, marks[0][0]) if start else -1
    start = gap + 1 if gap >= 0 else start
    end = min(len(text), start + SNIPPET_CHARS)
    pieces: list[tuple[str, bool]] = [("… ", False)] if start else []
    at = start
    for first, last in marks:
        if first >= end:
            break
        pieces += [(text[at:first], False), (text[first : min(last, end)], True)]
        at = min(last, end)
    pieces.append((text[at:end] + (" …" if end < len(text) else ""), False))
    folded = words.runs(words.fold(text))
    whole = set(folded)
    score = sum(2 if word in whole else any(word in run for run in folded) for word in shown)
    return [piece for piece in pieces if piece[0]], score
