"""No rule of accessibility is broken, on any screen, in either theme and language."""

from collections.abc import Callable
from itertools import product

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.scorecard import CARD
from tests.e2e.test_costs import returnable, waiting
from tests.e2e.test_main_job import open_conversation, write
from tests.support.desk import Desk

THEMES = ("light", "dark")
LANGUAGES = ("en", "zh-CN")
ROWS = "[data-conversation]"


@pytest.fixture(scope="module")
def talked(shared: Desk) -> Desk:
    """Three customers who wrote; one return is done."""
    for customer in ("C-1001", "C-1005", "C-1006"):
        token = shared.visitor(customer)["token"]
        body = {"kind": "text", "text": "My shoes came apart. How do I return them?"}
        shared.post("/api/v1/conversations", {"body": body}, token)
    return shared


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_console_breaks_no_rule(
    guests: People, talked: Desk, theme: str, language: str
) -> None:
    found: dict[str, list[str]] = {}

    def look(screen: str, page: Page) -> None:
        found[screen] = violations(page)
        CARD.violated(screen, f"{theme} {language}", len(found[screen]))

    out = guests.page(color_scheme=theme, locale=language, reduced_motion="reduce")
    out.goto(f"{talked.api}/console/")
    out.get_by_test_id("signin-submit").wait_for()
    look("sign-in", out)
    page = guests.agent(
        "ada@scree.example", "demo-admin-1",
        color_scheme=theme, locale=language, reduced_motion="reduce",
    )  # fmt: skip
    for screen, show in SCREENS:
        show(page, talked.api)
        look(screen, page)
        leave(page)

    assert {screen: lines for screen, lines in found.items() if lines} == {}


def inbox(page: Page, api: str) -> None:
    page.goto(f"{api}/console/inbox/all")
    page.locator(ROWS).first.wait_for()


def conversation(page: Page, api: str) -> None:
    inbox(page, api)
    open_conversation(page, "Wang Fang")
    page.locator("[data-instance=tickets][data-state=ok]").first.wait_for()


def menu(page: Page, api: str) -> None:
    page.get_by_test_id("actions").click()
    page.locator(".menu").wait_for()


def palette(page: Page, api: str) -> None:
    page.keyboard.press("Control+k")
    page.get_by_test_id("palette").wait_for()


def keys(page: Page, api: str) -> None:
    page.locator("body").press("?")
    page.locator(".sheet").wait_for()


def form(page: Page, api: str) -> None:
    page.keyboard.press("Shift+R")
    page.locator("[data-line]").first.wait_for()


def preview(page: Page, api: str) -> None:
    form(page, api)
    if not page.locator("[data-line] input:checked").count():
        page.locator("[data-line] input:enabled").first.check()
    page.get_by_test_id("preview").click()
    page.get_by_test_id("plan").wait_for()


def compact(page: Page, api: str) -> None:
    page.goto(f"{api}/console/inbox/closed")
    page.locator(".blank h2").first.wait_for()


def attention(page: Page, api: str) -> None:
    page.goto(f"{api}/console/attention")
    page.locator(".blank").first.wait_for()


def customers(page: Page, api: str) -> None:
    page.goto(f"{api}/console/customers")
    page.locator("[data-customer]").first.wait_for()


def profile(page: Page, api: str) -> None:
    page.locator("[data-customer] button").first.click()
    page.get_by_test_id("profile-timeline").wait_for()


def search(page: Page, api: str) -> None:
    page.goto(f"{api}/console/search?q=shoes%20after:2020-01-01")
    page.locator(".search-hit mark").first.wait_for()


def phone(page: Page, api: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    inbox(page, api)


def phone_conversation(page: Page, api: str) -> None:
    open_conversation(page, "Wang Fang")
    page.get_by_test_id("composer").wait_for()


def adapters(page: Page, api: str) -> None:
    page.goto(f"{api}/console/adapters")
    page.get_by_test_id("adapters").wait_for()


def inboxes(page: Page, api: str) -> None:
    page.goto(f"{api}/console/inboxes")
    page.locator("[data-inbox]").first.wait_for()


SCREENS: list[tuple[str, Callable[[Page, str], None]]] = [
    ("inbox", inbox),
    ("conversation", conversation),
    ("action menu", menu),
    ("palette", palette),
    ("keys", keys),
    ("action form", form),
    ("action preview", preview),
    ("nothing there", compact),
    ("attention", attention),
    ("customers", customers),
    ("profile", profile),
    ("search", search),
    ("adapters", adapters),
    ("inboxes", inboxes),
    ("phone, inbox", phone),
    ("phone, conversation", phone_conversation),
]


def leave(page: Page) -> None:
    """Close what floats above the page, and nothing else."""
    if page.locator("[role=dialog], .popover").count():
        page.keyboard.press("Escape")
        expect(page.locator("[role=dialog], .popover")).to_have_count(0)


def test_a_run_breaks_no_rule(guests: People, talked: Desk) -> None:
    customer, name = returnable(talked)
    page = waiting(guests, talked, customer, name)
    open_conversation(page, name)
    page.locator("[data-instance=orders][data-state=ok]").first.wait_for()
    preview(page, talked.api)
    page.get_by_test_id("confirm").click()
    expect(page.locator("[data-testid=run][data-state=completed]").first).to_be_visible()
    found = {"run, live": violations(page)}
    CARD.violated("run, live", "light en", len(found["run, live"]))
    run = page.locator("[data-testid=run]").first.get_attribute("data-run")
    for theme, language in product(THEMES, LANGUAGES):
        page = guests.agent(color_scheme=theme, locale=language, reduced_motion="reduce")
        for screen, at, ready in (
            ("run, page", f"runs/{run}", "[data-step]"),
            ("runs, recent", "attention/recent", "[data-run]"),
        ):
            page.goto(f"{talked.api}/console/{at}")
            page.locator(ready).first.wait_for()
            lines = violations(page)
            CARD.violated(screen, f"{theme} {language}", len(lines))
            found[f"{screen} {theme} {language}"] = lines

    assert {screen: lines for screen, lines in found.items() if lines} == {}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_widget_breaks_no_rule(
    guests: People, talked: Desk, theme: str, language: str
) -> None:
    found: dict[str, list[str]] = {}

    def look(state: str) -> None:
        found[state] = violations(shop, "#deskhub-chat")
        CARD.violated(f"widget, {state}", f"{theme} {language}", len(found[state]))

    shop = guests.customer(
        "C-1010", color_scheme=theme, locale=language, reduced_motion="reduce"
    )
    look("closed")
    shop.get_by_test_id("deskhub-launcher").click()
    shop.get_by_test_id("deskhub-panel").wait_for()
    look("home")
    open_new(shop)
    write(shop, f"Hello in {theme} {language}")
    expect(shop.get_by_test_id("deskhub-log")).to_contain_text(f"{theme} {language}")
    look("conversation")

    assert {state: lines for state, lines in found.items() if lines} == {}


def open_new(shop: Page) -> None:
    """Go from the widget's home into the conversation, new or not."""
    new = shop.get_by_test_id("deskhub-new")
    kept = shop.get_by_test_id("deskhub-continue")
    kept.or_(new).first.click()
    shop.get_by_test_id("deskhub-input").wait_for()
