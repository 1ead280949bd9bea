"""Webhooks in a real browser: an endpoint is made, told, replayed, rotated and switched off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import SHOTS, People
from tests.faults.test_kill_webhooks import SETTINGS, Far, endpoint
from tests.support.desk import Desk, call, desk, until


@pytest.fixture(scope="module")
def shared() -> Iterator[Desk]:
    with desk(settings=SETTINGS) as running:
        running.adapters_ready(running.sign_in("admin"))
        yield running


@pytest.fixture(scope="module")
def far() -> Iterator[Far]:
    with endpoint() as one:
        yield one


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"webhooks-{name}.png")


def said(shared: Desk, text: str) -> None:
    visitor = shared.visitor("C-1001")
    body = {"body": {"kind": "text", "text": text}}
    shared.post("/api/v1/conversations", body, visitor["token"])


def choose(page: Page, name: str) -> None:
    page.get_by_test_id("endpoint-more").click()
    page.get_by_role("menuitem", name=name).click()


def test_an_admin_makes_an_endpoint_and_looks_after_it(
    guests: People, shared: Desk, far: Far
) -> None:
    page = guests.agent("ada@scree.example", "demo-admin-1")
    page.goto(f"{shared.api}/console/adapters?tab=webhooks")
    expect(page.get_by_test_id("no-endpoints")).to_be_visible()
    assert violations(page) == []
    page.get_by_test_id("endpoint-new").click()
    page.get_by_label("Name").fill("crm-sync")
    page.get_by_label("Address").fill("http://10.1.2.3/hook")
    page.get_by_test_id("endpoint-save").click()
    expect(page.get_by_role("alert")).to_contain_text("https")
    assert violations(page) == []
    page.get_by_label("Address").fill(far.url)
    page.get_by_label("Every event").uncheck()
    page.get_by_label("message.posted").check()
    shot(page, "new")
    page.get_by_test_id("endpoint-save").click()
    first = page.get_by_test_id("secret").inner_text()
    assert first.startswith("whsec_")
    assert violations(page) == []
    page.get_by_test_id("secret-kept").click()
    expect(page.get_by_test_id("no-deliveries")).to_be_visible()

    page.get_by_test_id("endpoint-test").click()
    expect(page.get_by_test_id("deliveries")).to_contain_text("webhook.test")
    far.free.set()
    said(shared, "Where is my order?")
    row = page.locator("[data-delivery]").filter(has_text="message.posted").first
    expect(row).to_have_attribute("data-state", "done")
    row.get_by_role("button").click()
    panel = page.get_by_test_id("delivery")
    expect(panel).to_contain_text("webhook-signature: v1,")
    expect(page.get_by_test_id("delivery-body")).to_contain_text("Where is my order?")
    assert violations(page) == []
    shot(page, "light")

    before = len(far.got)
    page.get_by_test_id("delivery-replay").click()
    until(lambda: len(far.got) == before + 1, "it was sent again")
    assert far.got[-1]["id"] == far.got[-2]["id"] or far.got[-1]["id"] in {
        one["id"] for one in far.got[:-1]
    }
    expect(panel.locator("[data-attempt='2']")).to_be_visible()

    choose(page, "New secret")
    assert page.get_by_test_id("secret").inner_text() != first
    page.get_by_test_id("secret-kept").click()
    expect(page.get_by_text("Two secrets sign until")).to_be_visible()
    choose(page, "Switch off")
    expect(page.get_by_test_id("endpoint-off")).to_be_visible()
    assert violations(page) == []
    choose(page, "Switch on")
    expect(page.get_by_test_id("endpoint-off")).to_have_count(0)


def test_it_reads_in_chinese_in_the_dark_and_on_a_phone(
    guests: People, shared: Desk, far: Far
) -> None:
    admin = shared.sign_in("admin")
    if not shared.get("/api/v1/subscriptions", admin)["subscriptions"]:
        wanted = {"name": "crm-sync", "url": far.url, "kinds": ["*"]}
        shared.post("/api/v1/subscriptions", wanted, admin)
    said(shared, "And now?")
    for name, more in (
        ("zh", {"locale": "zh-CN"}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"width": 390, "height": 844}),
    ):
        page = guests.agent("ada@scree.example", "demo-admin-1", **more)
        page.goto(f"{shared.api}/console/adapters?tab=webhooks")
        page.locator("[data-delivery] button").first.click()
        expect(page.get_by_test_id("delivery-body")).to_be_visible()
        assert violations(page) == []
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide
        shot(page, name)
    expect(page.get_by_test_id("deliveries")).to_be_visible()


def test_what_arrived_is_listed_and_the_dead_can_be_replayed(
    guests: People, shared: Desk
) -> None:
    state = call("GET", f"{shared.shop}/_sim/state")
    order = next(one for one in state["orders"].values() if one["status"] == "paid")
    call("POST", f"{shared.shop}/_sim/advance", {"order": order["number"]})
    page = guests.agent("ada@scree.example", "demo-admin-1")
    page.goto(f"{shared.api}/console/adapters?tab=arrived")

    expect(page.get_by_test_id("arrived")).to_contain_text(f"orders:{order['id']}")
    assert violations(page) == []
    shot(page, "arrived")
