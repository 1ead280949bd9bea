"""Returns on which something goes wrong, in a real browser: what the agent reads and does."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import People
from tests.e2e.test_costs import ready, returnable
from tests.e2e.test_main_job import open_conversation
from tests.support.desk import Desk, call, until

SARA = ("sara.lind@scree.example", "demo-agent-2")
SYSTEMS = ("orders", "erp", "payments", "crm", "tickets")
SLOW_MS = 700


@pytest.fixture(autouse=True)
def calm(shared: Desk) -> Iterator[None]:
    """Leave every system as it should be for the next one."""
    yield
    for name in SYSTEMS:
        call("DELETE", f"{shared.systems[name].url}/_sim/faults")
    latency(shared, 0)


@pytest.fixture
def patient(shared: Desk) -> Iterator[Desk]:
    """A hub that refunds at once and then still waits for the parcel."""
    toml = shared.folder / "hub.toml"
    before = toml.read_text()
    for text in (before + '\n[actions]\ngoods_in = "after_refund"\n', before):
        toml.write_text(text)
        shared.kill()
        shared.start()
        shared.adapters_ready(shared.sign_in("admin"))
        if text != before:
            yield shared


def test_what_the_shop_refuses_is_said_before_anything_happens(
    guests: People, shared: Desk
) -> None:
    page = filled(guests, shared)
    order, line = chosen(page)
    return_elsewhere(shared, order, line)

    page.keyboard.press("Control+Enter")

    expect(page.get_by_test_id("action")).to_contain_text(
        re.compile("Already returned|no article|can be returned")
    )
    expect(page.get_by_test_id("plan")).to_have_count(0)
    assert runs_of(shared, order) == []


def test_a_world_that_changed_is_shown_again_with_the_difference(
    guests: People, shared: Desk
) -> None:
    page = filled(guests, shared)
    order, _ = chosen(page)
    page.keyboard.press("Control+Enter")
    page.get_by_test_id("plan").wait_for()
    touch(shared, order)

    page.keyboard.press("Control+Enter")

    expect(page.get_by_test_id("plan-changed")).to_be_visible()
    assert runs_of(shared, order) == []
    page.keyboard.press("Control+Enter")
    assert once(shared, order, ended(page, shared, order))


def test_a_payment_nobody_knew_about_is_found(guests: People, shared: Desk) -> None:
    page = filled(guests, shared)
    order, _ = chosen(page)
    page.keyboard.press("Control+Enter")
    page.get_by_test_id("plan").wait_for()
    shared.fault("payments", match="POST /v1/refunds", kind="timeout_after")

    page.keyboard.press("Control+Enter")

    run = ended(page, shared, order)
    assert once(shared, order, run)
    refund = next(step for step in run["steps"] if step["id"] == "refunded")
    assert [attempt["ok"] for attempt in refund["attempts"]] == [False, True]
    page.get_by_test_id("run-page").click()
    expect(page.locator("[data-step=refunded]").first).to_contain_text("2")


def test_a_second_agent_sees_the_run_and_starts_no_other(guests: People, shared: Desk) -> None:
    page = filled(guests, shared)
    order, _ = chosen(page)
    name = page.locator("[data-conversation][aria-selected=true]").first.inner_text()
    page.keyboard.press("Control+Enter")
    page.get_by_test_id("plan").wait_for()
    second = guests.agent(*SARA)
    second.get_by_test_id("view-all").click()
    open_conversation(second, name.splitlines()[0])
    ready(second)
    latency(shared, SLOW_MS)

    page.keyboard.press("Control+Enter")
    page.locator("[data-testid=run][data-state=running]").first.wait_for()
    second.keyboard.press("Shift+R")

    expect(second.get_by_test_id("action")).to_contain_text(re.compile(r"R-\d+"))
    latency(shared, 0)
    assert once(shared, order, ended(page, shared, order))
    assert len(runs_of(shared, order)) == 1


def test_a_closed_tab_cancels_nothing(guests: People, shared: Desk) -> None:
    page = filled(guests, shared)
    order, _ = chosen(page)
    page.keyboard.press("Control+Enter")
    page.get_by_test_id("plan").wait_for()
    latency(shared, SLOW_MS)
    page.keyboard.press("Control+Enter")
    page.locator("[data-testid=run][data-state=running]").first.wait_for()

    page.close()
    latency(shared, 0)
    again = guests.agent()
    again.goto(f"{shared.api}/console/attention/recent")

    run = ended(None, shared, order)
    assert once(shared, order, run)
    expect(again.locator(f"[data-run={run['id']}]")).to_contain_text("has been refunded")


def test_a_warehouse_that_is_down_after_the_refund_needs_a_person(
    guests: People, patient: Desk
) -> None:
    page = filled(guests, patient)
    order, _ = chosen(page)
    page.keyboard.press("Control+Enter")
    page.get_by_test_id("plan").wait_for()
    patient.fault("erp", match="GET /api/receipts*", kind="500", times=50)

    page.keyboard.press("Control+Enter")

    sentence = page.get_by_test_id("action").get_by_test_id("run-sentence")
    expect(page.locator("[data-testid=action][data-state=attention]")).to_be_visible(
        timeout=60_000
    )
    expect(sentence).to_contain_text(re.compile(r"^The customer has been refunded \S+\d\."))
    expect(sentence).to_contain_text("The goods are not in.")
    call("DELETE", f"{patient.systems['erp'].url}/_sim/faults")
    page.get_by_test_id("resolve").click()
    expect(page.locator("[data-testid=action][data-state=waiting]")).to_be_visible(
        timeout=30_000
    )
    call("POST", f"{patient.systems['erp'].url}/_sim/book", {"order": order})
    assert once(patient, order, ended(page, patient, order))


def filled(guests: People, product: Desk) -> Page:
    """An agent with the return's form, one article chosen, for a customer of their own."""
    _, name = returnable(product)
    page = guests.agent()
    page.get_by_test_id("view-all").click()
    open_conversation(page, name)
    ready(page)
    page.keyboard.press("Shift+R")
    page.locator("[data-line]").first.wait_for()
    if page.locator("[data-line] input:checked").count() == 0:
        page.locator("[data-line] input:enabled").first.check()
    return page


def chosen(page: Page) -> tuple[str, str]:
    """Return the order and the line of the form."""
    title = page.get_by_test_id("action").get_by_role("heading").first.inner_text()
    line = page.locator("[data-line]", has=page.locator("input:checked")).first
    return title.partition("#")[2].strip(), str(line.get_attribute("data-line"))


def latency(product: Desk, ms: int) -> None:
    for name in SYSTEMS:
        call("POST", f"{product.systems[name].url}/_sim/latency", {"ms": ms})


def return_elsewhere(product: Desk, order: str, line: str) -> None:
    """Return everything of a line through another channel of the shop."""
    shop = product.systems["orders"].url
    orders = call("GET", f"{shop}/_sim/state")["orders"]
    found = next(one for one in orders[order]["lines"] if one["id"] == line)
    body = {"lines": [{"line": line, "quantity": found["quantity"] - found["returned"]}]}
    call("POST", f"{shop}/api/orders/{order}/returns", body, token=product.keys.token)


def touch(product: Desk, order: str) -> None:
    """Let the shop change the order without anybody being told."""
    body = {"order": order, "amount": "0.00"}
    call("POST", f"{product.systems['orders'].url}/_sim/refunded", body)


def runs_of(product: Desk, order: str) -> list[dict[str, object]]:
    path = f"/api/v1/runs?object=orders:{order}"
    return list(product.get(path, product.sign_in())["runs"])


def ended(page: Page | None, product: Desk, order: str) -> dict[str, object]:
    """Wait until the order's run has completed; return it."""
    if page is not None:
        done = page.locator("[data-testid=action][data-state=completed]")
        expect(done).to_be_visible(timeout=60_000)
    until(lambda: runs_of(product, order)[0]["state"] == "completed", "the run completes")
    return runs_of(product, order)[0]


def once(product: Desk, order: str, run: dict[str, object]) -> bool:
    """Return whether every step of the run had its effect exactly once."""
    counts = [
        count
        for name in SYSTEMS
        for keys in call("GET", f"{product.systems[name].url}/_sim/effects?by=key").values()
        for key, count in keys.items()
        if key.startswith(f"dh_{run['id']}_")
    ]
    return len(counts) == 6 and set(counts) == {1} and len(runs_of(product, order)) == 1
