"""Problems of hub.toml with file, line, cause and fix, all at once.

`tomllib` keeps no positions, so a small scanner finds where each key stands. It reads what
tomllib accepted; it decides nothing about validity.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deskhub.config.model import Config

Path = tuple[str, ...]

_KEY = r'(?:[A-Za-z0-9_-]+|"[^"\n]*"|\'[^\'\n]*\')'
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEAD = re.compile(rf"^\s*\[\[?\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_PAIR = re.compile(rf"^\s*({_DOTTED})\s*=\s*(.*)$")
_INLINE = re.compile(rf"({_KEY})\s*=")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')
_SECRET = re.compile(r"(tok|secret|pass|key|pwd|credential)", re.IGNORECASE)
_VALUE = re.compile(rf"({_KEY})(\s*=\s*)({_TEXT.pattern})")
_LOGIN = re.compile(r"(://[^:/@\s]*:)[^@/\s]+@")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a key stands: line and column from 1, and how many characters it has."""

    line: int
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: *path* is where in the file, *what* it is, *why* it matters, the *fix*.

    *at* is the line and column of a mistake that no key stands for.
    """

    code: str
    path: Path
    what: str
    why: str = ""
    fix: str = ""
    at: tuple[int, int] | None = None


class ConfigProblems(Exception):
    """hub.toml cannot be used; holds every problem and the text they stand in.

    *config* is what could be read in spite of them, or None when nothing could.
    """

    def __init__(
        self, problems: Sequence[Problem], source: str, name: str, config: Config | None = None
    ) -> None:
        """Keep the *problems* of the file *name* whose text is *source*."""
        super().__init__(f"{len(problems)} problems in {name}")
        found = positions(source)
        self.problems = tuple(sorted(problems, key=lambda one: _order(one, found)))
        self.source = source
        self.name = name
        self.config = config

    def rendered(self) -> str:
        """Return every problem as a person reads it, at most 8 lines each."""
        return "\n\n".join(render(one, self.source, self.name) for one in self.problems)


def positions(source: str) -> dict[Path, Position]:
    """Return where each table and key of *source* stands, inline tables included."""
    found: dict[Path, Position] = {}
    prefix: Path = ()
    depth = 0
    quote = ""
    for number, line in enumerate(source.splitlines(), 1):
        if quote:
            quote = "" if quote in line else quote
        elif depth:
            depth += _brackets(line)
        elif head := _HEAD.match(line):
            prefix = _split(head[1])
            found[prefix] = Position(number, head.start(1) + 1, len(head[1]))
        elif pair := _PAIR.match(line):
            path = prefix + _split(pair[1])
            found[path] = Position(number, pair.start(1) + 1, len(pair[1]))
            quote = _open_quote(pair[2])
            depth = _brackets(pair[2]) if not quote and pair[2].lstrip()[:1] in "[{" else 0
            if pair[2].lstrip().startswith("{"):
                found.update(_inline(path, line, number, pair.start(2)))
    return found


def near(word: str, words: Iterable[str]) -> str | None:
    """Return the one of *words* that *word* was probably meant to be."""
    matches = difflib.get_close_matches(word, list(words), 1, 0.6)
    return matches[0] if matches else None


def render(problem: Problem, source: str, name: str) -> str:
    """Return *problem* with the line it stands on; secrets in that line are masked."""
    lines = [f"error[{problem.code}]: {_without_login(problem.what)}"]
    position = _place(problem, positions(source))
    if position is not None:
        whole = problem.code == "DH301"
        text = source.splitlines()[position.line - 1]
        before = _masked(text[: position.column - 1], whole=whole)
        lines.append(f"  --> {name}:{position.line}:{position.column}")
        lines.append(f"{position.line:>3} | {_masked(text, whole=whole)}")
        lines.append(f"    | {' ' * len(before)}{'^' * position.width}")
    if problem.why:
        lines.append(f"    = why: {problem.why}")
    if problem.fix:
        lines.append(f"    = fix: {problem.fix}")
    lines.append(f"    = more: deskhub explain {problem.code}")
    return "\n".join(lines)


def place_of(problem: Problem, source: str) -> Position | None:
    """Return where *problem*, or the nearest thing above it, stands."""
    return _place(problem, positions(source))


def _place(problem: Problem, found: dict[Path, Position]) -> Position | None:
    if problem.at is not None:
        return Position(*problem.at, 1)
    return _nearest(problem.path, found)


def _order(problem: Problem, found: dict[Path, Position]) -> tuple[int, int]:
    position = _place(problem, found)
    return (position.line, position.column) if position else (0, 0)


def _nearest(path: Path, found: dict[Path, Position]) -> Position | None:
    while path and path not in found:
        child = next((at for at in found if at[: len(path)] == path), None)
        path = child if child is not None else path[:-1]
    return found.get(path)


def _split(dotted: str) -> Path:
    return tuple(key.strip().strip("\"'") for key in re.findall(_KEY, dotted))


def _open_quote(value: str) -> str:
    for quote in ('"""', "'''"):
        if value.count(quote) == 1:
            return quote
    return ""


def _brackets(text: str) -> int:
    """Return how many brackets *text* opens beyond those it closes, outside of strings."""
    bare = re.sub(r"#.*", "", _TEXT.sub("", text))
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")


def _inline(path: Path, line: str, number: int, start: int) -> dict[Path, Position]:
    """Return the keys of a one-line inline table that starts at column *start*."""
    blank = _TEXT.sub(lambda text: " " * len(text[0]), line)
    return {
        path + _split(key[1]): Position(number, key.start(1) + 1, len(key[1]))
        for key in _INLINE.finditer(blank, start)
    }


def _masked(line: str, *, whole: bool) -> str:
    """Return *line* with the strings behind secret-looking keys hidden, or with all hidden."""

    def hidden(value: re.Match[str]) -> str:
        # A reference only says where a secret is.
        if value[1] in ("env", "file", "store") or not (whole or _SECRET.search(value[1])):
            return value[0]
        return f'{value[1]}{value[2]}"••••"'

    return _VALUE.sub(hidden, _without_login(line))


def _without_login(text: str) -> str:
    """Return *text* without the password of an address such as ``postgresql://me:pw@host``."""
    return _LOGIN.sub(r"\1••••@", text)
