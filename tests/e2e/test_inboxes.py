"""An admin switches ratings off for one inbox, and the widget asks no more."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import People
from tests.e2e.test_main_job import open_chat, open_conversation, write
from tests.support.desk import Desk

ADA = ("ada@scree.example", "demo-admin-1")


def test_an_inbox_that_does_not_ask_is_not_rated(guests: People, shared: Desk) -> None:
    admin = guests.agent(*ADA)
    admin.keyboard.press("g")
    admin.keyboard.press("b")
    switch = admin.locator("[data-inbox=shop]").get_by_role("switch")
    expect(switch).to_be_checked()
    switch.press("Space")
    expect(switch).not_to_be_checked()
    admin.reload()
    expect(switch).not_to_be_checked()

    shop = guests.customer("C-1001")
    open_chat(shop)
    write(shop, "Thank you")
    page = guests.agent()
    page.get_by_test_id("view-all").click()
    open_conversation(page, "Wang Fang")
    page.get_by_test_id("close").click()
    expect(shop.get_by_test_id("deskhub-log")).to_contain_text("Closed by")
    shop.wait_for_timeout(1500)
    expect(shop.get_by_test_id("deskhub-rate")).to_have_count(0)

    switch.click()
    expect(switch).to_be_checked()
    shop.reload()
    open_chat(shop)
    expect(shop.get_by_test_id("deskhub-rate")).to_be_visible()


def test_an_agent_is_not_offered_the_page(guests: People, shared: Desk) -> None:
    page = guests.agent()

    expect(page.get_by_role("link", name="Inboxes")).to_have_count(0)
