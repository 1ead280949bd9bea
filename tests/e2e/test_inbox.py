"""The inbox: unread apart from waiting, one sound, a list that holds still, many at once."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.test_composer import asked, at_desk
from tests.support.desk import Desk

# Two notes are one sound.
LISTEN = """
  window.__tones = 0;
  const made = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () {
    window.__tones += 1;
    return made.call(this);
  };
"""


def row(page: Page, conversation: str):
    return page.locator(f"[data-conversation='{conversation}']")


def test_opening_leaves_unread_to_reading_and_waiting_to_answering(
    guests: People, shared: Desk
) -> None:
    talk = asked(shared, "C-1001", "Nobody has read this")
    page = guests.agent()
    # A window behind another one: it is open, and nobody looks.
    page.evaluate("() => { Document.prototype.hasFocus = () => window.__looks === true; }")
    page.get_by_test_id("view-all").click()
    row(page, talk).click()
    expect(page.get_by_test_id("timeline")).to_contain_text("Nobody has read this")
    page.wait_for_timeout(2500)
    expect(row(page, talk)).to_have_class(re.compile(r"\bunread\b"))

    page.evaluate("() => { window.__looks = true; }")

    expect(row(page, talk)).not_to_have_class(re.compile(r"\bunread\b"))
    expect(row(page, talk).locator("[data-due]")).to_be_visible()
    page.get_by_test_id("composer").fill("Now somebody has")
    page.get_by_test_id("composer").press("Enter")
    expect(row(page, talk).locator("[data-due]")).to_have_count(0)


def test_three_tabs_of_a_new_colleague_make_one_sound(guests: People, shared: Desk) -> None:
    first = guests.page()
    first.context.add_init_script(LISTEN)
    first.goto(f"{shared.api}/console/")
    first.get_by_test_id("signin-email").fill("sara.lind@scree.example")
    first.get_by_test_id("signin-password").fill("demo-agent-2")
    first.get_by_test_id("signin-submit").click()
    first.get_by_test_id("view-mine").wait_for()
    tabs = [first, *(first.context.new_page() for _ in range(2))]
    for tab in tabs[1:]:
        tab.goto(f"{shared.api}/console/")
        tab.get_by_test_id("view-mine").wait_for()
    for tab in tabs:
        tab.get_by_test_id("view-all").click()

    talk = asked(shared, "C-1009", "Is anybody there?")

    for tab in tabs:
        row(tab, talk).wait_for()
    first.wait_for_timeout(1000)
    assert sum(tab.evaluate("() => window.__tones") for tab in tabs) == 2


def test_a_row_under_the_pointer_stays_while_fifty_messages_come(
    guests: People, shared: Desk
) -> None:
    talks = {name: shared.visitor(name) for name in ("C-1002", "C-1003", "C-1004")}
    for name in talks:
        asked(shared, name)
    page = guests.agent()
    page.get_by_test_id("view-all").click()
    under = page.locator("[data-conversation]").nth(1)
    under.hover()
    name, before = under.get_attribute("data-conversation"), under.bounding_box()

    for number in range(50):
        one = list(talks.values())[number % 3]
        body = {"body": {"kind": "text", "text": f"line {number}"}}
        shared.post("/api/v1/conversations", body, one["token"])
        # People do not write faster than the hub allows.
        page.wait_for_timeout(180)

    expect(page.get_by_text("line 49").first).to_be_visible()
    assert row(page, str(name)).bounding_box() == before
    page.mouse.move(900, 400)
    expect(page.locator("[data-conversation]").first).to_contain_text("line 49")


def test_every_shortcut_is_in_the_sheet_and_none_is_the_browsers(
    guests: People, shared: Desk
) -> None:
    page = at_desk(guests, shared, asked(shared, "C-1005"))
    page.locator("body").press("?")
    sheet = page.get_by_test_id("help")
    expect(sheet).to_be_visible()
    assert violations(page) == []
    listed = set(sheet.locator("dt").all_inner_texts())
    keys = sheet.locator("dd").all_inner_texts()

    assert {
        "Next conversation", "Write a reply", "Write a note", "Close or reopen", "Snooze",
        "Edit your last message (in an empty reply box)",
    } <= listed  # fmt: skip
    assert len(listed) == sheet.locator("dt").count()
    # Alt and Ctrl with a letter are the browser's, but for the palette that everybody has.
    with_control = [one for one in keys if "Ctrl" in one]
    assert [re.sub(r"\s", "", one).upper() for one in with_control] == ["CTRLK"]
    assert not [one for one in keys if "Alt" in one]


def test_several_are_snoozed_at_once_and_come_back(guests: People, shared: Desk) -> None:
    talks = [asked(shared, f"C-10{number}") for number in (10, 11)]
    page = guests.agent()
    page.get_by_test_id("view-all").click()
    for talk in talks:
        row(page, talk).locator(".pick").click()
    expect(page.get_by_test_id("bulk")).to_contain_text("2 selected")

    page.get_by_test_id("bulk-snooze").click()
    assert violations(page) == []
    page.locator("[data-pick=tomorrow]").click()

    expect(page.get_by_test_id("bulk")).to_have_count(0)
    expect(page.get_by_text("2 conversations snoozed until")).to_be_visible()
    for talk in talks:
        expect(row(page, talk)).to_contain_text("snoozed")
    page.get_by_role("button", name="Undo").click()
    for talk in talks:
        expect(row(page, talk)).not_to_contain_text("snoozed")
    states = [
        shared.get(f"/api/v1/conversations/{talk}", shared.sign_in())["conversation"]["state"]
        for talk in talks
    ]
    assert states == ["open", "open"]


def test_who_waits_for_an_answer_has_a_clock(guests: People, shared: Desk) -> None:
    """The demo's inbox promises an answer; the chip says how long is left."""
    talk = asked(shared, "C-1012")
    page = guests.agent(locale="zh-CN")
    page.get_by_test_id("view-all").click()

    chip = row(page, talk).locator("[data-due=ok]")
    expect(chip).to_be_visible()
    expect(chip).to_contain_text("30")
