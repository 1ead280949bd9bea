"""The form before a conversation: an admin sets it, a customer fills it in, an agent reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import SHOTS, People
from tests.e2e.scorecard import CARD
from tests.e2e.test_main_job import open_conversation, write
from tests.support.desk import Desk, call

ADA = ("ada@scree.example", "demo-admin-1")
HERE = "/api/v1/inboxes/shop/prechat"
FORM = {
    "type": "object",
    "title": "Before we start",
    "x-title": {"zh-CN": "开始之前", "ar": "قبل أن نبدأ"},
    "properties": {
        "name": {"type": "string", "title": "Your name", "x-title": {"zh-CN": "您的姓名"}},
        "email": {
            "type": "string", "format": "email", "title": "E-mail",
            "x-title": {"zh-CN": "电子邮箱", "ar": "البريد الإلكتروني"},
        },
        "topic": {
            "type": "string",
            "title": "What is it about?",
            "x-title": {"zh-CN": "关于什么？", "ar": "ما موضوع سؤالك؟"},
            "oneOf": [
                {"const": "order", "title": "An order", "x-title": {"zh-CN": "订单", "ar": "طلب"}},
                {"const": "other", "title": "Something else", "x-title": {"ar": "شيء آخر"}},
            ],
        },
        "more": {"type": "string", "title": "More", "x-ui": {"widget": "textarea"}},
        "terms": {
            "type": "boolean", "title": "I have read the terms",
            "x-title": {"ar": "قرأت الشروط"},
        },
    },
    "required": ["email", "topic", "terms"],
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def asked(shared: Desk) -> Iterator[None]:
    """The shop's inbox asks, also for those tests that do not set it."""
    put(shared, FORM)
    yield
    put(shared, None)


def put(shared: Desk, form: object) -> None:
    call("PUT", f"{shared.api}{HERE}", {"form": form}, token=shared.sign_in("admin"))


def chat(guests: People, shared: Desk, **more) -> Page:
    page = guests.page(**({"width": 1000, "height": 800} | more))
    page.goto(f"{shared.api}/c/shop")
    return page


def field(page: Page, name: str):
    return page.get_by_test_id(f"deskhub-prechat-{name}")


def test_an_admin_writes_a_form_and_is_told_what_is_wrong_with_it(
    guests: People, shared: Desk
) -> None:
    put(shared, None)
    page = guests.agent(*ADA)
    page.goto(f"{shared.api}/console/inboxes")
    page.locator("[data-inbox=shop]").get_by_test_id("prechat-edit").click()
    source, faults = (
        page.get_by_test_id("prechat-source"),
        page.get_by_test_id("prechat-faults"),
    )
    expect(page.get_by_test_id("prechat-preview")).to_contain_text("What is it about?")

    source.fill('{\n  "type": "object",\n  oops\n}')
    expect(faults).to_contain_text("line 3")
    expect(page.get_by_test_id("prechat-save")).to_be_disabled()
    bad = FORM | {"properties": {"age": {"type": "number", "title": "Age"}}, "required": []}
    source.fill(json.dumps(bad))
    expect(faults).to_contain_text("properties.age.type")
    assert violations(page) == []
    source.fill(json.dumps(FORM, ensure_ascii=False, indent=2))
    expect(faults).to_be_empty()
    page.get_by_test_id("prechat-language").select_option("ar")
    expect(page.get_by_test_id("prechat-preview")).to_contain_text("ما موضوع سؤالك؟")
    found = violations(page)
    CARD.violated("form before a chat, console", "light en", len(found))
    assert found == []
    page.get_by_test_id("prechat-save").click()

    expect(page.get_by_test_id("prechat-dialog")).to_have_count(0)
    edit = page.locator("[data-inbox=shop]").get_by_test_id("prechat-edit")
    expect(edit).to_contain_text("5 questions")


def test_a_customer_answers_before_writing_and_the_agent_reads_it_beside(
    guests: People, shared: Desk
) -> None:
    page = chat(guests, shared)
    # What a quick question would say waits behind the form.
    page.get_by_role("button", name="Find my size").click()
    expect(field(page, "name")).to_be_focused()
    expect(page.get_by_test_id("deskhub-input")).to_have_count(0)
    assert violations(page) == []

    page.get_by_test_id("deskhub-prechat-go").click()
    expect(field(page, "email")).to_be_focused()
    expect(page.locator(".dh-pre .bad")).to_have_count(3)
    assert violations(page) == []
    field(page, "name").fill("Grace Hopper")
    field(page, "email").fill("grace@nowhere")
    field(page, "topic").select_option("order")
    field(page, "terms").check()
    page.get_by_test_id("deskhub-prechat-go").click()
    expect(page.locator(".dh-pre .bad")).to_have_text(
        "This is no e-mail address. Please check it."
    )
    field(page, "email").fill("grace@example.org")
    page.keyboard.press("Enter")

    expect(page.get_by_test_id("deskhub-input")).to_be_focused()
    expect(page.get_by_test_id("deskhub-input")).to_have_value("Can you help me find my size?")
    write(page, "Does the red one run small?")
    expect(page.get_by_test_id("deskhub-log")).to_contain_text("Does the red one run small?")
    page.reload()
    page.get_by_test_id("deskhub-continue").click()
    expect(page.get_by_test_id("deskhub-input")).to_be_visible()

    agent = guests.agent(width=1600, height=2_000)
    agent.get_by_test_id("view-all").click()
    open_conversation(agent, "Does the red one run small?")
    answers = agent.get_by_test_id("prechat-answers")
    expect(answers).to_contain_text("Grace Hopper")
    expect(answers).to_contain_text("An order")
    expect(answers).to_contain_text("Yes")
    assert violations(agent) == []


def test_who_wrote_while_the_form_was_switched_on_is_asked_and_loses_nothing(
    guests: People, shared: Desk
) -> None:
    put(shared, None)
    page = chat(guests, shared)
    page.get_by_test_id("deskhub-new").click()
    page.get_by_test_id("deskhub-input").wait_for()

    put(shared, FORM | {"required": ["email"]})
    write(page, "Am I too early?")
    field(page, "email").fill("early@example.org")
    page.get_by_test_id("deskhub-prechat-go").click()

    log = page.get_by_test_id("deskhub-log")
    expect(log.get_by_text("Am I too early?")).to_have_count(1)
    expect(page.get_by_test_id("deskhub-input")).to_be_visible()
    expect(log).not_to_contain_text("Not sent")
    put(shared, FORM)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("language", "title"), [("zh-CN", "关于什么？"), ("ar", "ما موضوع سؤالك؟")]
)
def test_the_form_is_readable_on_a_phone(
    guests: People, shared: Desk, scheme: str, language: str, title: str
) -> None:
    page = chat(
        guests, shared, width=390, height=740, locale=language, color_scheme=scheme,
        reduced_motion="reduce",
    )  # fmt: skip
    page.get_by_test_id("deskhub-new").wait_for()
    page.evaluate("(tag) => DeskhubChat('language', tag)", language)
    page.get_by_test_id("deskhub-new").click()
    form = page.get_by_test_id("deskhub-prechat")
    expect(form).to_contain_text(title)
    page.get_by_test_id("deskhub-prechat-go").click()
    expect(page.locator(".dh-pre .bad")).to_have_count(3)

    found = violations(page)
    CARD.violated("form before a chat, phone", f"{scheme} {language}", len(found))
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"prechat-{language}-{scheme}.png")

    assert found == []
    assert form.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    font = field(page, "email").evaluate("(one) => getComputedStyle(one).fontSize")
    # A smaller field makes an iPhone zoom in.
    assert font == "16px"
