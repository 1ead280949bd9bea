"""Takes pictures of the console on the development server: themes, languages, widths, states.

Usage: python web/shots.py FOLDER [name …]
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PORT = 8791
BASE = f"http://127.0.0.1:{PORT}"
HERE = Path(__file__).parent
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--font-render-hinting=none",
]  # fmt: skip


def dev(path: str) -> None:
    """Make something happen on the development server."""
    urllib.request.urlopen(f"{BASE}/_dev/{path}", timeout=5).read()


def sign_in(page: Page) -> None:
    """Sign in as the only agent there is."""
    page.goto(f"{BASE}/console/")
    page.get_by_test_id("signin-email").fill("sara@acme.test")
    page.get_by_test_id("signin-password").fill("secret")
    page.get_by_test_id("signin-submit").click()
    page.locator("[data-conversation]").first.wait_for()


def open_wang(page: Page) -> None:
    """Open the conversation everything happens in."""
    page.goto(f"{BASE}/console/inbox/mine/c_wang")
    page.locator('[data-instance="orders"]').first.wait_for(state="attached")
    page.wait_for_timeout(400)


def inbox(page: Page) -> None:
    open_wang(page)
    dev("typing")
    dev("typing?c=c_1&by=agent:a_liwei&name=Li%20Wei")
    page.get_by_test_id("composer").fill("Hello {{customer.name}}, the \u00a5399.00 goes back")
    page.wait_for_timeout(1200)


def canned(page: Page) -> None:
    open_wang(page)
    page.get_by_test_id("composer").fill("")
    page.get_by_test_id("composer").press_sequentially("/t")
    page.wait_for_timeout(300)


def palette(page: Page) -> None:
    open_wang(page)
    page.keyboard.press("Control+k")
    page.get_by_test_id("palette-input").fill("tuih")
    page.wait_for_timeout(400)


def form(page: Page) -> None:
    open_wang(page)
    page.keyboard.press("Shift+R")
    page.locator('[data-state="form"] .items').wait_for()
    page.wait_for_timeout(300)


def preview(page: Page) -> None:
    form(page)
    page.keyboard.press("Enter")
    page.get_by_test_id("plan").wait_for()
    page.wait_for_timeout(300)


def live(page: Page) -> None:
    dev("fail?step=s6")
    preview(page)
    page.keyboard.press("Control+Enter")
    page.locator('[data-state="running"]').first.wait_for()
    page.wait_for_timeout(3600)


def attention(page: Page) -> None:
    page.get_by_test_id("resolve").wait_for(timeout=15_000)
    page.wait_for_timeout(300)


def run_card(page: Page) -> None:
    page.keyboard.press("Escape")
    page.wait_for_timeout(400)


def help_sheet(page: Page) -> None:
    open_wang(page)
    page.keyboard.press("?")
    page.get_by_test_id("help").wait_for()


def assign(page: Page) -> None:
    open_wang(page)
    page.keyboard.press("a")
    page.wait_for_timeout(300)


def adapters(page: Page) -> None:
    page.goto(f"{BASE}/console/adapters/orders")
    page.get_by_test_id("adapters").wait_for()
    page.wait_for_timeout(300)


def needs_you(page: Page) -> None:
    page.goto(f"{BASE}/console/attention")
    page.wait_for_timeout(600)


SCENES: dict[str, Callable[[Page], None]] = {
    "inbox": inbox, "canned": canned, "palette": palette, "help": help_sheet, "assign": assign,
    "form": form, "preview": preview, "live": live, "attention": attention,
    "run-card": run_card, "needs-you": needs_you, "adapters": adapters,
}  # fmt: skip


def main(folder: Path, wanted: list[str]) -> None:
    """Draw every wanted scene, then the first one in the other looks."""
    folder.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(["node", str(HERE / "dev" / "server.mjs"), str(PORT)])
    try:
        wait_for_server()
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.on("console", lambda message: print(message.type, message.text))
            page.on("pageerror", lambda error: print("page error", error))
            page.goto(f"{BASE}/console/")
            page.get_by_test_id("signin-email").wait_for()
            page.wait_for_timeout(300)
            page.screenshot(path=folder / "signin.png")
            sign_in(page)
            for name, scene in SCENES.items():
                if not wanted or name in wanted:
                    scene(page)
                    page.screenshot(path=folder / f"{name}.png")
            looks(page, folder, wanted)
            browser.close()
    finally:
        server.terminate()
        server.wait()


def looks(page: Page, folder: Path, wanted: list[str]) -> None:
    """The inbox in the dark, in Chinese, compact, and one column at a time."""
    if wanted and "looks" not in wanted:
        return
    set_settings(page, '{"theme":"dark"}')
    open_wang(page)
    page.screenshot(path=folder / "inbox-dark.png")
    set_settings(page, '{"language":"zh-CN"}')
    open_wang(page)
    page.screenshot(path=folder / "inbox-zh.png")
    set_settings(page, '{"density":"compact"}')
    open_wang(page)
    page.screenshot(path=folder / "inbox-compact.png")
    set_settings(page, "{}")
    page.set_viewport_size({"width": 1100, "height": 800})
    open_wang(page)
    page.get_by_test_id("show-context").click()
    page.wait_for_timeout(200)
    page.screenshot(path=folder / "inbox-1100.png")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{BASE}/console/inbox/mine")
    page.wait_for_timeout(600)
    page.screenshot(path=folder / "narrow-list.png")
    page.goto(f"{BASE}/console/inbox/mine/c_wang")
    page.wait_for_timeout(900)
    page.screenshot(path=folder / "narrow-conversation.png")
    page.get_by_test_id("show-context").click()
    page.wait_for_timeout(300)
    page.screenshot(path=folder / "narrow-context.png")


def set_settings(page: Page, text: str) -> None:
    page.evaluate("text => localStorage.setItem('deskhub:settings', text)", text)


def wait_for_server() -> None:
    """Return when the development server answers."""
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{BASE}/api/v1/sign-in", timeout=1)
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the development server does not answer")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
