"""What the product costs its users: clicks, keys, kilobytes, and seconds after a bad line."""

import asyncio
import gzip
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path

from playwright.sync_api import Page, expect

import deskhub.edge
from tests.e2e.conftest import People
from tests.e2e.scorecard import record
from tests.e2e.test_main_job import open_conversation
from tests.support.desk import Desk
from tests.support.proxy import Proxy

STATIC = Path(deskhub.edge.__file__).parent / "static"
OFFLINE_S = 60
CATCH_UP_S = 2.0
WRITTEN = 40
BUDGETS_KB = {"widget-before": 3, "widget-after": 35, "console-first": 230}
# Counted in the page itself: what a person's hand did, whatever the test calls it.
COUNT = """() => {
  window.__did = {clicks: 0, keys: 0};
  addEventListener("click", (e) => e.detail > 0 && (window.__did.clicks += 1), true);
  addEventListener("keydown", (e) => {
    if (!["Shift", "Control", "Alt", "Meta"].includes(e.key)) window.__did.keys += 1;
  }, true);
}"""


def test_a_return_by_mouse_takes_five_clicks_at_most(guests: People, shared: Desk) -> None:
    page = waiting(guests, shared, "C-1001", "Wang Fang")
    page.evaluate(COUNT)

    open_conversation(page, "Wang Fang")
    ready(page)
    page.locator("[data-instance=orders] button[data-invoke]").first.click()
    page.get_by_test_id("preview").click()
    page.get_by_test_id("confirm").click()

    did = done(page)
    record("return-clicks", did["clicks"], "clicks")
    assert did["clicks"] <= 5
    assert did["keys"] == 0


def test_a_return_by_keyboard_takes_seven_keys_at_most(guests: People, shared: Desk) -> None:
    customer, name = returnable(shared)
    page = waiting(guests, shared, customer, name)
    page.evaluate(COUNT)

    page.keyboard.press("j")
    page.get_by_test_id("timeline").wait_for()
    ready(page)
    page.keyboard.press("Shift+R")
    page.locator("[data-line]").first.wait_for()
    if page.locator("[data-line] input:checked").count() == 0:
        page.locator("[data-line] input:enabled").first.focus()
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.get_by_test_id("plan").wait_for()
    page.keyboard.press("Control+Enter")

    did = done(page)
    record("return-keys", did["keys"], "keys")
    assert did["clicks"] == 0
    assert did["keys"] <= 7


def test_the_next_chat_is_answered_with_six_keys_at_most(guests: People, shared: Desk) -> None:
    page = waiting(guests, shared, "C-1005", "Priya Raman")
    page.evaluate(COUNT)

    page.keyboard.press("j")
    page.get_by_test_id("timeline").wait_for()
    page.keyboard.press("r")
    expect(page.get_by_test_id("composer")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.press("h")
    page.locator("[role=listbox] [role=option]").last.wait_for()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("composer")).not_to_have_value("/h")
    page.keyboard.press("Enter")

    expect(page.locator(".msg.out[data-state]").first).to_be_visible()
    keys = page.evaluate("() => window.__did.keys")
    record("canned-keys", keys, "keys")
    assert keys <= 6


def test_what_browsers_load_stays_within_its_budget() -> None:
    page = (STATIC / "console/index.html").read_text()
    scripts = re.findall(r'(?:src|href)="/console/(assets/[^"]+\.js)"', page)
    sizes = {
        "widget-before": packed(STATIC / "w/loader.js"),
        "widget-after": packed(STATIC / "w/chat.js"),
        "console-first": sum(
            packed(STATIC / "console" / one) for one in dict.fromkeys(scripts)
        ),
    }
    for name, size in sizes.items():
        record(name, size, "kB")

    assert {name for name, size in sizes.items() if size > BUDGETS_KB[name]} == set()


def test_after_a_minute_without_a_line_all_is_shown(guests: People, shared: Desk) -> None:
    waiting(guests, shared, "C-1006", "Marta Novak").close()
    visitor = shared.visitor("C-1006")
    with line(int(shared.listen.rpartition(":")[2])) as (proxy, loop):
        page = guests.agent(at=f"http://127.0.0.1:{proxy.port}")
        page.get_by_test_id("view-all").click()
        open_conversation(page, "Marta Novak")
        expect(page.get_by_test_id("composer")).to_be_visible()
        page.evaluate("() => { window.__sameDocument = true; }")
        # New connections fail by the browser, the open ones by the network.
        page.context.set_offline(True)
        loop.call_soon_threadsafe(proxy.end_all, "reset")
        started = time.monotonic()
        at = f"/api/v1/conversations/{visitor['conversation']}/messages"
        for number in range(WRITTEN):
            shared.post(at, {"kind": "text", "text": f"line {number:02}"}, visitor["token"])
            # People do not write faster than the hub allows.
            page.wait_for_timeout(OFFLINE_S * 1000 / WRITTEN)
        expect(page.get_by_test_id("offline")).to_be_visible()
        page.wait_for_timeout(max(0.0, OFFLINE_S - (time.monotonic() - started)) * 1000)
        expect(page.get_by_test_id("timeline")).not_to_contain_text("line 00")
        page.context.set_offline(False)
        back = time.monotonic()
        expect(page.get_by_test_id("timeline")).to_contain_text(f"line {WRITTEN - 1:02}")
        took = time.monotonic() - back

    shown = page.get_by_test_id("timeline").locator(".bubble").all_inner_texts()
    lines = [text for text in shown if text.startswith("line ")]
    meant = [f"line {number:02}" for number in range(WRITTEN)]
    wrong = sum(one != other for one, other in zip_longest(lines, meant))
    record("offline", round(took, 2), "s")
    record("offline-wrong", wrong, "messages")
    assert lines == meant
    assert page.evaluate("() => window.__sameDocument"), "the page was loaded again"
    assert took <= CATCH_UP_S


@contextmanager
def line(port: int) -> Iterator[tuple[Proxy, asyncio.AbstractEventLoop]]:
    """Run a proxy to *port* in a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    proxy = Proxy(port)
    asyncio.run_coroutine_threadsafe(proxy.__aenter__(), loop).result(10)
    try:
        yield proxy, loop
    finally:
        asyncio.run_coroutine_threadsafe(proxy.__aexit__(None, None, None), loop).result(15)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def waiting(guests: People, product: Desk, customer: str, name: str) -> Page:
    """Let *customer* write, and an agent see the row."""
    body = {"kind": "text", "text": "I want to return my shoes."}
    token = product.visitor(customer)["token"]
    product.post("/api/v1/conversations", {"body": body}, token)
    page = guests.agent()
    page.get_by_test_id("view-all").click()
    page.locator("[data-conversation]", has_text=name).first.wait_for()
    return page


def returnable(product: Desk) -> tuple[str, str]:
    """Return a customer who has not written yet and something of theirs can come back."""
    agent = product.sign_in()
    for number in range(1012, 1036):
        visitor = product.visitor(f"C-{number}")
        if visitor["conversation"]:
            continue
        body = {"kind": "text", "text": "Hello."}
        opened = product.post("/api/v1/conversations", {"body": body}, visitor["token"])
        at = f"/api/v1/conversations/{opened['conversation']}"
        offers = product.get(f"{at}/actions", agent)["actions"]
        if any(one["enabled"] and one["type"].startswith("order.return") for one in offers):
            return f"C-{number}", product.get(at, agent)["conversation"]["name"]
        product.post(f"{at}/close", {}, agent)
    raise AssertionError("nobody has anything to return")


def ready(page: Page) -> None:
    page.locator("[data-instance=orders][data-state=ok]").first.wait_for()


def done(page: Page) -> dict[str, int]:
    """Wait for the end of the run, and say what the hand did until then."""
    expect(page.locator("[data-testid=run][data-state=completed]").first).to_be_visible(
        timeout=30_000
    )
    return dict(page.evaluate("() => window.__did"))


def packed(path: Path) -> float:
    return len(gzip.compress(path.read_bytes(), 9)) / 1024
