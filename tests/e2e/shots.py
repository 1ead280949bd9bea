"""Pictures of every screen on a real, freshly filled demo: ``python -m tests.e2e.shots [FOLDER]``.

Those that README and docs show are copied to where they look for them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.conftest import CHROMIUM, FLAGS

SHOTS = Path(__file__).with_name("shots")
IMAGES = Path(__file__).parents[2] / "docs/images"
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh-CN")
# The pages beside the inbox, as an administrator sees them.
PAGES = {
    "live": "live", "reports": "reports", "report-agents": "reports/agents",
    "report-tags": "reports/tags", "report-ratings": "reports/ratings",
    "customers": "customers", "attention": "attention", "search": "search?q=order",
    "adapters": "adapters", "marketplace": "adapters?tab=market",
    "repairs": "adapters?tab=repairs", "inboxes": "inboxes",
}  # fmt: skip


@contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """Run a demo and give what it says about itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "deskhub", "demo", "--json", "--port", "0"],
        stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=20)
        process.stdout.close()


class Camera:
    """Takes pictures into one folder, named by screen, theme and language."""

    def __init__(self, browser: Browser, told: dict[str, Any], folder: Path) -> None:
        self.browser, self.told, self.folder = browser, told, folder
        folder.mkdir(parents=True, exist_ok=True)

    def page(
        self,
        *,
        theme: str = "light",
        language: str = "en",
        width: int = 1440,
        height: int = 900,
    ) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme,
            locale=language, reduced_motion="reduce",
        )  # fmt: skip
        page = context.new_page()
        page.set_default_timeout(15_000)
        return page

    def take(self, page: Page, name: str) -> None:
        page.wait_for_timeout(700)
        page.screenshot(path=self.folder / f"{name}.png")
        sys.stdout.write(f"{name}.png\n")

    def agent(self, role: str = "agent", **look: Any) -> Page:
        page = self.page(**look)
        page.goto(self.told["console"])
        person = next(one for one in self.told["agents"] if one["role"] == role)
        page.get_by_test_id("signin-email").fill(person["email"])
        page.get_by_test_id("signin-password").fill(person["password"])
        page.get_by_test_id("signin-submit").click()
        page.get_by_test_id("view-mine").wait_for()
        return page

    def shop(self, customer: str = "C-1001", **look: Any) -> Page:
        page = self.page(**look)
        page.goto(f"{self.told['shop']}?customer={customer}")
        page.get_by_test_id("deskhub-launcher").wait_for()
        return page


def console(camera: Camera) -> None:
    for theme in THEMES:
        for language in LANGUAGES:
            page = camera.agent(theme=theme, language=language)
            open_wang(page)
            camera.take(page, f"inbox-{theme}-{language}")
            page.keyboard.press("Control+k")
            page.get_by_test_id("palette").wait_for()
            camera.take(page, f"palette-{theme}-{language}")
            page.context.close()
    signin = camera.page()
    signin.goto(camera.told["console"])
    signin.get_by_test_id("signin-email").wait_for()
    camera.take(signin, "signin-light-en")
    narrow = camera.agent(width=390, height=844)
    camera.take(narrow, "inbox-phone")
    narrow.locator("[data-conversation]").first.click()
    camera.take(narrow, "conversation-phone")
    narrow.context.close()
    for theme, language in product(THEMES, LANGUAGES):
        pages(camera, f"{theme}-{language}", theme=theme, language=language)
    pages(camera, "phone", width=390, height=844)


def pages(camera: Camera, look: str, **more: Any) -> None:
    """Take every page beside the inbox, named by its *look*."""
    admin = camera.agent("admin", **more)
    for name, path in PAGES.items():
        admin.goto(f"{camera.told['api']}/console/{path}")
        admin.locator("main").wait_for()
        camera.take(admin, f"{name}-{look}")
    admin.context.close()


def action(camera: Camera) -> None:
    page = camera.agent()
    open_wang(page)
    page.keyboard.press("Shift+R")
    page.get_by_test_id("preview").wait_for()
    camera.take(page, "action-form")
    page.get_by_test_id("preview").click()
    page.get_by_test_id("plan").wait_for()
    camera.take(page, "action-preview")
    page.get_by_test_id("confirm").click()
    page.locator("[data-testid=run][data-state=completed]").first.wait_for()
    camera.take(page, "action-done")
    page.keyboard.press("Escape")
    page.get_by_test_id("composer").fill("您好，¥399.00 两小时内退回您的支付宝。")
    page.get_by_test_id("composer").press("Enter")
    camera.take(page, "conversation-after-return")


def widget(camera: Camera) -> None:
    shop = camera.shop(width=1280, height=900)
    camera.take(shop, "shop")
    shop.get_by_test_id("deskhub-launcher").click()
    shop.get_by_test_id("deskhub-panel").wait_for()
    camera.take(shop, "widget-home")
    for name, look in (
        ("widget-conversation", {}),
        ("widget-dark", {"theme": "dark"}),
        ("widget-zh", {"language": "zh-CN"}),
        ("widget-dark-zh", {"theme": "dark", "language": "zh-CN"}),
        ("widget-ar", {"language": "ar"}),
        ("widget-phone", {"width": 390, "height": 844}),
    ):
        page = camera.shop(**{"width": 1100, "height": 860, **look})
        page.get_by_test_id("deskhub-launcher").click()
        into_the_talk(page)
        camera.take(page, name)
        page.context.close()


def open_wang(page: Page) -> None:
    row = page.locator("[data-conversation]", has_text="Wang Fang").first
    row.click()
    page.get_by_test_id("timeline").wait_for()
    page.locator("[data-instance=tickets]").first.wait_for()


def into_the_talk(page: Page) -> None:
    page.get_by_test_id("deskhub-panel").wait_for()
    page.wait_for_timeout(500)
    for testid in ("deskhub-continue", "deskhub-new"):
        if (
            page.get_by_test_id(testid).count()
            and page.get_by_test_id(testid).first.is_visible()
        ):
            page.get_by_test_id(testid).first.click()
            break
    page.get_by_test_id("deskhub-input").wait_for()


def side_by_side(camera: Camera, left: str, right: str, name: str) -> None:
    """Join two pictures into one, as README shows them."""
    page = camera.page(width=1600, height=760)
    folder = camera.folder.as_uri()
    html = (
        "<body style='margin:0;padding:28px;display:flex;gap:24px;align-items:center;"
        "background:#eceef1;height:704px;box-sizing:content-box'>"
        f"<img src='{folder}/{left}.png' style='height:700px;border-radius:10px;"
        "box-shadow:0 8px 30px #0003'>"
        f"<img src='{folder}/{right}.png' style='height:700px;border-radius:10px;"
        "box-shadow:0 8px 30px #0003'></body>"
    )
    sheet = camera.folder / f"{name}.html"
    sheet.write_text(html)
    page.goto(sheet.as_uri())
    camera.take(page, name)
    sheet.unlink()


def main() -> int:
    """Take every picture."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHOTS
    if CHROMIUM is None:
        sys.stdout.write("no chromium here: apt-get install chromium\n")
        return 1
    with demo() as told, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        camera = Camera(browser, told, folder.resolve())
        console(camera)
        action(camera)
        widget(camera)
        side_by_side(camera, "conversation-after-return", "widget-phone", "console-and-widget")
        browser.close()
    for shown in IMAGES.glob("*.png"):
        shutil.copy(folder / shown.name, shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
