"""Nobody is there: the message is left in the same conversation, with where the answer goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import SHOTS, People
from tests.e2e.test_main_job import open_conversation, write
from tests.notify.conftest import text_of
from tests.notify.office import Office, office_beside
from tests.notify.test_process import MAIL
from tests.support.desk import Desk, desk, until


@pytest.fixture(scope="module")
def post() -> Iterator[Office]:
    with office_beside() as running:
        yield running


@pytest.fixture(scope="module")
def shared(post: Office) -> Iterator[Desk]:
    """A desk that is closed today and opens tomorrow."""
    day = (datetime.now(UTC) + timedelta(days=1)).strftime("%a").lower()
    hours = f'\n[inboxes.shop.hours]\nzone = "UTC"\n{day} = "09:00-18:00"\n'
    with desk(settings=MAIL.format(port=post.port) + hours) as running:
        running.adapters_ready(running.sign_in("admin"))
        yield running


def chat(guests: People, shared: Desk, **more) -> Page:
    page = guests.page(timezone_id="UTC", **({"width": 1000, "height": 800} | more))
    page.goto(f"{shared.api}/c/shop")
    page.get_by_test_id("deskhub-new").click()
    page.get_by_test_id("deskhub-away").wait_for()
    return page


def test_a_message_left_at_night_is_answered_by_mail_and_goes_on_in_the_chat(
    guests: People, shared: Desk, post: Office
) -> None:
    page = chat(guests, shared)
    expect(page.get_by_test_id("deskhub-away")).to_contain_text("tomorrow at 09:00")
    assert violations(page) == []
    page.get_by_test_id("deskhub-away-address").fill("no address")
    page.get_by_test_id("deskhub-away-save").click()
    expect(page.get_by_role("alert")).to_contain_text("no e-mail address")
    page.get_by_test_id("deskhub-away-address").fill("night@example.org")
    page.get_by_test_id("deskhub-away-save").click()
    expect(page.get_by_test_id("deskhub-away-to")).to_contain_text("n…@example.org")
    expect(page.get_by_test_id("deskhub-input")).to_be_focused()
    write(page, "Is the red one back?")
    expect(page.get_by_test_id("deskhub-log")).to_contain_text("Is the red one back?")
    address = page.url
    page.goto("about:blank")

    # High enough that no row has to be scrolled to.
    console = guests.agent(width=1400, height=4_000)
    console.goto(f"{shared.api}/console/inbox/all")
    open_conversation(console, "Is the red one back?")
    console.locator("textarea").first.fill("It is.")
    console.keyboard.press("Enter")
    until(lambda: bool(post.arrived), "the answer was mailed")
    assert "It is." in text_of(post.arrived[-1])
    assert post.envelopes[-1][1] == ["night@example.org"]

    page.goto(address)
    page.get_by_test_id("deskhub-continue").click()
    log = page.get_by_test_id("deskhub-log")
    expect(log).to_contain_text("Is the red one back?")
    expect(log).to_contain_text("It is.")
    expect(page.get_by_test_id("deskhub-away")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("language", "words"), [("zh-CN", "明天 09:00"), ("ar", "غدًا الساعة")])
def test_the_notice_is_readable_on_a_phone_in_other_languages(
    guests: People, shared: Desk, scheme: str, language: str, words: str
) -> None:
    page = chat(guests, shared, width=390, height=700, locale=language, color_scheme=scheme)
    page.evaluate("(tag) => DeskhubChat('language', tag)", language)
    expect(page.get_by_test_id("deskhub-away")).to_contain_text(words)
    assert violations(page) == []
    field = page.get_by_test_id("deskhub-away-address")
    # A smaller field makes an iPhone zoom in.
    assert field.evaluate("(one) => getComputedStyle(one).fontSize") == "16px"
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"away-{language}-{scheme}.png")
