"""An admin looks after adapters in the browser: switched on, tested, mended; in words and by key."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.scorecard import CARD
from tests.e2e.test_main_job import open_conversation
from tests.support.desk import Desk, call, until

ADMIN = ("ada@scree.example", "demo-admin-1")


def test_an_adapter_is_switched_on_and_its_card_is_there(people: People, product: Desk) -> None:
    token = product.visitor("C-1001")["token"]
    product.post("/api/v1/conversations", {"body": {"kind": "text", "text": "Hello?"}}, token)
    admin = people.agent(*ADMIN)
    admin.goto(f"{product.api}/console/adapters/tickets")
    admin.get_by_test_id("disable").click()
    expect(admin.get_by_test_id("diff")).to_contain_text("+enabled = false")
    admin.get_by_test_id("change-confirm").click()
    expect(admin.locator("[data-instance=tickets]")).to_have_attribute("data-state", "disabled")
    agent = people.agent()
    agent.goto(f"{product.api}/console/inbox/all")
    open_conversation(agent, "Wang Fang")
    expect(
        agent.locator(
            ".panel[data-instance=orders][data-state=ok], [data-instance=orders][data-state=ok]"
        ).first
    ).to_be_visible()
    assert not agent.locator("[data-instance=tickets][data-state=ok]").count()

    admin.get_by_test_id("enable").click()
    expect(admin.get_by_test_id("change")).to_contain_text("it is switched on")
    admin.get_by_test_id("change-confirm").click()

    expect(admin.locator("[data-instance=tickets]")).to_have_attribute("data-state", "ready")
    admin.get_by_test_id("test").click()
    expect(admin.get_by_test_id("tested")).to_contain_text("It answers")
    agent.reload()
    # Its process starts, is healthy and takes its place before there is a card.
    back = agent.locator("[data-instance=tickets][data-state=ok]").first
    expect(back).to_be_visible(timeout=30_000)


def test_a_setting_is_changed_after_its_difference_was_read(
    guests: People, shared: Desk
) -> None:
    page = guests.agent(*ADMIN)
    page.goto(f"{shared.api}/console/adapters/orders?section=settings")
    page.locator("[data-setting=return_days]").fill("21")
    page.get_by_test_id("settings-submit").click()
    expect(page.get_by_test_id("diff")).to_contain_text("+return_days = 21")
    page.get_by_test_id("change-confirm").click()

    expect(page.get_by_test_id("change")).to_have_count(0)
    assert "return_days = 21" in (shared.folder / "hub.toml").read_text()


def test_a_wrong_setting_is_told_and_not_written(guests: People, shared: Desk) -> None:
    before = (shared.folder / "hub.toml").read_text()
    page = guests.agent(*ADMIN)
    page.goto(f"{shared.api}/console/adapters/crm?section=settings")
    page.locator("[data-setting=profile_ttl_s]").fill("soon")
    page.get_by_test_id("settings-submit").click()

    expect(page.get_by_test_id("change").get_by_role("alert")).to_contain_text("profile_ttl_s")
    expect(page.get_by_test_id("change-confirm")).to_be_disabled()
    assert (shared.folder / "hub.toml").read_text() == before


def test_settings_are_tested_in_the_market_before_they_are_saved(
    guests: People, shared: Desk
) -> None:
    before = (shared.folder / "hub.toml").read_text()
    page = guests.agent(*ADMIN)
    page.goto(f"{shared.api}/console/adapters?tab=market")
    offer(page)
    address = page.locator("[data-setting=base_url]")
    own = address.input_value()

    address.fill("http://127.0.0.1:9")
    page.get_by_test_id("try").click()
    trial = page.get_by_test_id("trial")
    expect(trial).to_have_attribute("data-ok", "false", timeout=30_000)
    expect(trial).to_contain_text("DH411")
    expect(trial).to_contain_text("Check its address")

    address.fill(own)
    expect(trial).to_have_count(0)
    page.locator("[data-setting=token]").fill("")
    page.get_by_test_id("try").click()
    expect(trial).to_have_attribute("data-ok", "true", timeout=30_000)
    expect(trial).to_contain_text("Nothing was saved")
    assert (shared.folder / "hub.toml").read_text() == before


def test_every_process_is_shown_beside_what_they_did_together(
    guests: People, shared: Desk
) -> None:
    page = guests.agent(*ADMIN)
    page.route("**/api/v1/adapters/orders", in_two_processes)
    page.goto(f"{shared.api}/console/adapters/orders")

    rows = page.get_by_test_id("processes").locator("li")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("answers this page")
    expect(rows.nth(1)).to_contain_text("breaker holds calls back")
    expect(page.get_by_test_id("breaker")).to_have_text("holds calls back")
    assert violations(page) == []


def test_a_mistake_in_the_file_is_on_the_repairs_page(guests: People, shared: Desk) -> None:
    file = shared.folder / "hub.toml"
    good = file.read_text()
    page = guests.agent(*ADMIN)
    page.goto(f"{shared.api}/console/adapters?tab=repairs")
    page.locator(".blank").wait_for()
    try:
        file.write_text(good + "\n[adapters.crm2]\nuse = 'crmm'\n")
        expect(page.locator("[data-severity=critical]")).to_contain_text(
            "Did you mean 'crm'?", timeout=20_000
        )
    finally:
        file.write_text(good)
    page.locator(".blank").wait_for()


def test_all_of_it_goes_by_key(guests: People, shared: Desk) -> None:
    page = guests.agent(*ADMIN)
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.get_by_test_id("adapters").wait_for()
    page.locator("[data-instance=erp] button").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("inspector").wait_for()
    page.get_by_test_id("section-logs").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_test_id("section-logs")).to_have_attribute("aria-current", "page")
    page.get_by_test_id("disable").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("diff").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("change")).to_have_count(0)


def test_an_agent_is_shown_none_of_it(guests: People, shared: Desk) -> None:
    page = guests.agent()
    page.goto(f"{shared.api}/console/adapters/orders?section=settings")
    page.get_by_test_id("inspector").wait_for()

    assert not page.locator(
        "[data-setting], [data-testid=disable], [data-testid=tab-market]"
    ).count()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_pages_break_no_rule(
    guests: People, shared: Desk, theme: str, language: str
) -> None:
    page = guests.agent(*ADMIN, color_scheme=theme, locale=language, reduced_motion="reduce")
    found: dict[str, list[str]] = {}
    shared.fault("tickets", kind="500", match="*", times=0)
    admin = shared.sign_in("admin")
    shared.post("/api/v1/adapters/tickets/test", {}, admin)
    until(lambda: shared.get("/api/v1/repairs", admin)["repairs"], "something is wrong")
    try:
        for screen, path, ready in SCREENS:
            page.goto(f"{shared.api}/console/{path}")
            page.locator(ready).first.wait_for()
            MORE.get(screen, lambda _: None)(page)
            found[screen] = violations(page)
            CARD.violated(screen, f"{theme} {language}", len(found[screen]))
    finally:
        call("DELETE", f"{shared.systems['tickets'].url}/_sim/faults")
        shared.post("/api/v1/adapters/tickets/test", {}, admin)

    assert {screen: lines for screen, lines in found.items() if lines} == {}


def offer(page: Page) -> None:
    page.locator("[data-offer=crm] button").click()
    page.locator("[data-testid=offer] [data-setting]").first.wait_for()


def change(page: Page) -> None:
    page.get_by_test_id("disable").click()
    page.get_by_test_id("diff").wait_for()


def try_settings(page: Page) -> None:
    page.locator("[data-setting=base_url]").fill("http://127.0.0.1:9")
    page.get_by_test_id("try").click()
    page.get_by_test_id("trial").wait_for()


def in_two_processes(route: Route) -> None:
    """Answer as one of two processes does: the other one's breaker is open."""
    answer = route.fetch()
    told = answer.json()
    here = told["processes"][0]
    there = {**here, "name": "desk-2:4711", "here": False, "state": "degraded",
             "breaker": "open", "text": "Orders fails too often; it is asked again in a moment."}  # fmt: skip
    told["processes"].append(there)
    told["breaker"] = "open"
    route.fulfill(response=answer, json=told)


SCREENS = [
    ("adapter, health", "adapters/orders", "[data-testid=inspector] .spark"),
    ("adapter, settings", "adapters/orders?section=settings", "[data-setting]"),
    ("adapter, tested", "adapters/orders?section=settings", "[data-setting]"),
    ("adapter, log", "adapters/orders?section=logs", "[data-testid=inspector] section"),
    ("adapter, events", "adapters/orders?section=events", "[data-testid=inspector] section"),
    ("adapter, change", "adapters/orders", "[data-testid=disable]"),
    ("market", "adapters?tab=market", "[data-offer]"),
    ("market, offer", "adapters?tab=market", "[data-offer]"),
    ("repairs", "adapters?tab=repairs", "[data-repair]"),
]
MORE: dict[str, Callable[[Page], None]] = {
    "market, offer": offer, "adapter, change": change, "adapter, tested": try_settings,
}  # fmt: skip
