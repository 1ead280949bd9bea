"""Searching in everything that was said, with the keyboard alone."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import People
from tests.support.desk import Desk


def say(desk: Desk, customer: str, *texts: str) -> None:
    token = desk.visitor(customer)["token"]
    body = {"body": {"kind": "text", "text": texts[0]}}
    conversation = desk.post("/api/v1/conversations", body, token)["conversation"]
    for text in texts[1:]:
        desk.post(
            f"/api/v1/conversations/{conversation}/messages",
            {"kind": "text", "text": text},
            token,
        )


def test_a_message_is_found_and_opened_at_its_place(guests: People, shared: Desk) -> None:
    say(shared, "C-1003", "我的面单在哪里？<b>很急</b>", *("one line\n" * 12 for _ in range(7)))
    page = guests.agent("ada@scree.example", "demo-admin-1")

    page.locator("body").press("/")
    page.get_by_test_id("search-input").fill("面单")
    hit = page.locator(".search-hit")
    expect(hit).to_have_count(1)
    expect(hit.locator("mark")).to_have_text("面单")
    expect(hit).to_contain_text("<b>很急</b>")
    page.keyboard.press("Enter")

    sought = page.locator("[data-seq].is-sought")
    expect(sought).to_contain_text("面单")
    expect(sought).to_be_in_viewport()
    assert "at=" in page.url
    page.go_back()
    expect(page.get_by_test_id("search-input")).to_have_value("面单")


def test_a_filter_that_cannot_be_read_is_explained(guests: People, shared: Desk) -> None:
    page = guests.agent("ada@scree.example", "demo-admin-1")
    page.goto(f"{shared.api}/console/search?q=before:tomorrow")

    expect(page.locator(".blank h2")).to_have_text("Write days as 2026-11-30.")


def test_the_palette_finds_messages_too(guests: People, shared: Desk) -> None:
    say(shared, "C-1004", "The zipper of my jacket is stuck")
    page = guests.agent("ada@scree.example", "demo-admin-1")

    page.keyboard.press("Control+k")
    page.get_by_test_id("palette-input").fill("zipper")
    expect(page.locator("[data-command^='message:']")).to_contain_text("zipper of my jacket")
    page.locator("[data-command^='message:']").click()

    expect(page.locator("[data-seq].is-sought")).to_contain_text("zipper")


def test_a_note_that_calls_a_colleague_is_noticed_and_listed(
    guests: People, shared: Desk
) -> None:
    say(shared, "C-1005", "My parcel is late")
    called = guests.agent()
    caller = guests.agent("ada@scree.example", "demo-admin-1")
    caller.goto(f"{shared.api}/console/search?q=parcel")
    caller.locator(".search-hit").first.click()
    caller.get_by_test_id("tab-note").click()
    caller.get_by_test_id("composer").fill("＠Li Wei can you call the carrier?")
    caller.get_by_test_id("send").click()

    link = called.get_by_role("link", name="Mentions of me, 1 unread")
    expect(link).to_be_visible()
    link.click()
    expect(called.get_by_test_id("mention-new")).to_be_visible()
    called.locator(".search-hit").first.click()

    expect(called.locator("[data-seq].is-sought")).to_contain_text("call the carrier")
    expect(called.get_by_role("link", name="Mentions of me", exact=True)).to_be_visible()
