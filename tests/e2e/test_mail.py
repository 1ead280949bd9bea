"""Mail in real browsers: a customer asks for the conversation, an agent sends it, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.test_main_job import open_chat, open_conversation, write
from tests.notify.conftest import text_of
from tests.notify.office import Office, office_beside
from tests.notify.test_process import MAIL
from tests.support.desk import Desk, desk, until


@pytest.fixture(scope="module")
def post() -> Iterator[Office]:
    with office_beside() as running:
        yield running


@pytest.fixture(scope="module")
def shared(post: Office) -> Iterator[Desk]:
    with desk(settings=MAIL.format(port=post.port)) as running:
        running.adapters_ready(running.sign_in("admin"))
        yield running


def by_mail(shop: Page) -> None:
    shop.get_by_test_id("deskhub-menu").click()
    shop.get_by_test_id("deskhub-by-mail").click()
    shop.get_by_test_id("deskhub-mail").wait_for()


def test_a_customer_and_an_agent_mail_the_conversation(guests: People, post: Office) -> None:
    before = len(post.arrived)
    console, shop = guests.agent(), guests.customer()
    open_chat(shop)
    write(shop, "Please mail me <b>this</b>.")
    sent = shop.locator("[data-testid=deskhub-message]:not([data-state=sending])")
    expect(sent.first).to_be_visible()
    by_mail(shop)
    assert violations(shop) == []
    shop.get_by_test_id("deskhub-transcript").click()
    expect(shop.get_by_test_id("deskhub-mail-said")).to_contain_text("@")
    until(lambda: len(post.arrived) == before + 1, "the customer's copy arrived")
    shop.keyboard.press("Escape")
    expect(shop.get_by_test_id("deskhub-mail")).to_have_count(0)
    expect(shop.get_by_test_id("deskhub-panel")).to_be_visible()

    open_conversation(console, "Wang Fang")
    console.get_by_test_id("composer").or_(console.locator("textarea").first).first.fill(
        "Done."
    )
    console.keyboard.press("Enter")
    expect(console.get_by_test_id("timeline")).to_contain_text("Done.")
    console.keyboard.press("Control+k")
    console.get_by_test_id("palette-input").fill("mail the transcript")
    console.keyboard.press("Enter")
    until(lambda: len(post.arrived) == before + 2, "the agent's copy arrived")

    assert "Please mail me <b>this</b>." in text_of(post.arrived[before])
    assert "Done." in text_of(post.arrived[before + 1])


def test_an_admin_sees_what_did_not_leave_and_sends_it_again(
    guests: People, post: Office, shared: Desk
) -> None:
    arrived = len(post.arrived)
    post.rcpt.append("550 no such user")
    visitor = shared.visitor("C-1006")
    said = {"body": {"kind": "text", "text": "Hello?"}}
    opened = shared.post("/api/v1/conversations", said, visitor["token"])
    path = f"/api/v1/conversations/{opened['conversation']}/transcript"
    shared.post(path, {}, visitor["token"])

    console = guests.agent("ada@scree.example", "demo-admin-1")
    console.goto(f"{shared.api}/console/adapters?tab=repairs")
    again = console.get_by_test_id("mail-again")
    expect(again).to_be_visible()
    assert violations(console) == []
    again.click()

    until(lambda: len(post.arrived) == arrived + 1, "the mail arrived after all")
    expect(again).to_have_count(0)


def test_a_stranger_leaves_an_address_and_takes_it_back(guests: People, shared: Desk) -> None:
    shop = guests.page(width=1280, height=860)
    shop.route("**/session?*", _without_identity)
    shop.goto(f"{shared.shop}/?customer=C-1001")
    shop.get_by_test_id("deskhub-launcher").wait_for()
    open_chat(shop)
    write(shop, "Who am I?")
    by_mail(shop)
    shop.get_by_test_id("deskhub-mail-address").fill("me@example.org")
    shop.keyboard.press("Enter")
    expect(shop.get_by_test_id("deskhub-mail")).to_contain_text("m…@example.org")
    shop.get_by_role("button", name="Remove").click()
    expect(shop.get_by_test_id("deskhub-mail-address")).to_be_visible()


def _without_identity(route: Route) -> None:
    """Answer as the shop does, and vouch for nobody."""
    answer = route.fetch()
    route.fulfill(response=answer, json={**answer.json(), "identity": None})
