"""Days on which something is wrong, and ways to work without the mouse."""

import re
import urllib.request

from playwright.sync_api import expect

from tests.e2e.conftest import People
from tests.e2e.test_main_job import ONCE, open_chat, open_conversation, write
from tests.support.desk import Desk


def test_a_system_that_is_down_says_so_and_the_chat_goes_on(
    people: People, product: Desk
) -> None:
    console = people.agent()
    shop = people.customer()
    open_chat(shop)
    write(shop, "Is my size in stock?")
    open_conversation(console, "Wang Fang")
    expect(console.locator("[data-instance=erp][data-state=ok]").first).to_be_visible()

    product.systems["erp"].process.kill()
    console.get_by_test_id("refresh-all").click()

    panel = console.locator("[data-instance=erp]").first
    expect(panel).to_have_attribute(
        "data-state", re.compile("stale|failed|late|busy"), timeout=15_000
    )
    expect(panel).to_contain_text(
        re.compile("cannot be reached|not reach|try|down|unavailable|slow", re.IGNORECASE)
    )
    console.get_by_test_id("composer").fill("One moment, I am asking the warehouse.")
    console.get_by_test_id("composer").press("Enter")
    expect(shop.get_by_test_id("deskhub-log")).to_contain_text("asking the warehouse")


def test_a_return_needs_three_key_strokes(people: People, product: Desk) -> None:
    console = people.agent()
    shop = people.customer()
    open_chat(shop)
    write(shop, "I want to return my shoes")
    open_conversation(console, "Wang Fang")
    expect(console.locator("[data-instance=orders][data-state=ok]").first).to_be_visible()

    console.keyboard.press("Shift+R")
    console.get_by_test_id("preview").wait_for()
    console.keyboard.press("Enter")
    console.get_by_test_id("plan").wait_for()
    console.keyboard.press("Control+Enter")

    expect(console.locator("[data-testid=run][data-state=completed]").first).to_be_visible()
    assert {name: product.effects(name) for name in ONCE} == ONCE


def test_a_return_that_the_payment_provider_refuses_is_undone(
    people: People, product: Desk
) -> None:
    console = people.agent()
    shop = people.customer()
    open_chat(shop)
    write(shop, "I want to return my shoes")
    open_conversation(console, "Wang Fang")
    expect(console.locator("[data-instance=orders][data-state=ok]").first).to_be_visible()
    console.keyboard.press("Shift+R")
    console.get_by_test_id("preview").wait_for()
    console.keyboard.press("Enter")
    console.get_by_test_id("plan").wait_for()
    hold = urllib.request.Request(
        f"{product.systems['payments'].url}/_sim/hold",
        b'{"payment": "pay_1042"}',
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(hold, timeout=5).close()

    console.keyboard.press("Control+Enter")

    run = console.locator("[data-testid=run]").first
    expect(run).to_have_attribute(
        "data-state", re.compile("compensated|attention"), timeout=30_000
    )
    expect(console.get_by_test_id("run-sentence").first).to_contain_text("not been refunded")
    assert product.effects("payments").get("refund", 0) == 0


def test_an_agent_signs_in_through_the_identity_provider(people: People, product: Desk) -> None:
    page = people.page()
    page.goto(f"{product.api}/console/")
    page.get_by_test_id("sso-sso").click()
    page.get_by_role("button", name=re.compile("Li Wei")).first.click()

    page.get_by_test_id("view-mine").wait_for()

    assert page.url.startswith(f"{product.api}/console/")
    assert "code" not in page.url


def test_a_removed_agent_is_out_within_five_seconds(people: People, product: Desk) -> None:
    console = people.agent()
    admin = product.sign_in("admin")
    agents = product.get("/api/v1/agents", admin)["agents"]
    li_wei = next(one["id"] for one in agents if one["name"] == "Li Wei")

    request = urllib.request.Request(f"{product.api}/api/v1/users/{li_wei}", method="DELETE")
    request.add_header("Authorization", f"Bearer {admin}")
    request.add_header("Idempotency-Key", "remove-li-wei")
    urllib.request.urlopen(request, timeout=10).close()

    expect(console.get_by_test_id("signin-email")).to_be_visible(timeout=5_000)
