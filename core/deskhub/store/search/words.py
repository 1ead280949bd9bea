"""Text as the index sees it: folded words, and pairs of characters where nothing parts them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence

# Hiragana, katakana, ideographs, hangul: written without spaces, or better found in pieces.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_IS_CJK = re.compile(f"[{_CJK}]")
TOKEN_CHARS = 64
# Folding has made the full-width sign an ordinary one. A name has three words at most here.
_CALLED = re.compile(r"@(\w+(?:[ .'-]+\w+){0,2})")
# No word of a text begins with this sign, so that what the index adds cannot be typed.
_MARK = "¤"


def fold(text: str) -> str:
    """Return *text* without the differences that a reader does not search by."""
    return unicodedata.normalize("NFKC", text).casefold()


def is_cjk(word: str) -> bool:
    """Return whether *word* is written without spaces."""
    return _IS_CJK.match(word) is not None


def runs(folded: str) -> list[str]:
    """Return the words of a folded text, and its stretches of characters without spaces."""
    return _RUN.findall(folded)


def pairs(run: str) -> list[str]:
    """Return every two neighbouring characters of *run*."""
    return [run[at : at + 2] for at in range(len(run) - 1)]


def indexed(text: str) -> Iterator[str]:
    """Yield what a text is found by, in order: neighbours in the text stay neighbours.

    Single characters come last, where they stand between nobody: one character is a word in
    Chinese, too.
    """
    single: dict[str, None] = {}
    for run in runs(fold(text)):
        if is_cjk(run):
            yield from pairs(run)
            single.update(dict.fromkeys(run))
        else:
            yield run[:TOKEN_CHARS]
    yield from single


def of_person(name: str) -> list[str]:
    """Return what a message is found by as its author's *name*."""
    return [f"{_MARK}w{token}" for token in indexed(name)]


def asked_of_person(name: str) -> list[str]:
    """Return the tokens, side by side, that authors called *name* have."""
    return [f"{_MARK}w{token}" for token in _side_by_side(name)]


def mentions(text: str) -> Iterator[str]:
    """Yield what a note is found by as one that calls somebody: the words after each @."""
    for said in _CALLED.findall(fold(text)):
        yield from asked_of_mention(said)


def asked_of_mention(name: str) -> list[str]:
    """Return the tokens, side by side, that a note has that calls *name*."""
    return [f"{_MARK}m{token}" for token in _side_by_side(name)]


def key(kind: str, value: str) -> str:
    """Return the token that stands for a property of a message, such as its conversation."""
    return f"{_MARK}{kind}{hashlib.blake2b(value.encode(), digest_size=8).hexdigest()}"


def marked(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Return where *text* contains any of the folded *words*: ranges in order, apart.

    A word counts where it begins, so that "car" is not seen in "scar".
    """
    folded, place = _folded_with_places(text)
    found = [span for word in words for span in _places(folded, word)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted((place[a], place[b - 1] + 1) for a, b in found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _side_by_side(name: str) -> list[str]:
    found: list[str] = []
    for run in runs(fold(name)):
        found += (pairs(run) or [run]) if is_cjk(run) else [run[:TOKEN_CHARS]]
    return found


def _places(folded: str, word: str) -> Iterator[tuple[int, int]]:
    at = folded.find(word)
    while at >= 0:
        before = folded[at - 1 : at]
        if is_cjk(word) or not before or is_cjk(before) or not before.isalnum():
            yield at, at + len(word)
        at = folded.find(word, at + 1)


def _folded_with_places(text: str) -> tuple[str, list[int]]:
    """Return *text* folded, and for each of its characters which of the text's it came from."""
    parts: list[str] = []
    places: list[int] = []
    for number, character in enumerate(text):
        folded = fold(character)
        parts.append(folded)
        places.extend([number] * len(folded))
    return "".join(parts), places
