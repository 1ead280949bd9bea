"""Mails as strangers write them, judged and read."""

from __future__ import annotations

import pytest

from deskhub_channel_mail.judging import bounce_of, kind_of, tokens_of
from deskhub_channel_mail.reading import read

US = "support@desk.example"
TOKEN = "a" * 42
HEAD = "From: Anna <anna@example.com>\r\nTo: {to}\r\nMessage-ID: <1@example.com>\r\nSubject: Shoes\r\n{more}\r\n"


def mail(body: bytes, more: str = "", to: str = US) -> bytes:
    return HEAD.format(to=to, more=more).encode() + body


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("gb18030", "gb18030", "鞋子在哪里"),
        ("gb2312", "gbk", "鞋子在哪里"),
        ("big5", "big5", "鞋子在哪裡"),
        ("iso-2022-jp", "iso-2022-jp", "靴はどこですか"),
        ("no-such-charset", "utf-8", "где туфли"),
    ],
)
def test_text_is_read_in_its_encoding(charset: str, codec: str, text: str) -> None:
    found = read(mail(text.encode(codec), f"Content-Type: text/plain; charset={charset}\r\n"))

    assert found.text == text


def test_quotes_and_signature_are_cut_and_kept_beside() -> None:
    found = read(mail(b"Thanks!\r\n\r\nOn Monday, Li wrote:\r\n> It is on its way.\r\n"))

    assert found.text == "Thanks!"
    assert found.was_cut
    assert "> It is on its way." in found.whole


def test_html_becomes_text_and_nothing_of_it_stays() -> None:
    body = b"<style>x</style><p>One &amp; two</p><script>bad()</script><p>Three</p>"
    found = read(mail(body, "Content-Type: text/html\r\n"))

    assert found.text == "One & two\n\nThree"


def test_a_mail_without_an_id_has_the_same_key_each_time() -> None:
    data = b"From: a@example.com\r\nSubject: Hi\r\n\r\nHello"

    assert read(data).key == read(data).key
    assert read(data).key != read(data + b"!").key


def test_a_bomb_is_broken_and_not_looked_into() -> None:
    part = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(3000)
    )
    found = read(HEAD.format(to=US, more="").removesuffix("\r\n").encode() + part.encode())

    assert found.is_broken
    assert found.subject == "Shoes"


@pytest.mark.parametrize(
    "more",
    [
        "Auto-Submitted: auto-replied\r\n",
        "Precedence: bulk\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        "List-Id: <news.example.com>\r\n",
        "Return-Path: <>\r\n",
    ],
)
def test_machines_are_known(more: str) -> None:
    assert kind_of(read(mail(b"Away", more)), US) == "automatic"


def test_people_and_ourselves_are_told_apart() -> None:
    assert kind_of(read(mail(b"Hi")), US) == "person"
    assert kind_of(read(mail(b"Hi").replace(b"anna@example.com", US.encode())), US) == "own"


def test_tokens_stand_in_plus_addresses_and_ids() -> None:
    more = f"References: <ml_{'0' * 32}.{'b' * 42}@desk.example>\r\n"

    found = tokens_of(read(mail(b"Hi", more, f"support+{TOKEN}@desk.example")), US)

    assert found == (TOKEN, "b" * 42)


def test_a_report_names_the_answer_that_came_back() -> None:
    body = (
        "--r\r\nContent-Type: text/plain\r\n\r\nNo\r\n"
        "--r\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        "--r\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: <ml_{'1' * 32}.{TOKEN}@desk.example>\r\n\r\n--r--\r\n"
    ).encode()
    more = "Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n"
    found = read(mail(body, more))

    assert kind_of(found, US) == "bounce"
    made = bounce_of(found)
    assert made is not None
    assert (made[0].answer, made[0].why, made[0].is_final) == (f"ml_{'1' * 32}", "5.1.1", True)
    assert made[1] == (TOKEN,)
