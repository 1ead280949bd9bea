"""The composer: edits, mentions, input methods, and two agents who answer at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.test_main_job import open_chat, open_conversation, write
from tests.support.desk import Desk

ADA = ("ada@scree.example", "demo-admin-1")


def asked(product: Desk, customer: str, text: str = "Hello?") -> str:
    """Let *customer* write; return the conversation."""
    visitor = product.visitor(customer)
    body = {"body": {"kind": "text", "text": text}}
    opened = product.post("/api/v1/conversations", body, visitor["token"])
    return str(opened["conversation"])


def at_desk(guests: People, product: Desk, conversation: str, *who: str, **more) -> Page:
    page = guests.agent(*who, **more)
    page.goto(f"{product.api}/console/inbox/all/{conversation}")
    page.get_by_test_id("composer").wait_for()
    expect(page.get_by_test_id("timeline")).not_to_have_text("")
    return page


def test_the_last_message_is_edited_and_both_sides_see_it(guests: People, shared: Desk) -> None:
    shop = guests.customer("C-1001")
    open_chat(shop)
    write(shop, "When does it come?")
    page = guests.agent()
    page.get_by_test_id("view-all").click()
    open_conversation(page, "Wang Fang")
    composer = page.get_by_test_id("composer")
    composer.fill("It comes on Tusday")
    composer.press("Enter")
    expect(shop.get_by_test_id("deskhub-log")).to_contain_text("Tusday")

    composer.press("ArrowUp")
    expect(page.get_by_test_id("editing")).to_contain_text("Edit your message")
    expect(composer).to_have_value("It comes on Tusday")
    assert violations(page) == []
    composer.fill("It comes on Tuesday")
    composer.press("Enter")

    expect(page.get_by_test_id("editing")).to_have_count(0)
    expect(composer).to_have_value("")
    expect(page.get_by_test_id("timeline")).not_to_contain_text("Tusday")
    log = shop.get_by_test_id("deskhub-log")
    expect(log).to_contain_text("It comes on Tuesday")
    expect(log).not_to_contain_text("Tusday")
    expect(shop.get_by_test_id("deskhub-edited")).to_have_text("Edited")
    assert violations(shop) == []
    mark = page.get_by_test_id("edited")
    mark.click()
    expect(page.get_by_role("list", name="What it said before")).to_have_text(
        "It comes on Tusday"
    )
    assert violations(page) == []
    page.reload()
    expect(page.get_by_test_id("timeline")).to_contain_text("It comes on Tuesday")
    expect(page.get_by_test_id("timeline")).not_to_contain_text("Tusday")
    row = page.locator("[data-conversation]", has_text="Wang Fang")
    expect(row).to_contain_text("It comes on Tuesday")


def test_an_edit_survives_a_reload_and_escape_gives_it_up(guests: People, shared: Desk) -> None:
    page = at_desk(guests, shared, asked(shared, "C-1002"))
    composer = page.get_by_test_id("composer")
    composer.fill("first")
    composer.press("Enter")
    expect(page.get_by_test_id("edit-own")).to_be_attached()
    page.locator("li.out", has_text="first").hover()
    page.get_by_test_id("edit-own").click()
    composer.fill("first and a half")

    page.reload()

    expect(composer).to_have_value("first and a half")
    composer.press("Escape")
    expect(composer).to_have_value("")
    expect(page.get_by_test_id("timeline")).to_contain_text("first")
    expect(page.get_by_test_id("edited")).to_have_count(0)


def test_two_windows_of_one_agent_do_not_overwrite_each_other(
    guests: People, shared: Desk
) -> None:
    talk = asked(shared, "C-1003")
    here = at_desk(guests, shared, talk)
    there = at_desk(guests, shared, talk)
    here.get_by_test_id("composer").fill("one")
    here.get_by_test_id("composer").press("Enter")
    expect(there.get_by_test_id("timeline")).to_contain_text("one")
    for page in (here, there):
        expect(page.locator("[data-testid=pending]")).to_have_count(0)
        page.get_by_test_id("composer").press("ArrowUp")
        expect(page.get_by_test_id("composer")).to_have_value("one")

    here.get_by_test_id("composer").fill("from here")
    here.get_by_test_id("composer").press("Enter")
    expect(there.get_by_test_id("timeline")).to_contain_text("from here")
    there.get_by_test_id("composer").fill("from there")
    there.get_by_test_id("composer").press("Enter")

    strip = there.get_by_test_id("editing")
    expect(strip).to_contain_text("in another window")
    expect(there.get_by_test_id("composer")).to_have_value("from there")
    assert violations(there) == []
    there.get_by_test_id("composer").press("Enter")
    expect(here.get_by_test_id("timeline")).to_contain_text("from there")


@pytest.mark.parametrize("typed", ["@sa", "＠sara l"])
def test_a_colleague_is_called_by_key(guests: People, shared: Desk, typed: str) -> None:
    page = at_desk(guests, shared, asked(shared, "C-1004"))
    page.get_by_test_id("tab-note").click()
    composer = page.get_by_test_id("composer")
    composer.press_sequentially(f"Please ask {typed}")

    menu = page.get_by_test_id("mention-menu")
    expect(menu.get_by_role("option", selected=True)).to_contain_text("Sara Lind")
    expect(composer).to_have_attribute("aria-activedescendant", re.compile("-0$"))
    assert violations(page) == []
    composer.press("Enter")

    expect(composer).to_have_value("Please ask @Sara Lind ")
    expect(menu).to_have_count(0)
    composer.press("Enter")
    expect(page.locator(".mention").last).to_have_text("@Sara Lind")


def test_the_menu_of_colleagues_opens_where_a_name_begins(guests: People, shared: Desk) -> None:
    page = at_desk(guests, shared, asked(shared, "C-1005"))
    page.get_by_test_id("tab-note").click()
    composer = page.get_by_test_id("composer")
    composer.press_sequentially("ada@scree.example and @")

    menu = page.get_by_test_id("mention-menu")
    expect(menu.get_by_role("option")).to_have_count(3)
    composer.press("ArrowDown")
    expect(menu.get_by_role("option", selected=True)).to_contain_text("Sara Lind")
    composer.press("Escape")
    expect(menu).to_have_count(0)
    composer.press("Backspace")
    composer.press_sequentially("li.wei@sara")
    expect(menu).to_have_count(0)
    page.get_by_test_id("tab-reply").click()
    composer.fill("@sa")
    expect(menu).to_have_count(0)


@pytest.mark.parametrize("mode", ["reply", "note"])
def test_enter_of_an_input_method_sends_nothing(
    guests: People, shared: Desk, mode: str
) -> None:
    page = at_desk(guests, shared, asked(shared, "C-1006"))
    page.get_by_test_id(f"tab-{mode}").click()
    composer = page.get_by_test_id("composer")
    composer.focus()
    if mode == "note":
        composer.press_sequentially("@")
        expect(page.get_by_test_id("mention-menu")).to_be_visible()
    before = page.locator("[data-seq]").count()
    keyboard = page.context.new_cdp_session(page)
    composing = {"selectionStart": 2, "selectionEnd": 2}

    keyboard.send("Input.imeSetComposition", {"text": "li", **composing})
    for key in ("Enter", "ArrowDown", "ArrowUp"):
        pressed = {"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": 229}
        keyboard.send("Input.dispatchKeyEvent", pressed)

    expect(composer).to_have_value("@li" if mode == "note" else "li")
    assert page.locator("[data-seq]").count() == before
    assert page.get_by_test_id("pending").count() == 0
    if mode == "note":
        chosen = page.get_by_test_id("mention-menu").get_by_role("option", selected=True)
        expect(chosen).to_have_count(1)
    keyboard.send("Input.insertText", {"text": "您好"})
    expect(composer).to_have_value("@您好" if mode == "note" else "您好")
    composer.fill("")


def test_a_colleague_who_answered_first_is_seen_before_sending(
    guests: People, shared: Desk
) -> None:
    talk = asked(shared, "C-1007")
    mine = at_desk(guests, shared, talk)
    theirs = at_desk(guests, shared, talk, *ADA)
    mine.get_by_test_id("composer").fill("We have all of these in stock")
    row = theirs.locator(f"[data-conversation='{talk}']")
    expect(row).to_contain_text("Li Wei is replying")

    theirs.get_by_test_id("composer").fill("Yes, all of them")
    theirs.get_by_test_id("composer").press("Enter")
    expect(mine.get_by_test_id("collision")).to_contain_text("Ada Admin replied")
    assert violations(mine) == []
    mine.get_by_test_id("composer").press("Enter")

    expect(mine.get_by_test_id("collision")).to_contain_text("again")
    expect(mine.get_by_test_id("composer")).to_have_value("We have all of these in stock")
    expect(theirs.get_by_test_id("timeline")).not_to_contain_text("in stock")
    mine.get_by_test_id("composer").press("Enter")
    expect(theirs.get_by_test_id("timeline")).to_contain_text("in stock")
