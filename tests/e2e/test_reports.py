"""Ratings end to end, and the pages that count them: asked, answered, shown, reported."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import SHOTS, People
from tests.e2e.scorecard import CARD
from tests.support.desk import Desk, until

LEAD = ("zhou.min@scree.example", "demo-lead-1")


def closed_talk(product: Desk, customer: str) -> str:
    """Have *customer* ask, an agent answer and close; return the conversation."""
    visitor = product.visitor(customer)["token"]
    said = {"body": {"kind": "text", "text": "Are these shoes waterproof?"}}
    conversation = str(product.post("/api/v1/conversations", said, visitor)["conversation"])
    agent = product.sign_in()
    here = f"/api/v1/conversations/{conversation}"
    me = product.get("/api/v1/agents/me", agent)["id"]
    product.post(f"{here}/assign", {"agent": me}, agent)
    product.post(f"{here}/messages", {"kind": "text", "text": "Yes, they are."}, agent)
    product.post(f"{here}/close", {}, agent)
    return conversation


def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def look(page: Page, screen: str, theme: str, language: str) -> None:
    """Find no rule of accessibility broken, and let the scorecard know."""
    found = violations(page)
    CARD.violated(screen, f"{theme} {language}", len(found))
    assert found == []


def test_a_customer_is_asked_once_and_the_agent_sees_the_answer(
    guests: People, shared: Desk
) -> None:
    shop = guests.customer("C-1009")
    shop.get_by_test_id("deskhub-launcher").click()
    shop.get_by_test_id("deskhub-new").click()
    field = shop.get_by_test_id("deskhub-input")
    field.fill("Do you repair zips?")
    field.press("Enter")
    agent = guests.agent()
    agent.goto(f"{shared.api}/console/inbox/all")
    agent.locator("[data-conversation]", has_text="Do you repair zips?").click()
    composer = agent.get_by_test_id("composer")
    composer.fill("We do, send it in.")
    composer.press("Enter")
    expect(shop.get_by_text("We do, send it in.")).to_be_visible()
    expect(shop.get_by_test_id("deskhub-rate")).to_have_count(0)

    agent.get_by_test_id("close").click()
    question = shop.get_by_test_id("deskhub-rate")
    expect(question).to_be_visible()
    assert violations(shop, "#deskhub-chat") == []
    expect(shop.get_by_test_id("deskhub-rate-send")).to_be_disabled()
    shop.get_by_test_id("deskhub-score-4").check(force=True)
    shop.get_by_test_id("deskhub-comment").fill("Quick 👍 <b>really</b>")
    shoot(shop, "rating")
    shop.get_by_test_id("deskhub-rate-send").click()
    expect(shop.get_by_test_id("deskhub-rated")).to_be_visible()

    line = agent.locator("[data-kind='conversation.rated']")
    expect(line).to_contain_text("Quick 👍 <b>really</b>")
    expect(agent.get_by_test_id("score").first).to_contain_text("4/5")
    assert violations(agent) == []

    # Once is enough: neither a reload nor another device of theirs asks again.
    shop.reload()
    shop.get_by_test_id("deskhub-launcher").click()
    into_the_talk(shop)
    expect(shop.get_by_text("We do, send it in.").first).to_be_visible()
    shop.wait_for_timeout(500)
    expect(shop.get_by_test_id("deskhub-rate")).to_have_count(0)


def test_the_question_is_skipped_for_good_and_comes_back_with_the_next_closing(
    guests: People, shared: Desk
) -> None:
    shop = guests.customer("C-1010", locale="zh-CN")
    shop.get_by_test_id("deskhub-launcher").click()
    shop.get_by_test_id("deskhub-new").click()
    field = shop.get_by_test_id("deskhub-input")
    field.fill("还有货吗？")
    field.press("Enter")
    agent = shared.sign_in()
    conversation = waiting_for(shared, agent, "还有货吗？")
    here = f"/api/v1/conversations/{conversation}"
    shared.post(f"{here}/close", {}, agent)
    question = shop.get_by_test_id("deskhub-rate")
    expect(question).to_contain_text("这次服务怎么样？")
    shoot(shop, "rating-zh")

    shop.get_by_test_id("deskhub-skip").click()
    expect(question).to_have_count(0)
    shop.reload()
    shop.get_by_test_id("deskhub-launcher").click()
    into_the_talk(shop)
    shop.wait_for_timeout(500)
    expect(question).to_have_count(0)

    shared.post(f"{here}/reopen", {}, agent)
    shared.post(f"{here}/close", {}, agent)
    expect(question).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_reports_and_the_live_page_are_readable(
    guests: People, shared: Desk, theme: Any, language: str
) -> None:
    closed_talk(shared, "C-1011")
    page = guests.agent(*LEAD, locale=language, color_scheme=theme, reduced_motion="reduce")

    page.goto(f"{shared.api}/console/reports/overview")
    tile = page.locator("[data-figure=closed]")
    expect(tile).to_be_visible()
    expect(page.locator(".plot canvas")).to_have_count(4)
    shoot(page, f"reports-{theme}-{language}")
    page.get_by_test_id("report-days").locator("summary").click()
    page.get_by_test_id("report-means").locator("summary").click()
    look(page, "report overview", theme, language)
    for report in ("agents", "inboxes", "tags", "ratings"):
        page.get_by_test_id(f"report-{report}").click()
        body = page.get_by_test_id("report-body")
        expect(body).to_have_attribute("aria-busy", "false")
        look(page, f"report {report}", theme, language)
    page.goto(f"{shared.api}/console/live")
    expect(page.get_by_test_id("live-agents")).to_be_visible()
    look(page, "live", theme, language)
    shoot(page, f"live-{theme}-{language}")


def test_a_lead_chooses_days_saves_the_table_and_shares_the_address(
    guests: People, shared: Desk, tmp_path: Path
) -> None:
    closed_talk(shared, "C-1012")
    page = guests.agent(*LEAD)
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.get_by_test_id("reports")).to_be_visible()
    page.get_by_test_id("range-7").click()
    expect(page).to_have_url(f"{shared.api}/console/reports/overview?range=7")
    page.get_by_test_id("range-custom").click()
    page.get_by_test_id("range-from").fill("2026-02-10")
    page.get_by_test_id("range-to").fill("2026-02-01")
    expect(page.get_by_test_id("range-apply")).to_be_disabled()
    page.get_by_test_id("range-to").fill("2026-02-12")
    page.get_by_test_id("range-apply").click()
    expect(page).to_have_url(
        f"{shared.api}/console/reports/overview?range=2026-02-10_2026-02-12"
    )
    page.reload()
    expect(page.get_by_test_id("range-to")).to_have_value("2026-02-12")
    page.get_by_test_id("range-30").click()
    page.get_by_test_id("report-agents").click()
    expect(page.get_by_test_id("report-table")).to_contain_text("Li Wei")

    with page.expect_download() as saved:
        page.get_by_test_id("report-csv").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"))))
    assert int(next(row for row in rows if row["name"] == "Li Wei")["closed"]) >= 1


def test_the_live_page_moves_by_itself(guests: People, shared: Desk) -> None:
    page = guests.agent(*LEAD)
    page.keyboard.press("g")
    page.keyboard.press("l")
    tile = page.locator("[data-figure=open] .value")
    tile.wait_for()
    before = int(tile.inner_text())

    visitor = shared.visitor("C-1013")["token"]
    said = {"body": {"kind": "text", "text": "Hello?"}}
    shared.post("/api/v1/conversations", said, visitor)

    expect(tile).to_have_text(str(before + 1))
    expect(page.locator("[data-figure=waiting] .more")).not_to_be_empty()


def test_an_agent_is_offered_no_reports(guests: People, shared: Desk) -> None:
    page = guests.agent()

    expect(page.locator(".rail a[href='/console/customers']")).to_be_visible()
    expect(page.locator(".rail a[href^='/console/reports']")).to_have_count(0)
    page.goto(f"{shared.api}/console/reports/overview")
    expect(page.get_by_role("alert")).to_be_visible()


def waiting_for(product: Desk, agent: str, text: str) -> str:
    """Return the conversation that says *text*, once it is there."""
    found: list[str] = []

    def look() -> bool:
        views = product.get("/api/v1/conversations?view=all", agent)["conversations"]
        found[:] = [one["id"] for one in views if (one["last"] or {}).get("text") == text]
        return bool(found)

    until(look, f"somebody said {text}")
    return found[0]


def into_the_talk(page: Page) -> None:
    """Go to the conversation, wherever the widget opens."""
    row = page.get_by_test_id("deskhub-continue")
    field = page.get_by_test_id("deskhub-input")
    expect(row.or_(field).first).to_be_visible()
    if row.count():
        row.first.click()
    field.wait_for()
