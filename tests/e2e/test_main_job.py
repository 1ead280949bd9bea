"""The main job in two real browsers: a customer asks for a return, an agent runs it."""

import json
import re
import urllib.request

from playwright.sync_api import Page, expect

from tests.e2e.conftest import People
from tests.support.desk import Desk, until

ONCE = {
    "orders": {"return_created": 1},
    "erp": {"receipt": 1, "credit_note": 1},
    "payments": {"refund": 1},
    "crm": {"activity_recorded": 1},
    "tickets": {"case_opened": 1},
}


def write(page: Page, text: str) -> None:
    page.get_by_test_id("deskhub-input").fill(text)
    page.get_by_test_id("deskhub-input").press("Enter")


def open_chat(shop: Page) -> None:
    shop.get_by_test_id("deskhub-launcher").click()
    shop.get_by_test_id("deskhub-panel").wait_for()
    new = shop.get_by_test_id("deskhub-new")
    expect(new.or_(shop.get_by_test_id("deskhub-input")).first).to_be_visible()
    if new.is_visible():
        new.click()
    shop.get_by_test_id("deskhub-input").wait_for()


def open_conversation(console: Page, name: str) -> None:
    row = console.locator("[data-conversation]", has_text=name).first
    row.wait_for()
    row.click()
    console.get_by_test_id("timeline").wait_for()


def test_the_customer_asks_and_the_agent_returns_the_order(
    people: People, product: Desk
) -> None:
    console = people.agent()
    shop = people.customer()
    open_chat(shop)
    write(shop, "The sole of my Trail Shoe comes off. I want to return it.")
    open_conversation(console, "Wang Fang")

    expect(console.get_by_test_id("timeline")).to_contain_text("I want to return it")
    for instance in ("orders", "erp", "payments", "crm", "tickets"):
        expect(
            console.locator(f"[data-instance={instance}][data-state=ok]").first
        ).to_be_visible()
    expect(console.locator("[data-instance=orders]").first).to_contain_text("#1042")

    console.keyboard.press("Shift+R")
    console.get_by_test_id("preview").wait_for()
    console.get_by_test_id("preview").click()
    expect(console.get_by_test_id("plan")).to_contain_text("¥399.00")
    expect(console.get_by_test_id("confirm")).to_contain_text("¥399.00")
    console.get_by_test_id("confirm").click()
    # Her conversation, preview, confirm.
    clicks = 3

    expect(console.locator("[data-testid=run][data-state=completed]").first).to_be_visible()
    assert clicks <= 5
    assert {name: product.effects(name) for name in ONCE} == ONCE
    expect(shop.get_by_test_id("deskhub-log")).to_contain_text(
        re.compile("refund", re.IGNORECASE)
    )
    expect(shop.get_by_test_id("deskhub-log")).to_contain_text("¥399.00")


def test_an_answer_arrives_and_is_seen(people: People, product: Desk) -> None:
    console = people.agent()
    shop = people.customer()
    open_chat(shop)
    write(shop, "Do you repair boots?")
    open_conversation(console, "Wang Fang")

    console.get_by_test_id("composer").fill("We do, for as long as you walk in them.")
    console.get_by_test_id("composer").press("Enter")

    expect(shop.get_by_test_id("deskhub-log")).to_contain_text(
        "for as long as you walk in them"
    )
    expect(console.get_by_test_id("timeline")).to_contain_text(
        re.compile("seen", re.IGNORECASE)
    )


def test_a_shipped_order_changes_on_both_screens(people: People, product: Desk) -> None:
    console = people.agent()
    shop = people.customer("C-1005")
    open_chat(shop)
    write(shop, "Where is my order?")
    open_conversation(console, "Priya Raman")
    expect(console.get_by_test_id("timeline")).to_contain_text("Where is my order?")

    post(f"{product.shop}/_sim/ship", {"order": "1051"})

    expect(console.get_by_test_id("timeline")).to_contain_text("#1051")
    expect(shop.get_by_test_id("deskhub-log")).to_contain_text("#1051")
    expect(console.get_by_test_id("timeline")).to_contain_text("Shipped")
    expect(shop.get_by_test_id("deskhub-log")).to_contain_text("Shipped")


def test_both_sides_go_on_after_the_server_was_killed(people: People, product: Desk) -> None:
    console = people.agent()
    shop = people.customer()
    open_chat(shop)
    write(shop, "first")
    open_conversation(console, "Wang Fang")
    expect(console.get_by_test_id("timeline")).to_contain_text("first")

    product.kill()
    write(shop, "written while the server was down")
    expect(shop.get_by_test_id("deskhub-offline").first).to_be_visible()
    product.start()

    expect(console.get_by_test_id("timeline")).to_contain_text(
        "written while the server was down", timeout=40_000
    )
    console.get_by_test_id("composer").fill("and we are back")
    console.get_by_test_id("composer").press("Enter")
    expect(shop.get_by_test_id("deskhub-log")).to_contain_text(
        "and we are back", timeout=40_000
    )
    texts = shop.get_by_test_id("deskhub-message").all_inner_texts()
    assert sum("written while the server was down" in text for text in texts) == 1


def test_a_return_survives_the_server(people: People, product: Desk) -> None:
    console = people.agent()
    shop = people.customer()
    open_chat(shop)
    write(shop, "I want to return my shoes")
    open_conversation(console, "Wang Fang")
    expect(console.locator("[data-instance=orders][data-state=ok]").first).to_be_visible()
    product.fault("payments", match="POST /v1/refunds", kind="timeout_after")

    console.keyboard.press("Shift+R")
    console.get_by_test_id("preview").wait_for()
    console.get_by_test_id("preview").click()
    console.get_by_test_id("confirm").click()
    until(lambda: product.effects("payments").get("refund") == 1, "the refund left")
    product.kill()
    product.start()

    expect(console.locator("[data-testid=run][data-state=completed]").first).to_be_visible(
        timeout=60_000
    )
    assert {name: product.effects(name) for name in ONCE} == ONCE


def post(url: str, body: object) -> None:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status < 300
