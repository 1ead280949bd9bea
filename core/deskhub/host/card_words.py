"""A card as lines of text: what it says, without its look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from deskhub_sdk.cards import Card

_MAIN = ("money", "time", "seconds", "number", "link", "copy", "masked", "text", "t")


def words_of(card: Card) -> list[str]:
    """Return what *card* says, one line for each thing; texts by key stay keys."""
    told: dict[str, Any] = msgspec.to_builtins(card)
    badge = f"  [{_text(told['badge']['text'])}]" if told.get("badge") else ""
    lines = [f"{_text(told['title'])}{badge}"]
    lines += [f"  {_text(told['subtitle'])}"] if told.get("subtitle") else []
    for block in told["blocks"]:
        lines += [f"  {line}" for line in _block(block)]
    lines += [f"  ({_text(one['label'])})" for one in told.get("actions", ())]
    return lines


def _block(block: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of one block: every labelled value, and every text in it."""
    for name, value in block.items():
        if name in ("type", "tone", "id"):
            continue
        if isinstance(value, list | tuple):
            for one in value:
                yield from _entry(one)
        elif isinstance(value, str | int | float):
            yield str(value)
        elif isinstance(value, Mapping):
            yield _text(value)


def _entry(one: Any) -> Iterator[str]:  # noqa: ANN401  whatever a block lists
    if isinstance(one, list | tuple):
        yield "  ".join(_text(cell) for cell in one)
    elif isinstance(one, Mapping) and "type" in one:
        yield from _block(one)
    elif isinstance(one, Mapping):
        label = one.get("label") or one.get("title") or one.get("text")
        rest = [_text(one[key]) for key in ("value", "subtitle", "time") if one.get(key)]
        yield ": ".join([_text(label), *rest]) if label else ", ".join(rest)
    else:
        yield _text(one)


def _text(value: Any) -> str:  # noqa: ANN401  a text, a key of one, or a typed value
    if not isinstance(value, Mapping):
        return "" if value is None else str(value)
    main = next((value[name] for name in _MAIN if value.get(name) is not None), "")
    more = " ".join(str(value[name]) for name in ("currency", "unit") if value.get(name))
    return f"{_text(main) if isinstance(main, Mapping) else main} {more}".strip()
