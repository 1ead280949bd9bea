"""What an index of messages can do, whichever database keeps it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from deskhub.store.search.query import AnyOf, Condition, Phrase

# Raised when a text is found by other tokens than before: every index is then made anew.
FORMAT = 1
# A search that takes longer is given up: the words in it are everywhere.
FIND_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """How far a tenant's log is indexed, and which log that was."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Found:
    """A message or note by its seq, and the tokens it is found by from now on."""

    seq: int
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The next part of a tenant's log: (*after*, *until*] of the log *epoch*.

    *gone* are tokens; what has one of them is no longer found.
    """

    tenant: str
    epoch: str
    after: int
    until: int
    found: Sequence[Found]
    gone: Sequence[str] = ()


class Index(Protocol):
    """Where words are kept. Every method may raise `StoreDown`."""

    async def place(self, tenant: str) -> Place | None:
        """Return how far *tenant* is indexed; None when it is not, or in another format."""
        ...

    async def put(self, part: Part) -> bool:
        """Take *part* in; return False when the tenant stands elsewhere than *part.after*.

        All of it or nothing: an index that was killed goes on from its place.
        """
        ...

    async def wipe(self, tenant: str, epoch: str) -> None:
        """Forget everything of *tenant*; its place is the beginning of the log *epoch*."""
        ...

    async def find(
        self, tenant: str, conditions: Sequence[Condition], after: int, before: int, limit: int
    ) -> Sequence[int]:
        """Return the newest seqs in (*after*, *before*) that fit all *conditions*."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


def as_match(conditions: Sequence[Condition]) -> str:
    """Return *conditions* in the words of FTS5."""
    return " AND ".join(_either(one, _quoted_match, " OR ") for one in conditions)


def as_tsquery(conditions: Sequence[Condition]) -> str:
    """Return *conditions* in the words of PostgreSQL."""
    return " & ".join(_either(one, _quoted_ts, " | ") for one in conditions)


def as_tsvector(tokens: Sequence[str]) -> str:
    """Return *tokens*, in their order, as PostgreSQL writes a text vector."""
    return " ".join(f"'{token}':{place}" for place, token in enumerate(tokens, 1))


def _either(condition: Condition, written: Callable[[Phrase], str], word: str) -> str:
    if isinstance(condition, AnyOf):
        return f"({word.join(written(one) for one in condition.options)})"
    return written(condition)


# Tokens hold letters, digits and the mark: nothing that either language gives a meaning.


def _quoted_match(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.tokens)}"{"*" if phrase.is_prefix else ""}'


def _quoted_ts(phrase: Phrase) -> str:
    *first, last = (f"'{token}'" for token in phrase.tokens)
    text = " <-> ".join([*first, f"{last}:*" if phrase.is_prefix else last])
    return f"({text})" if first else text
