"""A mail as it leaves: its headers, and that nothing of a stranger becomes more than text."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default
from typing import Any

import pytest

from deskhub.identity.keys import new_table
from deskhub.notify.address import checked, masked
from deskhub.notify.compose import Letter, Line, compose
from deskhub.notify.errors import MailAddressRefused, MailLinkUnknown
from deskhub.notify.stop import StopLinks
from deskhub.notify.words import CATALOGUES
from tests.notify.conftest import html_of, text_of

NOW = datetime(2026, 11, 23, 9, 41, tzinfo=UTC)
STOP = "https://desk.example/mail/k.abc"


def letter(**more: Any) -> Letter:
    given: dict[str, Any] = {
        "id": "ml_2", "kind": "answers", "conversation": "c_1",
        "sender": Address("", "support", "desk.example"), "to": "anna@example.com",
        "name": "Anna", "inbox": "Acme", "language": "en", "sent_at": NOW, "stop": STOP,
        "lines": [Line(NOW, "Li Wei", "It arrives on Tuesday.")], "page": "https://shop.example",
    }  # fmt: skip
    return Letter(**(given | more))


def received(made: EmailMessage) -> EmailMessage:
    """Return the message as its reader's program parses it."""
    found = message_from_bytes(made.as_bytes(policy=SMTP), policy=default)
    assert isinstance(found, EmailMessage)
    assert found.defects == []
    return found


def test_the_headers_say_who_what_and_in_which_thread() -> None:
    found = received(compose(letter(before="ml_1")))

    assert found["From"] == "Acme <support@desk.example>"
    assert found["To"] == "Anna <anna@example.com>"
    assert found["Subject"] == "Acme answered you"
    assert found["Message-ID"] == "<ml_2@desk.example>"
    assert found["In-Reply-To"] == "<ml_1@desk.example>"
    assert found["References"] == "<c_1@desk.example> <ml_1@desk.example>"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["List-Unsubscribe"] == f"<{STOP}>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["Date"].datetime == NOW


def test_the_first_mail_hangs_on_the_conversation() -> None:
    found = received(compose(letter()))

    assert found["In-Reply-To"] == found["References"] == "<c_1@desk.example>"


def test_a_transcript_was_asked_for_and_has_no_list_to_leave() -> None:
    found = received(compose(letter(kind="transcript", stop="")))

    assert found["List-Unsubscribe"] is None
    assert found["Subject"] == "Your conversation with Acme"


@pytest.mark.parametrize("stop", ["http://127.0.0.1:8700/mail/k.abc"])
def test_one_click_is_only_promised_over_tls(stop: str) -> None:
    assert received(compose(letter(stop=stop)))["List-Unsubscribe-Post"] is None


EVIL = [
    "Anna\r\nBcc: everybody@example.com",
    "Anna\nSubject: you won",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "Anna\u202egpj.exe",
    "Anna\x00\x1b[2J",
    "=?utf-8?q?Bcc:_all?=",
    '"Anna" <all@example.com>,',
    "日本語 😀" * 60,
]


@pytest.mark.parametrize("evil", EVIL)
def test_a_strangers_name_stays_a_name(evil: str) -> None:
    plain = received(compose(letter()))
    found = received(
        compose(letter(name=evil, inbox=evil, lines=[Line(NOW, evil, "x", (evil,))]))
    )

    assert sorted(found.keys()) == sorted(plain.keys())
    assert [one.addr_spec for one in found["To"].addresses] == ["anna@example.com"]
    assert [one.addr_spec for one in found["From"].addresses] == ["support@desk.example"]
    assert "\u202e" not in found["To"] + found["Subject"]
    assert "<script" not in html_of(found)
    assert "<img" not in html_of(found)


@pytest.mark.parametrize("evil", EVIL)
def test_a_strangers_text_is_shown_and_nothing_else(evil: str) -> None:
    found = received(compose(letter(lines=[Line(NOW, "", evil)])))

    assert "<script" not in html_of(found)
    assert "<img" not in html_of(found)
    assert found["Bcc"] is None
    if "\r" not in evil and "\x00" not in evil:
        assert evil in text_of(found).replace("\r\n", "\n")


def test_a_line_with_a_dot_and_a_long_line_arrive_whole() -> None:
    text = "before\n.\nFrom me\n" + "x" * 5000 + "\nafter"

    found = received(compose(letter(lines=[Line(NOW, "Li", text)])))

    assert text in text_of(found).replace("\r\n", "\n")
    assert (
        max(map(len, compose(letter(lines=[Line(NOW, "Li", text)])).as_bytes().split(b"\n")))
        < 998
    )


def test_chinese_is_readable_in_both_parts() -> None:
    found = received(
        compose(letter(language="zh-CN", inbox="售后", lines=[Line(NOW, "李伟", "周二到。")]))
    )

    assert found["Subject"] == "售后 回复了您"
    assert "周二到。" in text_of(found)
    assert "周二到。" in html_of(found)
    assert 'lang="zh-CN"' in html_of(found)


def test_every_language_says_the_same_things() -> None:
    assert {tuple(one) for one in CATALOGUES.values()} == {tuple(CATALOGUES["en"])}


@pytest.mark.parametrize(
    "good", ["anna@example.com", "a.b+c@sub.example.co.uk", "o'neil@EXAMPLE.org"]
)
def test_addresses_as_people_have_them_are_taken(good: str) -> None:
    assert checked(f" {good} ") == good.replace("EXAMPLE", "example")


@pytest.mark.parametrize(
    "bad",
    [
        "", "anna", "@example.com", "anna@", "anna@example", "anna@-x.com", "a b@example.com",
        "anna@example.com\n", "anna@example.com\r\nBcc: x@y.de", "a@b.de,c@d.de", "a@b.de>",
        "anna@[127.0.0.1]", '"anna"@example.com', "a..b@example.com", "ann\x00a@example.com",
        "a" * 65 + "@example.com", "a@" + "b" * 250 + ".com", "änna@example.com",
    ],
)  # fmt: skip
def test_what_a_server_could_misread_is_refused(bad: str) -> None:
    with pytest.raises(MailAddressRefused):
        checked(bad)


def test_an_address_is_shown_so_that_only_its_owner_knows_it() -> None:
    assert masked("anna@example.com") == "a…@example.com"


def test_a_link_that_was_changed_leads_nowhere() -> None:
    links = StopLinks(new_table())
    token = links.path("main", "anna@example.com").removeprefix("/mail/")

    assert links.read(token) == ("main", "anna@example.com")
    middle = len(token) - 9
    other = "A" if token[middle] != "A" else "B"
    changed = token[:middle] + other + token[middle + 1 :]
    for bad in ("", "x", token[:-2], changed, "." + token, token.replace(".", "..", 1)):
        with pytest.raises(MailLinkUnknown):
            links.read(bad)
    with pytest.raises(MailLinkUnknown):
        StopLinks(new_table()).read(token)
