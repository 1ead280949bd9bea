"""Addresses of files: signed, short-lived, for one reader whose rights are asked again."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from deskhub.files.errors import LinkExpired
from deskhub.files.links import Link, Links
from deskhub.identity.keys import KeyTable, new_table
from deskhub.identity.model import Principal
from tests.files import made
from tests.files.conftest import Desk
from tests.support.chat import person

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
VISITOR, OTHER, AGENT, ELSEWHERE = "visitor.v_1", "visitor.v_2", "agent.a_1", "agent.b_1"


def signed(links: Links, **changes: str) -> str:
    reader = Principal("main", "visitor", "v_1", inboxes=frozenset({"web"}), session="v_1")
    return links.address(reader, "f_1", "thumb", NOW).removeprefix("/files/")


def test_an_address_says_who_reads_what_until_when() -> None:
    links = Links(new_table())

    link = links.read(signed(links), NOW)

    assert (link.file, link.variant, link.tenant) == ("f_1", "thumb", "main")
    assert link.principal.by == "visitor:v_1"
    assert 150 <= link.until - NOW.timestamp() <= 300


def test_an_address_stays_the_same_for_a_while_so_that_caches_work() -> None:
    links = Links(new_table())
    reader = person("agent", "a_1")

    first = links.address(reader, "f_1", "image", NOW)

    assert links.address(reader, "f_1", "image", NOW + timedelta(seconds=149)) == first
    assert links.address(reader, "f_1", "image", NOW + timedelta(seconds=150)) != first


def test_an_old_address_is_refused() -> None:
    links = Links(new_table())

    with pytest.raises(LinkExpired):
        links.read(signed(links), NOW + timedelta(seconds=300))


def test_every_changed_byte_is_noticed() -> None:
    links = Links(new_table())
    kid, _, text = signed(links).partition(".")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    for place in range(len(raw)):
        forged = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        token = f"{kid}.{base64.urlsafe_b64encode(forged).decode().rstrip('=')}"
        with pytest.raises(LinkExpired):
            links.read(token, NOW)


@pytest.mark.parametrize(
    "token", ["", ".", "x.y", "x." + "A" * 5000, "..", "x.=", "\u00e9.AAAA"]
)
def test_what_is_no_address_is_refused_in_the_same_words(token: str) -> None:
    with pytest.raises(LinkExpired):
        Links(new_table()).read(token, NOW)


def test_another_installations_address_is_worth_nothing() -> None:
    one = new_table()
    other = KeyTable(one.current, {one.current: "o" * 43})

    with pytest.raises(LinkExpired):
        Links(other).read(signed(Links(one)), NOW)


def test_an_address_of_the_key_before_works_until_it_ends() -> None:
    before = new_table()
    after = KeyTable("new", {"new": "n" * 43, **before.secrets})

    link = Links(after).read(signed(Links(before)), NOW)

    assert isinstance(link, Link)


async def sent(desk: Desk) -> str:
    conversation = await desk.open()
    file = await desk.uploaded(VISITOR, made.TEXT, name="a.txt")
    assert (await desk.send(VISITOR, conversation, [file])).status_code == 201
    return file


async def test_agents_and_the_visitor_of_the_conversation_see_its_files(desk: Desk) -> None:
    file = await sent(desk)

    for token in (VISITOR, AGENT):
        told = (await desk.links(token, [file])).json()["files"][0]
        assert (await desk.get(told["url"])).content == made.TEXT


@pytest.mark.parametrize("token", [OTHER, ELSEWHERE])
async def test_nobody_else_learns_that_it_exists(desk: Desk, token: str) -> None:
    file = await sent(desk)

    answer = await desk.links(token, [file])

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_what_was_not_sent_is_its_uploaders_alone(desk: Desk) -> None:
    file = await desk.uploaded(VISITOR, made.TEXT)

    assert (await desk.links(VISITOR, [file])).status_code == 200
    assert (await desk.links(AGENT, [file])).status_code == 404
    assert (await desk.links(OTHER, [file])).status_code == 404


async def test_an_address_ends_with_its_readers_session(desk: Desk) -> None:
    file = await sent(desk)
    told = (await desk.links(AGENT, [file])).json()["files"][0]
    desk.hub.people.revoked.add("a_1")

    answer = await desk.get(told["url"])

    assert (answer.status_code, answer.json()["code"]) == (403, "file_link_expired")


async def test_rights_are_asked_again_when_an_address_is_used(desk: Desk) -> None:
    """An address that was made by mistake gives nothing away."""
    file = await sent(desk)
    links = desk.hub.hub.files._links
    foreign = links.address(person("visitor", "v_2"), file, "download", datetime.now(UTC))

    answer = await desk.get(foreign)

    assert answer.status_code == 404


async def test_another_tenant_sees_nothing(desk: Desk) -> None:
    file = await sent(desk)
    links = desk.hub.hub.files._links
    rival = Principal("rival", "agent", "a_1", role="admin", session="s")
    foreign = links.address(rival, file, "download", datetime.now(UTC))

    assert (await desk.get(foreign)).status_code == 404
