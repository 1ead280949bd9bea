"""Nothing that happens around an agent takes away what was typed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

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


def second_browser(page: Page, guests: People) -> Page:
    kept_by_the_hub(guests.product)
    return guests.agent()


def close_tab(page: Page, guests: People) -> Page:
    context = page.context
    page.close()
    after = context.new_page()
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


def logout(page: Page, guests: People) -> Page:
    kept_by_the_hub(guests.product)
    page.get_by_test_id("me").click()
    page.locator("[data-pick=out]").click()
    page.get_by_test_id("signin-email").fill("li.wei@scree.example")
    page.get_by_test_id("signin-password").fill("demo-agent-1")
    page.get_by_test_id("signin-submit").click()
    page.get_by_test_id("view-mine").wait_for()
    return page


@pytest.mark.parametrize(
    "happens", [reload, switch, second_browser, close_tab, reassignment, logout]
)
def test_a_draft_survives(
    guests: People, talked: Desk, happens: Callable[[Page, People], Page]
) -> None:
    page = guests.agent()
    name = happens.__name__.replace("_", " ")
    CARD.note("drafts", name, "LOST")
    all_of(page)
    open_conversation(page, "Wang Fang")
    page.get_by_test_id("composer").fill(TEXT)

    after = happens(page, guests)
    all_of(after)
    open_conversation(after, "Wang Fang")

    expect(after.get_by_test_id("composer")).to_have_value(TEXT)
    CARD.note("drafts", name, "kept")
    after.get_by_test_id("composer").fill("")
    until(lambda: kept(talked) == "", "the hub forgot the draft")


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
