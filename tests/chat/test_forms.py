"""Forms before a conversation: every mistake is named, every answer is judged by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskhub.chat.errors import FormInvalid, PrechatNeeded
from deskhub.chat.forms import ANSWER_CHARS, as_told, checked_answers, read_form

FORM: dict[str, Any] = {
    "type": "object",
    "title": "Before we start",
    "x-title": {"zh-CN": "开始之前"},
    "properties": {
        "name": {"type": "string", "title": "Your name", "maxLength": 40},
        "email": {"type": "string", "format": "email", "title": "E-mail"},
        "topic": {
            "type": "string",
            "title": "Topic",
            "x-title": {"zh-CN": "主题"},
            "oneOf": [
                {"const": "order", "title": "An order", "x-title": {"zh-CN": "订单"}},
                {"const": "other", "title": "Something else"},
            ],
        },
        "about": {"type": "string", "title": "More", "x-ui": {"widget": "textarea"}},
        "terms": {"type": "boolean", "title": "I agree"},
    },
    "required": ["name", "email", "topic", "terms"],
}
GOOD = {"name": "Ada", "email": "ada@example.org", "topic": "order", "terms": True}


def faults(schema: object) -> list[tuple[str, str]]:
    with pytest.raises(FormInvalid) as caught:
        read_form(schema)
    assert all(one["text"].endswith((".", "}.")) for one in caught.value.fields)
    return [(one["path"], one["code"]) for one in caught.value.fields]


def wrong(answers: Any, schema: object = FORM) -> dict[str, str]:
    with pytest.raises(PrechatNeeded) as caught:
        checked_answers(read_form(schema), answers)
    return {one["path"]: one["code"] for one in caught.value.fields}


def one_field(**schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {"title": "A", **schema}}}


def test_a_form_keeps_its_fields_in_order_with_their_kinds() -> None:
    form = read_form(FORM)

    assert [(one.name, one.kind, one.is_required) for one in form.fields] == [
        ("name", "text", True),
        ("email", "email", True),
        ("topic", "select", True),
        ("about", "textarea", False),
        ("terms", "checkbox", True),
    ]
    assert form.title is not None
    assert form.title.more == {"zh-CN": "开始之前"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ([], [("form", "type")]),
        ({}, [("type", "type"), ("properties", "required")]),
        ({"type": "object", "properties": {}}, [("properties", "required")]),
        (FORM | {"allOf": []}, [("allOf", "unknown")]),
        (FORM | {"title": ""}, [("title", "required")]),
        (FORM | {"x-title": {"中": "x"}}, [("x-title.中", "language")]),
        (FORM | {"x-title": {"ar": 7}}, [("x-title.ar", "type")]),
        (FORM | {"required": ["phone"]}, [("required.0", "unknown")]),
        (FORM | {"required": "name"}, [("required", "type")]),
        (FORM | {"additionalProperties": True}, [("additionalProperties", "value")]),
        (one_field(), [("properties.a.type", "type")]),
        (one_field(type="number"), [("properties.a.type", "type")]),
        (one_field(type="string", pattern="a+"), [("properties.a.pattern", "unknown")]),
        (one_field(type="string", format="date"), [("properties.a.format", "value")]),
        (one_field(type="string", title="  "), [("properties.a.title", "required")]),
        (one_field(type="string", maxLength=-1), [("properties.a.maxLength", "range")]),
        (one_field(type="string", maxLength=True), [("properties.a.maxLength", "range")]),
        (one_field(type="string", minLength=9, maxLength=3), [("properties.a.minLength", "range")]),
        (one_field(type="string", oneOf=[]), [("properties.a.oneOf", "range")]),
        (
            one_field(type="string", oneOf=[{"const": "x", "title": "X"}] * 2),
            [("properties.a.oneOf.1.const", "double")],
        ),
        (one_field(type="string", oneOf=["x", "y"]), [
            ("properties.a.oneOf.0", "type"), ("properties.a.oneOf.1", "type"),
        ]),
        (one_field(type="string", **{"x-ui": {"widget": "money"}}), [("properties.a.x-ui", "value")]),
        ({"type": "object", "properties": {"A b": {}}}, [("properties.A b", "name")]),
        (
            {
                "type": "object",
                "properties": {f"f{n}": {"type": "string", "title": "F"} for n in range(9)},
            },
            [("properties", "too_many")],
        ),
    ],
)  # fmt: skip
def test_a_mistake_of_a_form_is_named_with_its_place(
    schema: object, expected: list[tuple[str, str]]
) -> None:
    assert faults(schema) == expected


def test_good_answers_are_trimmed_and_empty_ones_left_out() -> None:
    kept = checked_answers(read_form(FORM), GOOD | {"name": "  Ada ", "about": "  "})

    assert kept == GOOD


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            None,
            {"name": "required", "email": "required", "topic": "required", "terms": "ticked"},
        ),
        ({}, {"name": "required", "email": "required", "topic": "required", "terms": "ticked"}),
        (GOOD | {"email": "ada@"}, {"email": "email"}),
        (GOOD | {"topic": "An order"}, {"topic": "choice"}),
        (GOOD | {"name": "x" * 41}, {"name": "too_long"}),
        (GOOD | {"about": "x" * (ANSWER_CHARS + 1)}, {"about": "too_long"}),
        (GOOD | {"name": True}, {"name": "type"}),
        (GOOD | {"terms": "yes"}, {"terms": "type"}),
        (GOOD | {"terms": False}, {"terms": "ticked"}),
        (GOOD | {"name": "a\nb"}, {"name": "characters"}),
        (GOOD | {"about": "a\x00b"}, {"about": "characters"}),
        (GOOD | {"phone": "1"}, {"phone": "unknown"}),
    ],
)
def test_each_wrong_answer_is_named(answers: Any, expected: dict[str, str]) -> None:
    found = wrong(answers)

    assert found == {f"answers.{name}": code for name, code in expected.items()}


def test_a_longer_text_may_have_lines() -> None:
    assert checked_answers(read_form(FORM), GOOD | {"about": "one\r\ntwo\n三"})["about"]


def test_what_is_told_has_the_questions_in_every_language() -> None:
    form = read_form(FORM)

    told = as_told(form, checked_answers(form, GOOD))

    assert told[2] == {
        "field": "topic", "title": "Topic", "value": "order", "titles": {"zh-CN": "主题"},
        "text": "An order", "texts": {"zh-CN": "订单"},
    }  # fmt: skip
    assert told[3] == {"field": "terms", "title": "I agree", "value": True}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_JSON, _JSON)
def test_any_json_is_a_form_or_is_refused_with_places(schema: Any, inner: Any) -> None:
    for one in (
        schema,
        FORM | {"properties": {"a": schema}},
        one_field(type="string", oneOf=inner),
    ):
        places = _places(one)
        assert places is None or all(places)


def _places(schema: Any) -> list[str] | None:
    """Return where *schema* is wrong, None for a form; anything else that is raised fails."""
    try:
        assert read_form(schema).fields
    except FormInvalid as error:
        return [fault["path"] for fault in error.fields] or [""]
    return None
