"""What somebody typed into the search box, as a condition that either database can answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, tzinfo
from typing import Literal

from deskhub.errors import Invalid
from deskhub.store.search import words

# Shorter beginnings fit half of a language.
PREFIX_CHARS = 3
TERMS_MAX = 16

_PART = re.compile(
    r'(?:(?P<name>from|with|mentions|before|after|tag|has)[:：])?(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+))',
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens that stand side by side; with *is_prefix* the last one may go on."""

    tokens: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these."""

    options: tuple[Phrase, ...]


Condition = Phrase | AnyOf


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted: *terms* of the text, and what is said about message and conversation.

    *shown* are the folded words that an answer highlights. *after* is included, *before* not.
    """

    terms: tuple[Phrase, ...] = ()
    shown: tuple[str, ...] = ()
    from_: tuple[str, ...] = ()
    with_: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    only: Literal["note"] | None = None
    before: datetime | None = None
    after: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was asked."""
        return self == Query()

    def relaxed(self) -> Query:
        """Return a query that takes Chinese words wherever they stand.

        Most have two characters, so every second pair of neighbours is taken for a word.
        """
        apart: list[Phrase] = []
        shown: list[str] = []
        for term in self.terms:
            if len(term.tokens) > 1 and words.is_cjk(term.tokens[0]):
                pairs = dict.fromkeys((*term.tokens[::2], term.tokens[-1]))
                apart += [Phrase((token,)) for token in pairs]
                shown += pairs
            else:
                apart.append(term)
                shown += term.tokens
        return replace(self, terms=tuple(apart[: 2 * TERMS_MAX]), shown=tuple(shown))


@dataclass(slots=True)
class _Draft:
    zone: tzinfo
    query: Query = field(default_factory=Query)

    def text(self, said: str, *, exact: bool) -> None:
        """Take words; a quoted text has to stand as it is."""
        found = words.runs(words.fold(said))
        latin: list[str] = []
        for run in found:
            if words.is_cjk(run):
                self._term(latin, exact=True)
                latin = []
                self._term(words.pairs(run) or [run], exact=True, shown=(run,))
            else:
                latin.append(run[: words.TOKEN_CHARS])
        self._term(latin, exact=exact)

    def _term(self, tokens: list[str], *, exact: bool, shown: Sequence[str] = ()) -> None:
        if not tokens or len(self.query.terms) >= TERMS_MAX:
            return
        is_prefix = not exact and len(tokens[-1]) >= PREFIX_CHARS
        self.query = replace(
            self.query,
            terms=(*self.query.terms, Phrase(tuple(tokens), is_prefix)),
            shown=(*self.query.shown, *(shown or tokens)),
        )

    def from_(self, said: str) -> None:
        self.query = replace(self.query, from_=(*self.query.from_, said))

    def with_(self, said: str) -> None:
        self.query = replace(self.query, with_=(*self.query.with_, said))

    def mentions(self, said: str) -> None:
        self.query = replace(self.query, mentions=(*self.query.mentions, said))

    def tag(self, said: str) -> None:
        self.query = replace(self.query, tags=(*self.query.tags, said))

    def has(self, said: str) -> None:
        if said.casefold() != "note":
            raise _wrong("has", "Only has:note is known.")
        self.query = replace(self.query, only="note")

    def before(self, said: str) -> None:
        self.query = replace(self.query, before=self._day(said))

    def after(self, said: str) -> None:
        self.query = replace(self.query, after=self._day(said))

    def _day(self, said: str) -> datetime:
        try:
            day = datetime.strptime(said, "%Y-%m-%d").date()  # noqa: DTZ007  a day has no zone
            return datetime.combine(day, time(), self.zone)
        except (ValueError, OverflowError) as error:
            raise _wrong("date", "Write days as 2026-11-30.") from error


def parsed(typed: str, zone: tzinfo) -> Query:
    """Return what *typed* asks for; days are those of *zone*. Raises `Invalid`.

    The last word may be unfinished: people look at what comes while they type.
    """
    draft = _Draft(zone)
    found = list(_PART.finditer(typed))
    filters: dict[str, Callable[[str], None]] = {
        "from": draft.from_, "with": draft.with_, "mentions": draft.mentions,
        "before": draft.before, "after": draft.after, "tag": draft.tag, "has": draft.has,
    }  # fmt: skip
    for part in found:
        quoted = part["quoted"]
        said = part["plain"] if quoted is None else quoted
        if part["name"] is not None:
            filters[part["name"].lower()](said)
        else:
            unfinished = part is found[-1] and quoted is None and not typed[-1:].isspace()
            draft.text(said, exact=not unfinished)
    return draft.query


def _wrong(code: str, text: str) -> Invalid:
    return Invalid(f"search: {code}", fields=({"path": "q", "code": code, "text": text},))
