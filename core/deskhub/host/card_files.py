"""A card in a file, checked as the hub would: what is wrong, on which line, what mends it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from deskhub_sdk.cards import MAX_CARD_BYTES, Card, CardError, decode_card

_PLACE = re.compile(r" - at `?(\$[^`]*)`?$")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_SECRET = re.compile(r"token|secret|passw|api_?key|credential|authorization", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CardProblem:
    """One mistake in a card: *where* is its path (``$.blocks[0]``), *line* counts from 1."""

    code: str
    what: str
    why: str
    fix: str
    where: str
    line: int


def check_card(text: str) -> tuple[Card | None, list[CardProblem]]:
    """Return the card in *text*, and everything that is wrong with it."""
    problems: list[CardProblem] = []
    card: Card | None = None
    try:
        card = decode_card(text)
    except CardError as error:
        problems.append(_broken(str(error), text))
    if len(text.encode()) > MAX_CARD_BYTES:
        problems.append(CardProblem(
            "DH520", f"the card has {len(text.encode())} bytes",
            f"a card has at most {MAX_CARD_BYTES}", "show less, and link to the rest", "$", 1,
        ))  # fmt: skip
    try:
        values = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return card, problems
    problems += [_looks_secret(where, text) for where in _secret_labels(values, "$")]
    return card, problems


def _broken(error: str, text: str) -> CardProblem:
    match = _PLACE.search(error)
    where = match[1] if match else "$"
    what = _PLACE.sub("", error)
    line = line_of(text, where)
    if where.endswith(".money"):
        return CardProblem(
            "DH521", f"money must be a decimal text: {_small(what)}",
            "a float loses cents", 'write "money": "428.00", "currency": "CNY"', where, line,
        )  # fmt: skip
    if "timezone" in error or "RFC3339" in error:
        return CardProblem(
            "DH520", f"a time needs its zone: {_small(what)}",
            "without one it means something else on the next machine",
            'write "2026-11-18T09:12:00+08:00"; in Python datetime.now(UTC)', where, line,
        )  # fmt: skip
    return CardProblem(
        "DH520", f"the card is not as the format says: {_small(what)}",
        "agents would see the fallback line instead", "deskhub_sdk.cards builds cards that fit",
        where, line,
    )  # fmt: skip


def _looks_secret(where: str, text: str) -> CardProblem:
    return CardProblem(
        "DH522", "a field of the card looks like a credential",
        "everybody who may see the conversation would see it",
        "leave it out; mark the setting as SecretStr", where, line_of(text, where),
    )  # fmt: skip


def _secret_labels(value: Any, where: str) -> list[str]:  # noqa: ANN401  any JSON
    """Return the paths of labels that name a credential."""
    found = []
    if isinstance(value, dict):
        label = value.get("label")
        if isinstance(label, str) and _SECRET.search(label):
            found.append(f"{where}.label")
        for key, one in value.items():
            found += _secret_labels(one, f"{where}.{key}")
    elif isinstance(value, list):
        for at, one in enumerate(value):
            found += _secret_labels(one, f"{where}[{at}]")
    return found


def line_of(text: str, where: str) -> int:
    """Return the line of *text* on which the value at the path *where* begins."""
    lines = _lines(text)
    while where not in lines and where != "$":
        where = where.rpartition("[" if where.endswith("]") else ".")[0]
    return lines.get(where, 1)


def _lines(text: str) -> dict[str, int]:
    """Return the line of each value of the JSON *text* by its path.

    A small scanner: a decoder keeps no positions.
    """
    found: dict[str, int] = {}
    # Each container that is open: its path, and the key or the index that comes next.
    stack: list[tuple[str, str | int | None]] = []
    for token in _TOKEN.finditer(text):
        sign = token[0]
        path, key = stack[-1] if stack else ("$", None)
        if sign in "]}":
            stack.pop()
        elif sign == ",":
            stack[-1] = (path, key + 1 if isinstance(key, int) else None)
        elif stack and key is None:
            stack[-1] = (path, sign[1:-1])
        elif sign != ":":
            step = f"[{key}]" if isinstance(key, int) else f".{key}"
            here = path + step if stack else path
            found[here] = text.count("\n", 0, token.start()) + 1
            if sign in "[{":
                stack.append((here, 0 if sign == "[" else None))
    return found


def _small(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"
