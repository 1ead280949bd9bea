"""Above a limit two people are needed, on one digest, by mouse or by keys alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.scorecard import CARD
from tests.e2e.test_costs import ready, waiting
from tests.e2e.test_main_job import ONCE, open_conversation
from tests.support.desk import Desk, desk

LEAD = ("zhou.min@scree.example", "demo-lead-1")


@pytest.fixture
def shared() -> Iterator[Desk]:
    """A hub whose agents may move 300 yuan alone."""
    with desk() as running:
        with (running.folder / "hub.toml").open("a") as settings:
            settings.write('\n[actions.limits]\nagent = "300.00 CNY"\n')
        running.kill()
        running.start()
        running.adapters_ready(running.sign_in("admin"))
        yield running


def test_a_second_person_approves_exactly_what_was_asked(guests: People, shared: Desk) -> None:
    agent = asked(guests, shared)
    agent.get_by_test_id("keep-working").click()
    lead = guests.agent(*LEAD)
    lead.goto(f"{shared.api}/console/attention/approvals")
    lead.get_by_test_id("review").click()
    dialog = lead.get_by_test_id("approval-dialog")
    expect(dialog).to_contain_text("Li Wei")
    expect(dialog.get_by_test_id("plan")).to_contain_text("¥399.00")
    broken = violations(lead)
    CARD.violated("approval", "light en", len(broken))

    lead.keyboard.press("Control+Enter")

    expect(agent.locator("[data-testid=run][data-state=completed]").first).to_be_visible()
    expect(agent.get_by_test_id("timeline")).to_contain_text("Zhou Min approved")
    assert {name: shared.effects(name) for name in ONCE} == ONCE
    assert broken == []


def test_a_refusal_comes_back_with_its_reason(guests: People, shared: Desk) -> None:
    agent = asked(guests, shared)
    lead = guests.agent(*LEAD)
    lead.goto(f"{shared.api}/console/attention/approvals")
    lead.get_by_test_id("review").click()
    lead.get_by_test_id("refuse").click()
    lead.get_by_test_id("refuse-reason").fill("Ask for a picture first.")

    lead.keyboard.press("Control+Enter")

    expect(agent.locator("[data-testid=approval][data-state=refused]")).to_contain_text(
        "Ask for a picture first."
    )
    assert shared.effects("payments").get("refund", 0) == 0


def asked(guests: People, product: Desk) -> Page:
    """An agent whose preview is with a second person."""
    page = waiting(guests, product, "C-1001", "Wang Fang")
    open_conversation(page, "Wang Fang")
    ready(page)
    page.keyboard.press("Shift+R")
    page.get_by_test_id("preview").click()
    expect(page.locator("[data-testid=approval][data-state=needed]")).to_contain_text("¥300.00")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-testid=approval][data-state=asked]")).to_be_visible()
    return page
