"""A macro does several steps with one choice, and most of it can be taken back."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import People
from tests.e2e.test_search import say
from tests.support.desk import Desk


def test_one_choice_says_tags_assigns_and_closes(guests: People, shared: Desk) -> None:
    say(shared, "C-1006", "That was quick, thanks")
    page = guests.agent("ada@scree.example", "demo-admin-1")
    page.goto(f"{shared.api}/console/search?q=quick")
    page.locator(".search-hit").first.click()
    page.get_by_test_id("close").wait_for()

    page.keyboard.press("Control+k")
    page.get_by_test_id("palette-input").fill("thank and")
    page.locator("[data-command='macro:thank']").click()

    expect(page.get_by_test_id("reopen")).to_be_visible()
    expect(page.get_by_test_id("timeline")).to_contain_text("and have a good day!")
    expect(page.locator("header.head .tag", has_text="thanked")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_test_id("close")).to_be_visible()
    expect(page.locator("header.head .tag", has_text="thanked")).to_have_count(0)
