"""Changes of hub.toml that keep its comments: shown as a difference first, then written.

Nothing is written that reads back as anything but the old file with exactly these changes.
"""

from __future__ import annotations

import difflib
import os
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import InlineTable, Item

from deskhub.config.load import parse
from deskhub.config.located import Path as KeyPath
from deskhub.config.model import Config


class NotEditable(Exception):
    """The file cannot be changed from here; the text says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Set the key at *path* to *value*, a plain TOML value; None takes the key out."""

    path: KeyPath
    value: object


@dataclass(frozen=True, slots=True)
class Draft:
    """A change of the file *path* that has not been written."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """Return the difference as ``diff -u`` shows it; empty when nothing changes."""
        name = self.path.name
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), name, name, lineterm="", n=2
        )
        return "\n".join(lines)

    def config(self) -> Config:
        """Return what the changed file would mean. Raises `ConfigProblems`."""
        return parse(self.path, self.after)

    def write(self) -> None:
        """Replace the file in one step. Raises `NotEditable`: read-only, or changed since."""
        if self.path.read_text(encoding="utf-8") != self.before:
            raise NotEditable(f"{self.path.name} was changed by somebody else meanwhile")
        reason = why_not(self.path)
        if reason:
            raise NotEditable(reason)
        _replace(self.path.resolve(), self.after)


def draft(path: Path, edits: Iterable[Edit]) -> Draft:
    """Return *edits* as a change of the file at *path*. Raises `NotEditable`."""
    before = path.read_text(encoding="utf-8")
    return Draft(path, before, edited(before, list(edits)))


def edited(source: str, edits: Sequence[Edit]) -> str:
    """Return the TOML *source* with *edits* made; comments, order and quoting stay.

    Raises `NotEditable` when a key leads through something that is no table.
    """
    wanted = tomllib.loads(source)
    text = source
    for edit in edits:
        _put(wanted, edit)
        text = _made(text, edit)
    if tomllib.loads(text) != wanted:
        raise NotEditable("this file is written in a way that cannot be changed from here")
    return text


def why_not(path: Path) -> str:
    """Return why the file at *path* cannot be written, or an empty text."""
    real = path.resolve()
    if not os.access(real, os.W_OK):
        return f"{path.name} is read-only here"
    if not os.access(real.parent, os.W_OK):
        return f"the folder of {path.name} is read-only here"
    if os.path.ismount(real):
        return f"{path.name} is mounted as a single file, which cannot be replaced"
    return ""


def as_toml(edits: Sequence[Edit]) -> str:
    """Return *edits* as TOML to be copied into a file that cannot be written."""
    return edited("", edits).strip() + "\n"


def _put(document: dict[str, Any], edit: Edit) -> None:
    """Make *edit* on plain values."""
    table: Any = document
    *tables, key = edit.path
    for name in tables:
        if name not in table and edit.value is None:
            return
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise NotEditable(f"'{name}' is no table")
    if edit.value is None:
        table.pop(key, None)
    else:
        table[key] = deepcopy(edit.value)


def _made(source: str, edit: Edit) -> str:
    """Return *source* with *edit* made as text."""
    document = tomlkit.parse(source)
    table: Any = document
    *tables, key = edit.path
    for depth, name in enumerate(tables):
        if name not in table:
            return _with_table(source, document, table, edit, depth)
        table = table[name]
    if edit.value is None:
        table.pop(key, None)
    elif key in table and isinstance(table[key], Item):
        table[key] = _value(edit.value, like=table[key])
    else:
        table[key] = _value(edit.value)
    return tomlkit.dumps(document)


def _with_table(
    source: str,
    document: tomlkit.TOMLDocument,
    table: Any,  # noqa: ANN401  one of tomlkit's containers
    edit: Edit,
    depth: int,
) -> str:
    """Return *source* with the tables that *edit* needs and that are not there."""
    if edit.value is None:
        return source
    *tables, key = edit.path
    if isinstance(table, InlineTable):
        value: Any = _value(edit.value)
        for name in reversed(edit.path[depth + 1 :]):
            value = {name: value}
        table[tables[depth]] = tomlkit.item(value)
        return tomlkit.dumps(document)
    # A whole new table goes to the end: nothing that stands there has to move.
    fresh = tomlkit.document()
    head = tomlkit.table()
    head.append(key, _value(edit.value))
    for name in reversed(tables[1:]):
        outer = tomlkit.table(is_super_table=True)
        outer.append(name, head)
        head = outer
    fresh.append(tables[0], head)
    joint = "" if not source or source.endswith("\n") else "\n"
    return f"{source}{joint}{chr(10) if source else ''}{tomlkit.dumps(fresh)}"


def _value(value: object, *, like: Item | None = None) -> Item:
    """Return *value* as TOML; references to secrets stay on their line, and so do comments."""
    made: Item = tomlkit.item(value)
    if isinstance(value, dict):
        pairs = ", ".join(
            f"{key} = {tomlkit.item(one).as_string()}" for key, one in value.items()
        )
        made = tomlkit.value(f"{{ {pairs} }}")
    if like is not None:
        made.trivia.comment = like.trivia.comment
        made.trivia.comment_ws = like.trivia.comment_ws
        made.trivia.trail = like.trivia.trail
    return made


def _replace(path: Path, text: str) -> None:
    """Write *text* beside *path* and put it in its place, with the mode it had."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, path.stat().st_mode & 0o777)
        os.replace(name, path)
    except OSError as error:
        raise NotEditable(f"{path.name} cannot be written: {error.strerror}") from error
    finally:
        Path(name).unlink(missing_ok=True)
