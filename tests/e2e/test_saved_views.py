"""A view of the inbox is kept under a name, and shared."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.support.desk import Desk


def test_a_view_is_kept_shared_and_removed(guests: People, shared: Desk) -> None:
    page = guests.agent("ada@scree.example", "demo-admin-1")
    page.goto(f"{shared.api}/console/inbox/queue?f=waiting&sort=waiting")
    menu = page.get_by_test_id("saved-views")
    menu.click()
    page.locator("[data-pick=save]").click()
    page.get_by_test_id("view-name").fill("急件 Urgent")
    page.get_by_text("For all colleagues").click()
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("aria-label", "Saved view: 急件 Urgent")

    other = guests.agent()
    other.get_by_test_id("saved-views").click()
    other.get_by_role("menuitem", name="急件 Urgent").click()
    expect(other).to_have_url(f"{shared.api}/console/inbox/queue?f=waiting&sort=waiting")

    menu.click()
    assert violations(page) == []
    page.locator("[data-pick=remove]").click()
    expect(menu).to_have_attribute("aria-label", "Saved views")
