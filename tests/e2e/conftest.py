"""A real Chromium on a whole Deskhub: hub, six simulators, console, widget."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.scorecard import CARD
from tests.support.desk import Desk, desk

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = Path(__file__).parent / "shots"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb",
]  # fmt: skip
# How long a page may take to show something; tests that promise a time measure it themselves.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        assert os.environ.get("DESKHUB_CI") != "1", "CI must have a browser"
        pytest.skip("no chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def product() -> Iterator[Desk]:
    with desk() as running:
        running.adapters_ready(running.sign_in("admin"))
        yield running


@pytest.fixture(scope="module")
def shared() -> Iterator[Desk]:
    """One product for the tests of a module that do not get into each other's way."""
    with desk() as running:
        running.adapters_ready(running.sign_in("admin"))
        yield running


class People:
    """Opens browsers for people and collects what their pages complain about."""

    def __init__(self, browser: Browser, product: Desk) -> None:
        self.browser = browser
        self.product = product
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def page(
        self, *, width: int = 1440, height: int = 900, locale: str = "en-GB", **more
    ) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, locale=locale, **more
        )
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("console", self._heard)
        page.set_default_timeout(PATIENCE_MS)
        return page

    def agent(
        self,
        email: str = "li.wei@scree.example",
        password: str = "demo-agent-1",
        at: str | None = None,
        **more,
    ) -> Page:
        page = self.page(**more)
        page.goto(f"{at or self.product.api}/console/")
        page.get_by_test_id("signin-email").fill(email)
        page.get_by_test_id("signin-password").fill(password)
        page.get_by_test_id("signin-submit").click()
        page.get_by_test_id("view-mine").wait_for()
        return page

    def customer(self, number: str = "C-1001", **more) -> Page:
        page = self.page(width=1280, height=860, **more)
        page.goto(f"{self.product.shop}/?customer={number}")
        page.get_by_test_id("deskhub-launcher").wait_for()
        return page

    def _heard(self, message) -> None:
        # A refused connection is what these tests cause on purpose.
        if (
            message.type == "error"
            and "Failed to load resource" not in message.text
            and "ERR_" not in message.text
        ):
            self.complaints.append(message.text)

    def close(self) -> None:
        for context in self.contexts:
            context.close()


@pytest.fixture
def people(browser: Browser, product: Desk) -> Iterator[People]:
    found = People(browser, product)
    yield found
    found.close()
    assert [one for one in found.complaints if "WebSocket connection" not in one] == []


@pytest.fixture
def guests(browser: Browser, shared: Desk) -> Iterator[People]:
    """People at the shared product."""
    found = People(browser, shared)
    yield found
    found.close()
    assert [one for one in found.complaints if "WebSocket connection" not in one] == []


def pytest_sessionstart() -> None:
    """Take over what was counted before in this run."""
    CARD.load()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the browser tests counted."""
    lines = CARD.text()
    if lines:
        terminalreporter.section("scorecard")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Keep a picture of every open page when a browser test fails."""
    report = yield
    used = getattr(item, "funcargs", {})
    found = used.get("people") or used.get("guests")
    if report.failed and call.when == "call" and found is not None:
        SHOTS.mkdir(exist_ok=True)
        for index, context in enumerate(found.contexts):
            for page in context.pages:
                # A page that is too busy to be drawn is no reason to lose the other tests.
                with contextlib.suppress(PlaywrightError):
                    page.screenshot(path=SHOTS / f"{item.name}-{index}.png")
    return report
