"""The widget in somebody else's page: strict policy, no cookies, calls, colours, phones, keys."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.docs.blocks import ROOT, blocks
from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.test_main_job import open_conversation, write
from tests.support.desk import Desk

GUIDE = ROOT / "docs/how-to/widget.md"
# What a browser makes of any notation of a colour, as the luminance of WCAG 2.
_CONTRAST = """(one) => {
  const style = getComputedStyle(one);
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const light = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""


def guide(language: str, shared: Desk) -> str:
    """Return the guide's block of that language, for this hub."""
    (block,) = blocks(GUIDE, language)
    socket = shared.api.replace("http", "ws", 1)
    return (
        block.text.strip()
        .replace("wss://desk.example.com", socket)
        .replace("https://desk.example.com", shared.api)
    )


def open_network(page: Page) -> None:
    """Let a page that the test makes up reach loopback: the browser takes it for a stranger."""
    page.context.grant_permissions(["local-network-access"])


def host_page(
    guests: People, shared: Desk, *, change: tuple[str, str] = ("", ""), script: str | None = None,
    **more: Any,
) -> Page:  # fmt: skip
    """Open the guide's page at the shop's address, under the guide's policy."""
    page = guests.page(**({"width": 1000, "height": 800} | more))
    open_network(page)
    html = guide("html", shared)
    assert change[0] in html
    html = html.replace(*change) if change[0] else html
    page.route("**/guide", lambda route: route.fulfill(
        content_type="text/html", body=html,
        headers={"content-security-policy": guide("text", shared)},
    ))  # fmt: skip
    page.route("**/chat.js", lambda route: (
        route.fulfill(content_type="text/javascript",
                      body=guide("js", shared) if script is None else script)
        if route.request.url.startswith(shared.shop) else route.continue_()
    ))  # fmt: skip
    page.add_init_script(
        "window.refused = []; addEventListener('securitypolicyviolation', "
        "(event) => window.refused.push(`${event.violatedDirective} ${event.blockedURI}`));"
    )
    page.goto(f"{shared.shop}/guide")
    page.get_by_test_id("deskhub-launcher").wait_for()
    return page


def test_the_guides_page_works_under_the_guides_policy(guests: People, shared: Desk) -> None:
    page = host_page(guests, shared)
    page.get_by_role("button", name="Ask about this order").click()
    field = page.get_by_test_id("deskhub-input")
    expect(field).to_have_value("About order 1042: ")
    write(page, "About order 1042: where is it?")
    expect(page.get_by_test_id("deskhub-log")).to_contain_text("where is it?")
    page.get_by_test_id("deskhub-back").click()
    expect(page.get_by_test_id("deskhub-order-row")).to_contain_text("#1042")
    page.keyboard.press("Escape")

    # `identify` said who it is, and `on` hears of the answer.
    console = guests.agent()
    open_conversation(console, "Wang Fang")
    console.locator("textarea").first.fill("It is on its way.")
    console.keyboard.press("Enter")
    expect(page).to_have_title("(1) Shop")
    assert page.evaluate("window.refused") == []
    assert page.context.cookies() == []


def test_a_policy_without_the_hub_is_felt(guests: People, shared: Desk) -> None:
    """The twin: the browser does refuse what the guide's policy does not list."""
    page = host_page(guests, shared, script="eval('1')")

    assert any("script-src" in one for one in page.evaluate("window.refused"))
    guests.complaints.clear()


def test_before_the_chat_is_opened_nothing_is_stored_and_only_the_loader_is_fetched(
    guests: People, shared: Desk
) -> None:
    page = guests.page(width=1000, height=800)
    open_network(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    html = guide("html", shared).replace('<script src="/chat.js"></script>', "")
    page.route("**/guide", lambda route: route.fulfill(content_type="text/html", body=html))
    page.goto(f"{shared.shop}/guide")
    page.get_by_test_id("deskhub-launcher").wait_for()
    page.wait_for_load_state("networkidle")

    assert [one for one in asked if one.startswith(shared.api)] == [
        f"{shared.api}/w/v1/loader.js"
    ]
    kept = "() => [localStorage.length, sessionStorage.length, document.cookie]"
    assert page.evaluate(kept) == [0, 0, ""]
    page.get_by_test_id("deskhub-launcher").click()
    page.get_by_test_id("deskhub-new").wait_for()
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length") == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("accent", ["#ffd400", "#ffffff", "#000000", "#7dd3fc", "#b91c1c"])
def test_any_accent_is_corrected_until_it_can_be_read(
    guests: People, shared: Desk, accent: str, theme: str
) -> None:
    tokens = (
        'data-accent="#ffd400" data-radius="12px" data-side="end" data-theme="auto"',
        (
            f'data-accent="{accent}" data-radius="4px" data-font="Georgia" data-side="start"'
            f' data-z="77" data-theme="{theme}"'
        ),
    )
    page = host_page(guests, shared, change=tokens, script="")
    launcher = page.get_by_test_id("deskhub-launcher")
    assert launcher.evaluate(_CONTRAST) >= 4.5
    box = launcher.bounding_box()
    assert box is not None
    assert box["x"] < 100
    assert page.locator(".dh-dock").evaluate("(one) => getComputedStyle(one).zIndex") == "77"
    launcher.click()
    page.get_by_test_id("deskhub-new").wait_for()

    assert violations(page, "#deskhub-chat") == []
    assert page.get_by_test_id("deskhub-new").evaluate(_CONTRAST) >= 4.5
    font = page.get_by_test_id("deskhub-panel").evaluate(
        "(one) => getComputedStyle(one).fontFamily"
    )
    assert font.startswith("Georgia")


def test_the_language_is_switched_inside_and_kept(guests: People, shared: Desk) -> None:
    page = host_page(guests, shared, script="")
    page.get_by_test_id("deskhub-launcher").click()
    expect(page.get_by_test_id("deskhub-new")).to_have_text("New message")
    page.get_by_test_id("deskhub-language").click()
    expect(page.get_by_test_id("deskhub-panel")).to_have_attribute("lang", "zh-CN")
    chinese = page.get_by_test_id("deskhub-new").inner_text()
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    page.reload()
    page.get_by_test_id("deskhub-launcher").click()
    expect(page.get_by_test_id("deskhub-new")).to_have_text(chinese)


# A keyboard takes the lower half of the screen: no test browser has one, so the page is told.
_KEYBOARD = """() => {
  const viewport = new EventTarget();
  Object.assign(viewport, {height: 844, offsetTop: 0, width: 390, scale: 1});
  Object.defineProperty(window, 'visualViewport', {value: viewport, configurable: true});
  window.keyboard = (height, offsetTop) => {
    Object.assign(viewport, {height, offsetTop});
    viewport.dispatchEvent(new Event('resize'));
  };
}"""


def test_on_a_phone_the_sheet_ends_where_the_keyboard_begins(
    guests: People, shared: Desk
) -> None:
    page = guests.page(width=390, height=844, has_touch=True, is_mobile=True)
    page.add_init_script(f"({_KEYBOARD})()")
    page.goto(f"{shared.shop}/?customer=C-1003")
    page.get_by_test_id("deskhub-launcher").tap()
    page.get_by_test_id("deskhub-new").or_(
        page.get_by_test_id("deskhub-input")
    ).first.wait_for()
    if page.get_by_test_id("deskhub-new").is_visible():
        page.get_by_test_id("deskhub-new").tap()
    field = page.get_by_test_id("deskhub-input")
    field.wait_for()
    panel = page.get_by_test_id("deskhub-panel")
    assert violations(page, "#deskhub-chat") == []
    assert box(panel) == (0, 0, 390, 844)
    page.evaluate("keyboard(480, 30)")
    assert box(panel) == (0, 30, 390, 480)
    typed = field.bounding_box()
    assert typed is not None
    assert typed["y"] + typed["height"] <= 30 + 480
    # Smaller ones make an iPhone zoom in.
    assert field.evaluate("(one) => getComputedStyle(one).fontSize") == "16px"
    expect(page.get_by_test_id("deskhub-launcher")).to_be_hidden()


def box(panel: Any) -> tuple[int, int, int, int]:
    found = panel.bounding_box()
    return tuple(round(found[name]) for name in ("x", "y", "width", "height"))  # type: ignore[return-value]


def test_it_is_used_with_keys_alone_and_read_aloud(guests: People, shared: Desk) -> None:
    page = host_page(guests, shared, script="")
    launcher = page.get_by_test_id("deskhub-launcher")
    expect(launcher).to_have_attribute("aria-label", "Open chat")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(launcher).to_be_focused()
    page.keyboard.press("Enter")
    new = page.get_by_test_id("deskhub-new")
    new.wait_for()
    for _ in range(6):
        page.keyboard.press("Tab")
        if new.evaluate("(one) => one.getRootNode().activeElement === one"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("deskhub-input")).to_be_focused()
    page.keyboard.type("Only keys.")
    page.keyboard.press("Enter")
    log = page.get_by_test_id("deskhub-log")
    expect(log).to_contain_text("Only keys.")
    expect(log).to_have_attribute("role", "log")
    expect(log).to_have_attribute("aria-live", "polite")
    sizes = page.locator("#deskhub-chat button:visible").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect()).map(({width, height}) => Math.min(width, height))"
    )
    assert min(sizes) >= 24
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("deskhub-panel")).to_have_count(0)
    expect(launcher).to_be_focused()
