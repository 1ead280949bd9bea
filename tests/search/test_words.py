"""How texts and queries become tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from deskhub.errors import Invalid
from deskhub.store.search import words
from deskhub.store.search.index import as_match, as_tsquery, as_tsvector
from deskhub.store.search.query import AnyOf, Phrase, parsed
from deskhub.store.search.service import snippet


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Where is SF-1390?", ["where", "is", "sf", "1390"]),
        ("收到退货", ["收到", "到退", "退货", "收", "到", "退", "货"]),
        ("退 iPhone15", ["iphone15", "退"]),
        ("ＡＢＣ　①", ["abc", "1"]),
        ("Straße ÅNGSTRÖM", ["strasse", "ångström"]),
        ("¤kfake under_score", ["kfake", "under", "score"]),
        ("カタカナ", ["カタ", "タカ", "カナ", "カ", "タ", "ナ"]),
        ("!!! ✨", []),
    ],
)
def test_a_text_is_found_by_its_words_and_pairs_of_characters(text, tokens) -> None:
    assert list(words.indexed(text)) == tokens


def test_a_query_is_words_and_filters() -> None:
    query = parsed('refund from:me tag:"very important" has:note "late order" 退货政策', UTC)

    assert query.terms == (
        Phrase(("refund",)),
        Phrase(("late", "order")),
        Phrase(("退货", "货政", "政策")),
    )
    assert (query.from_, query.tags, query.only) == (("me",), ("very important",), "note")


def test_only_the_last_word_may_be_unfinished() -> None:
    assert parsed("late ord", UTC).terms == (
        Phrase(("late",)),
        Phrase(("ord",), is_prefix=True),
    )
    assert parsed("late ord ", UTC).terms[-1] == Phrase(("ord",))
    assert parsed("late or", UTC).terms[-1] == Phrase(("or",))


def test_days_are_those_of_the_asker() -> None:
    query = parsed("after:2026-11-01 before：2026-11-30", ZoneInfo("Asia/Shanghai"))

    assert query.after == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert query.before == datetime(2026, 11, 29, 16, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["before:yesterday", "after:2026-13-01", "has:file"])
def test_a_filter_that_cannot_be_read_says_what_to_write(typed) -> None:
    with pytest.raises(Invalid) as raised:
        parsed(typed, UTC)

    assert raised.value.fields[0]["path"] == "q"


def test_an_address_is_no_filter() -> None:
    assert [term.tokens for term in parsed("https://a.example order:7 ", UTC).terms] == [
        ("https", "a", "example"),
        ("order", "7"),
    ]


def test_chinese_that_stands_apart_is_found_by_its_pieces() -> None:
    assert parsed("鞋子退货", UTC).relaxed().terms == (Phrase(("鞋子",)), Phrase(("退货",)))
    assert parsed("要退货", UTC).relaxed().terms == (Phrase(("要退",)), Phrase(("退货",)))


def test_either_database_gets_its_own_words() -> None:
    asked = [Phrase(("late", "ord"), is_prefix=True), AnyOf((Phrase(("a",)), Phrase(("b",))))]

    assert as_match(asked) == '"late ord"* AND ("a" OR "b")'
    assert as_tsquery(asked) == "('late' <-> 'ord':*) & ('a' | 'b')"
    assert as_tsvector(("退货", "a")) == "'退货':1 'a':2"


def test_a_snippet_is_pieces_of_text_and_never_markup() -> None:
    pieces, score = snippet("<b>Refund</b> my refunds", ("refund",))

    assert pieces == [
        ("<b>", False), ("Refund", True), ("</b> my ", False), ("refund", True), ("s", False),
    ]  # fmt: skip
    assert score == 2


def test_a_snippet_begins_near_the_first_word_that_was_found() -> None:
    pieces, _ = snippet("word " * 60 + "请问怎么退货", ("退货",))

    assert pieces[0] == ("… ", False)
    assert ("退货", True) in pieces
    assert len("".join(text for text, _ in pieces)) < 100


def test_marks_stand_right_where_folding_changes_lengths() -> None:
    pieces, _ = snippet("İstanbul ﬁnal ＲＥＦＵＮＤ", ("refund",))

    assert pieces[-1] == ("ＲＥＦＵＮＤ", True)
