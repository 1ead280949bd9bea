"""The same order in every system, side by side."""

import pytest
from playwright.sync_api import expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.scorecard import CARD
from tests.e2e.test_costs import ready, waiting
from tests.e2e.test_main_job import open_conversation
from tests.support.desk import Desk


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "zh-CN")])
def test_systems_stand_side_by_side(
    guests: People, shared: Desk, theme: str, language: str
) -> None:
    waiting(guests, shared, "C-1001", "Wang Fang").close()
    page = guests.agent(color_scheme=theme, locale=language, reduced_motion="reduce")
    page.get_by_test_id("view-all").click()
    open_conversation(page, "Wang Fang")
    ready(page)

    page.get_by_test_id("actions").click()
    page.locator("[data-pick=compare]").click()

    expect(page.get_by_test_id("compare-verdict")).to_be_visible()
    expect(page.locator(".compare")).to_contain_text("¥428.00")
    broken = violations(page)
    CARD.violated("compare", f"{theme} {language}", len(broken))
    assert broken == []
