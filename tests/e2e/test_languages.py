"""Other languages than ours, and other ways to look: long words, right to left, few colours."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, Route, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import SHOTS, People
from tests.e2e.pseudo import OPEN, catalogue
from tests.e2e.scorecard import CARD
from tests.e2e.test_main_job import open_conversation, write
from tests.support.desk import Desk

# Words of the frame around what people and systems said; keys and names are no words.
_CHROME = """(open) => [...document.querySelectorAll(
    "button, label, h1, th, [placeholder], nav a, [role=tab], .tab, summary")]
  .filter((one) => one.offsetParent && !one.closest(".card, .row, .bubble, [data-invoke]"))
  .flatMap((one) => {
    const own = [...one.childNodes].filter((node) => node.nodeType === 3);
    const texts = own.map((node) => node.textContent);
    for (const name of ["aria-label", "placeholder", "title"]) texts.push(one.getAttribute(name));
    return texts.filter((text) => /[A-Za-z]{3}/.test(text ?? "") && !text.includes(open));
  })"""
_WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Names of people, inboxes and systems are data.
_DATA = re.compile(r"^(Li Wei|Wang Fang|Scree support|Ctrl K|\u4e2d\u6587|English)")


def talked(desk: Desk) -> None:
    body = {"kind": "text", "text": "I want to return my shoes."}
    token = desk.visitor("C-1001")["token"]
    desk.post("/api/v1/conversations", {"body": body}, token)


def pseudo(route: Route) -> None:
    """Answer with the pseudo-locale where the console asks for its Chinese texts."""
    told = json.dumps(catalogue("en"))
    route.fulfill(content_type="text/javascript", body=f"export default {told};")


def show(page: Page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def console(guests: People, shared: Desk, **look: str) -> Page:
    """Open the console in the pseudo-locale, at a conversation."""
    talked(shared)
    page = guests.page(locale="zh-CN", reduced_motion="reduce", **look)
    page.route(re.compile(r"/console/assets/zh-CN-[^/]*\.js$"), pseudo)
    page.goto(f"{shared.api}/console/inbox/all")
    page.get_by_test_id("signin-email").fill("li.wei@scree.example")
    page.get_by_test_id("signin-password").fill("demo-agent-1")
    page.get_by_test_id("signin-submit").click()
    open_conversation(page, "Wang Fang")
    page.locator("[data-instance=orders][data-state=ok]").first.wait_for()
    return page


def test_the_console_says_nothing_that_cannot_be_translated(
    guests: People, shared: Desk
) -> None:
    page = console(guests, shared)

    show(page, "pseudo")
    said = [one for one in page.evaluate(_CHROME, OPEN) if not _DATA.match(one.strip())]
    assert said == []
    # Four tenths longer, and still nothing pushes the page out of its frame.
    assert page.evaluate(_WIDER) <= 0


def test_the_console_is_whole_from_right_to_left(guests: People, shared: Desk) -> None:
    page = console(guests, shared)

    page.evaluate("() => { document.documentElement.dir = 'rtl'; }")

    show(page, "console-rtl")
    rail = page.locator(".rail").bounding_box()
    listed = page.locator(".list").bounding_box()
    talk = page.locator("main.conv").bounding_box()
    assert rail is not None
    assert listed is not None
    assert talk is not None
    assert rail["x"] > listed["x"] > talk["x"]
    assert page.evaluate(_WIDER) <= 0
    found = violations(page)
    CARD.violated("console, rtl", "light en", len(found))
    assert found == []


def test_the_widget_speaks_arabic_from_right_to_left(guests: People, shared: Desk) -> None:
    shop = guests.customer("C-1007", locale="ar", reduced_motion="reduce")
    shop.evaluate("() => { document.documentElement.lang = ''; }")
    shop.get_by_test_id("deskhub-launcher").click()
    panel = shop.get_by_test_id("deskhub-panel")
    panel.wait_for()
    shop.get_by_test_id("deskhub-language").wait_for()
    if panel.get_attribute("lang") != "ar":
        shop.evaluate("() => DeskhubChat('language', 'ar')")

    expect(panel).to_have_attribute("lang", "ar")
    expect(panel).to_contain_text("كيف يمكننا مساعدتك؟")
    assert panel.evaluate("(one) => getComputedStyle(one).direction") == "rtl"
    show(shop, "widget-ar-home")
    new = shop.get_by_test_id("deskhub-new")
    new.or_(shop.get_by_test_id("deskhub-continue")).first.click()
    write(shop, "أين طلبي؟")
    expect(shop.get_by_test_id("deskhub-log")).to_contain_text("أين طلبي؟")
    show(shop, "widget-ar")
    found = violations(shop, "#deskhub-chat")
    CARD.violated("widget, Arabic", "light ar", len(found))
    assert found == []


def test_few_colours_and_no_motion_are_enough(guests: People, shared: Desk) -> None:
    talked(shared)
    page = guests.agent(forced_colors="active", reduced_motion="reduce")
    page.get_by_test_id("view-all").click()
    open_conversation(page, "Wang Fang")
    page.locator("[data-instance=orders][data-state=ok]").first.wait_for()
    page.keyboard.press("Tab")

    show(page, "high-contrast")
    ring = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    shadow = page.evaluate("() => getComputedStyle(document.activeElement).boxShadow")
    moving = page.evaluate(
        "() => document.getAnimations().filter((one) => one.playState === 'running'"
        " && one.effect.getComputedTiming().duration > 100).length"
    )
    assert (ring, shadow) != ("none", "none")
    assert moving == 0

    shop = guests.customer("C-1001", forced_colors="active", reduced_motion="reduce")
    shop.get_by_test_id("deskhub-launcher").click()
    shop.get_by_test_id("deskhub-panel").wait_for()
    show(shop, "widget-high-contrast")
    edge = shop.get_by_test_id("deskhub-panel").evaluate(
        "(one) => getComputedStyle(one).borderStyle + getComputedStyle(one).outlineStyle"
    )
    assert edge != "nonenone"
