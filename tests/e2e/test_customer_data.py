"""A customer is exported, merged with another record of theirs, and erased."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.test_main_job import open_chat, write
from tests.support.desk import Desk

WORDS = "canary7f3a1c, my shoe came apart"


def says(page: Page, text: str) -> None:
    open_chat(page)
    write(page, text)
    expect(page.get_by_test_id("deskhub-log")).to_contain_text(text)


def choose(page: Page, what: str) -> None:
    page.get_by_test_id("data-menu").click()
    page.get_by_role("menuitem", name=what).click()


def open_customer(page: Page, api: str, words: str) -> None:
    page.goto(f"{api}/console/customers?q={words}")
    rows = page.locator("[data-customer]")
    expect(rows).to_have_count(1)
    rows.locator(".row-name").click()
    page.get_by_test_id("profile").wait_for()


def test_a_customer_is_exported_merged_and_erased(people: People, product: Desk) -> None:
    says(people.customer("C-1001"), WORDS)
    says(people.customer("C-1002"), "I have two accounts")
    page = people.agent("ada@scree.example", "demo-admin-1")
    open_customer(page, product.api, "canary7f3a1c")
    expect(page.locator("h1")).to_contain_text("Wang Fang")
    name = page.locator("h1").inner_text()

    with page.expect_download() as saved:
        choose(page, "Export as a file")
    document = json.loads(Path(saved.value.path()).read_text())
    assert document["complete"]
    assert WORDS in json.dumps(document)

    choose(page, "Merge…")
    page.get_by_test_id("merge-find").fill("C-1002")
    page.get_by_test_id("merge-dialog").locator("[data-customer]").first.click()
    assert violations(page) == []
    page.get_by_test_id("merge-now").click()
    expect(page.get_by_test_id("merged")).to_be_visible()
    expect(page.get_by_text("I have two accounts").first).to_be_visible()
    page.get_by_test_id("merge-undo").click()
    expect(page.get_by_test_id("merged")).to_have_count(0)

    other = people.agent()
    other.goto(f"{product.api}/console/inbox/all")
    expect(other.get_by_text(WORDS).first).to_be_visible()
    choose(page, "Erase…")
    page.get_by_test_id("erase-confirm").fill("Somebody Else")
    page.get_by_test_id("erase-now").click()
    expect(page.get_by_role("alert")).to_contain_text("neither this customer's name")
    assert violations(page) == []
    page.get_by_test_id("erase-confirm").fill(name)
    page.get_by_test_id("erase-now").click()
    expect(page.get_by_test_id("erased")).to_have_attribute("data-state", "done")
    expect(page.get_by_text(WORDS)).to_have_count(0)

    # A colleague's screen drops its copy without being reloaded.
    expect(other.get_by_text(WORDS)).to_have_count(0)
