"""Nothing that happens around an agent takes away what was typed."""

import contextlib
from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Page, expect

from tests.e2e.conftest import People
from tests.e2e.scorecard import CARD
from tests.e2e.test_main_job import open_conversation
from tests.support.desk import Desk, until

TEXT = "您好，退款会在两小时内到账 — and not a letter less"


@pytest.fixture(scope="module")
def talked(shared: Desk) -> Desk:
    """Two customers who wrote."""
    for customer in ("C-1001", "C-1005"):
        token = shared.visitor(customer)["token"]
        body = {"kind": "text", "text": "Hello?"}
        shared.post("/api/v1/conversations", {"body": body}, token)
    return shared


def reload(page: Page, guests: People) -> Page:
    page.reload()
    return page


def switch(page: Page, guests: People) -> Page:
    open_conversation(page, "Priya Raman")
    expect(page.get_by_test_id("composer")).to_have_value("")
    return page


def second_device(page: Page, guests: People) -> Page:
    kept_by_the_hub(guests.product)
    return guests.agent()


def crash(page: Page, guests: People) -> Page:
    """The page's process dies: nothing in it could say good-bye."""
    context = page.context
    with page.expect_event("crash"), contextlib.suppress(Error):
        page.goto("chrome://crash")
    after = context.new_page()
    page.close()
    after.goto(f"{guests.product.api}/console/inbox/all")
    return after


def reassignment(page: Page, guests: People) -> Page:
    product = guests.product
    lead = product.sign_in("supervisor")
    sara = next(
        one["id"] for one in product.get("/api/v1/agents", lead)["agents"]
        if one["name"] == "Sara Lind"
    )  # fmt: skip
    at = f"/api/v1/conversations/{wang(product)}"
    product.post(f"{at}/assign", {"agent": sara}, lead)
    product.post(f"{at}/notes", {"text": "Taken over."}, lead)
    expect(page.get_by_test_id("timeline")).to_contain_text("Taken over.")
    expect(page.get_by_test_id("composer")).to_have_value(TEXT)
    return page


def merge(page: Page, guests: People) -> Page:
    """Another record turns out to be the same customer, and is merged into this one."""
    product = guests.product
    lead = product.sign_in("supervisor")
    kept, gone = (
        product.get(f"/api/v1/customers?q={name}", lead)["customers"][0]["id"]
        for name in ("Wang", "Priya")
    )
    merged = product.post(f"/api/v1/customers/{kept}/merge", {"gone": gone}, lead)
    expect(page.get_by_test_id("composer")).to_have_value(TEXT)
    after = reload(page, guests)
    expect(after.get_by_test_id("composer")).to_have_value(TEXT)
    product.post(f"/api/v1/merges/{merged['id']}/undo", {}, lead)
    return after


def close(page: Page, guests: People) -> Page:
    """A colleague closes the conversation, and the customer comes back."""
    product = guests.product
    at = f"/api/v1/conversations/{wang(product)}"
    product.post(f"{at}/close", {}, product.sign_in("supervisor"))
    expect(page.get_by_test_id("reopen")).to_be_visible()
    expect(page.get_by_test_id("composer")).to_have_value(TEXT)
    product.post(f"{at}/reopen", {}, product.sign_in("supervisor"))
    return page


def logout(page: Page, guests: People) -> Page:
    kept_by_the_hub(guests.product)
    page.get_by_test_id("me").click()
    page.locator("[data-pick=out]").click()
    page.get_by_test_id("signin-email").fill("li.wei@scree.example")
    page.get_by_test_id("signin-password").fill("demo-agent-1")
    page.get_by_test_id("signin-submit").click()
    page.get_by_test_id("view-mine").wait_for()
    return page


CASES = (reload, switch, crash, reassignment, merge, close, second_device, logout)


@pytest.mark.parametrize("happens", CASES)
def test_a_draft_survives(
    guests: People, talked: Desk, happens: Callable[[Page, People], Page]
) -> None:
    page = guests.agent()
    name = happens.__name__.replace("_", " ")
    CARD.note("drafts", name, "LOST")
    count()
    all_of(page)
    open_conversation(page, "Wang Fang")
    page.get_by_test_id("composer").fill(TEXT)

    after = happens(page, guests)
    all_of(after)
    open_conversation(after, "Wang Fang")

    expect(after.get_by_test_id("composer")).to_have_value(TEXT)
    CARD.note("drafts", name, "kept")
    count()
    after.get_by_test_id("composer").fill("")
    until(lambda: kept(talked) == "", "the hub forgot the draft")


def count() -> None:
    lines = CARD.lines["drafts"]
    kept = sum(value == "kept" for value in lines.values())
    CARD.note("drafts", "survived", f"{kept} of {len(CASES)}")


def all_of(page: Page) -> None:
    page.get_by_test_id("view-all").click()
    page.locator("[data-conversation]").first.wait_for()


def wang(product: Desk) -> str:
    token = product.sign_in()
    views = product.get("/api/v1/conversations?view=all", token)["conversations"]
    return str(next(one["id"] for one in views if one["name"].startswith("Wang Fang")))


def kept(product: Desk) -> str:
    at = f"/api/v1/conversations/{wang(product)}/draft"
    return str(product.get(at, product.sign_in())["reply"])


def kept_by_the_hub(product: Desk) -> None:
    until(lambda: kept(product) == TEXT, "the hub has the draft")
