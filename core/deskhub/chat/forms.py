"""The form before a conversation: which schema is one, and what is a good answer to it.

A form is a JSON Schema of a few kinds of field: an object whose properties are a text, an
e-mail address, a longer text, a choice or a tick. Texts for people stand in ``title`` and, for
other languages, in ``x-title``. What a validator would pass over in silence is refused here,
so that no admin believes in a rule that nobody keeps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from deskhub.chat.address import is_address
from deskhub.chat.errors import FormInvalid, PrechatNeeded

Kind = Literal["text", "email", "textarea", "select", "checkbox"]
Answers = Mapping[str, str | bool]

# Every field costs customers; more than a screen of a phone is a survey.
FIELDS_MAX = 8
CHOICES_MAX = 30
TITLE_CHARS = 200
# The longest answer that a form may allow, in characters.
ANSWER_CHARS = 2_000
SHORT_CHARS = 200
LANGUAGES_MAX = 40

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_FORM_WORDS = frozenset(
    {"$schema", "type", "title", "x-title", "properties", "required", "additionalProperties"}
)
_TITLES = frozenset({"type", "title", "x-title"})
_LENGTHS = frozenset({"minLength", "maxLength"})
_FIELD_WORDS: Mapping[Kind, frozenset[str]] = {
    "text": _TITLES | _LENGTHS,
    "email": _TITLES | _LENGTHS | {"format"},
    "textarea": _TITLES | _LENGTHS | {"x-ui"},
    "select": _TITLES | {"oneOf"},
    "checkbox": _TITLES,
}
# The hub's own checks of one answer, as codes that clients translate.
_WORDS = {
    "required": "This has to be filled in.",
    "ticked": "This has to be ticked.",
    "type": "This is not the kind of answer that the form asks for.",
    "email": "This is no e-mail address.",
    "too_short": "This is too short.",
    "too_long": "This is too long.",
    "choice": "This is none of the choices.",
    "characters": "This holds characters that are no text.",
    "unknown": "The form does not ask for this.",
}


@dataclass(frozen=True, slots=True)
class Title:
    """What a form, a field or a choice is called: *text*, and *more* by language."""

    text: str
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormField:
    """One question. *least* and *most* are lengths in characters; *choices* by their value."""

    name: str
    kind: Kind
    title: Title
    is_required: bool
    least: int = 0
    most: int = SHORT_CHARS
    choices: Mapping[str, Title] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked, in this order."""

    title: Title | None
    fields: tuple[FormField, ...]


def read_form(schema: object) -> Form:
    """Return *schema*, any JSON, as a form.

    Raises `FormInvalid`, whose fields name every mistake by its place:
    ``properties.email.format``.
    """
    faults = _Faults()
    form = _form(schema, faults)
    if faults.found or form is None:
        raise FormInvalid(f"{len(faults.found)} mistakes", fields=tuple(faults.found))
    return form


def checked_answers(form: Form, answers: Mapping[str, object] | None) -> Answers:
    """Return *answers* to *form*, trimmed, without those that were left empty.

    Raises `PrechatNeeded`, whose fields name every answer that is missing or wrong; None is
    no answer at all.
    """
    given = answers or {}
    known = {one.name for one in form.fields}
    faults = [_fault(name, "unknown") for name in given if name not in known]
    kept: dict[str, str | bool] = {}
    for one in form.fields:
        value, wrong = _answer(one, given.get(one.name))
        if wrong:
            faults.append(_fault(one.name, wrong))
        elif value is not None:
            kept[one.name] = value
    if faults:
        raise PrechatNeeded(f"{len(faults)} answers", fields=tuple(faults[:50]))
    return kept


def as_told(form: Form, answers: Answers) -> list[dict[str, Any]]:
    """Return *answers* as an event keeps them: with what was asked, in every language.

    The form may be another one tomorrow; what was answered is read with today's questions.
    """
    told = []
    for one in form.fields:
        if one.name not in answers:
            continue
        value = answers[one.name]
        row: dict[str, Any] = {"field": one.name, "title": one.title.text, "value": value}
        if one.title.more:
            row["titles"] = dict(one.title.more)
        if one.kind == "select":
            choice = one.choices[str(value)]
            row["text"] = choice.text
            if choice.more:
                row["texts"] = dict(choice.more)
        told.append(row)
    return told


class _Faults:
    """Mistakes of a schema, each with its place."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []

    def add(self, path: str, code: str, text: str) -> None:
        if len(self.found) < 50:
            self.found.append({"path": path or "form", "code": code, "text": text})


def _form(schema: object, faults: _Faults) -> Form | None:
    if not isinstance(schema, dict):
        faults.add("", "type", "A form is a JSON object with the properties that it asks for.")
        return None
    _only(schema, _FORM_WORDS, "", faults)
    if schema.get("type") != "object":
        faults.add("type", "type", 'The type of a form is "object".')
    if schema.get("additionalProperties", False) is not False:
        faults.add("additionalProperties", "value", "Other answers than these are never taken.")
    title = _title(schema, "", faults) if "title" in schema or "x-title" in schema else None
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not properties:
        faults.add("properties", "required", "A form asks for something: name its properties.")
        return None
    if len(properties) > FIELDS_MAX:
        faults.add("properties", "too_many", f"A form has at most {FIELDS_MAX} properties.")
    required = _required(schema.get("required", []), properties, faults)
    fields = [
        _field(name, one, required, faults)
        for name, one in list(properties.items())[:FIELDS_MAX]
    ]
    return Form(title, tuple(one for one in fields if one is not None))


def _required(names: object, properties: Mapping[str, object], faults: _Faults) -> set[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        faults.add("required", "type", "This is a list of names of properties.")
        return set()
    for at, name in enumerate(names):
        if name not in properties:
            faults.add(f"required.{at}", "unknown", f"There is no property {name[:40]!r}.")
    return set(names)


def _field(name: str, schema: object, required: set[str], faults: _Faults) -> FormField | None:
    path = f"properties.{name[:40]}"
    if not _NAME.fullmatch(name):
        faults.add(path, "name", "A name is 1–40 of a–z, 0–9 and _, and begins with a letter.")
        return None
    if not isinstance(schema, dict):
        faults.add(path, "type", "A property is a JSON object.")
        return None
    kind = _kind(schema, path, faults)
    if kind is None:
        return None
    _only(schema, _FIELD_WORDS[kind], f"{path}.", faults)
    longest = ANSWER_CHARS if kind == "textarea" else SHORT_CHARS
    least = _length(schema, "minLength", 0, longest, path, faults)
    most = _length(schema, "maxLength", longest, longest, path, faults)
    if least > most:
        faults.add(f"{path}.minLength", "range", "This is more than maxLength allows.")
    return FormField(
        name, kind, _title(schema, f"{path}.", faults), name in required, least, most,
        _choices(schema["oneOf"], f"{path}.oneOf", faults) if kind == "select" else {},
    )  # fmt: skip


def _kind(schema: Mapping[str, Any], path: str, faults: _Faults) -> Kind | None:
    type_ = schema.get("type")
    if type_ == "boolean":
        return "checkbox"
    if type_ != "string":
        faults.add(f"{path}.type", "type", 'The type of a property is "string" or "boolean".')
        return None
    if "oneOf" in schema:
        return "select"
    if "format" in schema:
        if schema["format"] == "email":
            return "email"
        faults.add(f"{path}.format", "value", 'The only format is "email".')
        return None
    if "x-ui" in schema:
        if schema["x-ui"] == {"widget": "textarea"}:
            return "textarea"
        faults.add(f"{path}.x-ui", "value", 'The only widget is {"widget": "textarea"}.')
        return None
    return "text"


def _choices(given: object, path: str, faults: _Faults) -> dict[str, Title]:
    if not isinstance(given, list) or not 1 < len(given) <= CHOICES_MAX:
        faults.add(path, "range", f"This is a list of 2–{CHOICES_MAX} choices.")
        return {}
    choices: dict[str, Title] = {}
    for at, one in enumerate(given):
        here = f"{path}.{at}"
        if not isinstance(one, dict) or not isinstance(one.get("const"), str):
            text = 'A choice is {"const": a text that is kept, "title": what is read}.'
            faults.add(here, "type", text)
            continue
        _only(one, frozenset({"const", "title", "x-title"}), f"{here}.", faults)
        value = one["const"]
        if not value.strip() or len(value) > SHORT_CHARS or not value.isprintable():
            faults.add(
                f"{here}.const", "value", f"This is a text of 1–{SHORT_CHARS} characters."
            )
        if value in choices:
            faults.add(f"{here}.const", "double", "Another choice has this value.")
        choices[value] = _title(one, f"{here}.", faults)
    return choices


def _title(schema: Mapping[str, Any], path: str, faults: _Faults) -> Title:
    text = schema.get("title")
    if not _is_title(text):
        faults.add(
            f"{path}title", "required", f"A title is 1–{TITLE_CHARS} characters of text."
        )
    more = schema.get("x-title", {})
    if not isinstance(more, dict) or len(more) > LANGUAGES_MAX:
        text_ = 'This is an object of texts by language: {"zh-CN": "…"}.'
        faults.add(f"{path}x-title", "type", text_)
        more = {}
    for language, one in more.items():
        here = f"{path}x-title.{language[:40]}"
        if not _LANGUAGE.fullmatch(language):
            faults.add(here, "language", "This is no language such as en, zh-CN or ar.")
        if not _is_title(one):
            faults.add(here, "type", f"A title is 1–{TITLE_CHARS} characters of text.")
    return Title(str(text), more)


def _is_title(text: object) -> bool:
    return (
        isinstance(text, str)
        and bool(text.strip())
        and len(text) <= TITLE_CHARS
        and text.isprintable()
    )


def _length(
    schema: Mapping[str, Any], word: str, default: int, most: int, path: str, faults: _Faults
) -> int:
    value = schema.get(word, default)
    if type(value) is not int or not 0 <= value <= most:
        faults.add(f"{path}.{word}", "range", f"This is a whole number from 0 to {most}.")
        return default
    return value


def _only(schema: Mapping[str, Any], words: frozenset[str], path: str, faults: _Faults) -> None:
    for word in _others(schema, words):
        named = ", ".join(sorted(words))
        faults.add(f"{path}{word[:40]}", "unknown", f"A form has no such word here: {named}.")


def _others(schema: Mapping[str, Any], words: frozenset[str]) -> Iterator[str]:
    return (word for word in schema if word not in words)


def _answer(one: FormField, value: object) -> tuple[str | bool | None, str]:
    """Return the answer to keep, None for an empty one, and the code of what is wrong."""
    if one.kind == "checkbox":
        if value is not None and not isinstance(value, bool):
            return None, "type"
        return bool(value), "ticked" if one.is_required and not value else ""
    if value is not None and not isinstance(value, str):
        return None, "type"
    text = (value or "").strip()
    if not text:
        return None, "required" if one.is_required else ""
    return text, _wrong(one, text)


def _wrong(one: FormField, text: str) -> str:
    if one.kind == "select":
        return "" if text in one.choices else "choice"
    if len(text) > one.most:
        return "too_long"
    if len(text) < one.least:
        return "too_short"
    lines: Sequence[str] = text.split("\n") if one.kind == "textarea" else [text]
    if not all(line.rstrip("\r").replace("\t", " ").isprintable() for line in lines):
        return "characters"
    return "email" if one.kind == "email" and not is_address(text) else ""


def _fault(name: str, code: str) -> dict[str, str]:
    return {"path": f"answers.{name[:40]}", "code": code, "text": _WORDS[code]}
