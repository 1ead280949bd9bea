"""Notices in real browsers: asked for in the chat, kept by the hub, shown by the worker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.test_main_job import open_chat, write
from tests.notify.browsers import Browser, Pushery, pushery_beside
from tests.notify.office import office_beside
from tests.notify.test_process import MAIL
from tests.notify.test_push_process import PUSH
from tests.support.desk import Desk, desk, until


@pytest.fixture(scope="module")
def service() -> Iterator[Pushery]:
    with pushery_beside() as running:
        yield running


@pytest.fixture(scope="module")
def shared(service: Pushery) -> Iterator[Desk]:
    with office_beside() as post:
        settings = PUSH.format(url=service.url) + MAIL.format(port=post.port)
        with desk(settings=settings) as running:
            running.adapters_ready(running.sign_in("admin"))
            yield running


# The one thing that no test machine has: the vendor's push service, which hands out endpoints.
# Everything around it is the browser's own: permission, worker, notices.
_SUBSCRIBE = """(given) => {
  let made = null;
  const one = {
    endpoint: given.endpoint, options: {applicationServerKey: null}, toJSON: () => given,
    unsubscribe: async () => (made = null, true),
  };
  Object.assign(PushManager.prototype, {
    subscribe: async (options) => {
      if (!options.userVisibleOnly || !options.applicationServerKey) throw new TypeError();
      return (made = one);
    },
    getSubscription: async () => made,
  });
}"""


def with_push(page: Page, browser: Browser, origin: str) -> None:
    page.context.grant_permissions(["notifications"], origin=origin)
    page.context.add_init_script(f"({_SUBSCRIBE})({json.dumps(browser.subscription)})")


def deliver(page: Page, data: dict[str, Any], scope: str) -> list[dict[str, str]]:
    """Let the browser's push client get *data*; return the notices it shows."""
    session = page.context.new_cdp_session(page)
    found: list[dict[str, Any]] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda one: found.extend(one["registrations"]),
    )
    session.send("ServiceWorker.enable")
    until(lambda: page.wait_for_timeout(50) or any(scope in one["scopeURL"] for one in found),
          "the worker is known")  # fmt: skip
    registration = next(one for one in found if scope in one["scopeURL"])
    session.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": "/".join(registration["scopeURL"].split("/")[:3]),
         "registrationId": registration["registrationId"], "data": json.dumps(data)},
    )  # fmt: skip
    shown: list[dict[str, str]] = []

    def are_shown() -> bool:
        shown[:] = page.evaluate(
            """async () => (await (await navigator.serviceWorker.ready).getNotifications())
                .map(({title, body, tag}) => ({title, body, tag}))"""
        )
        return bool(shown)

    until(are_shown, "the notice is shown")
    return shown


def answered(guests: People, shared: Desk, page: Page, text: str) -> None:
    """Let an agent answer the conversation that *page* has open."""
    token = shared.sign_in("agent")
    expect(page.locator("[data-testid=deskhub-message]").first).to_be_visible()
    views = shared.get("/api/v1/conversations?view=all", token)["conversations"]
    shared.post(f"/api/v1/conversations/{views[0]['id']}/messages", {"text": text}, token)
    expect(page.get_by_test_id("deskhub-log")).to_contain_text(text)


def own_page(guests: People, shared: Desk, **more: Any) -> Page:
    return guests.page(width=1000, height=800, **more)


def test_the_chats_own_page_offers_notices_after_the_first_answer_and_shows_them(
    guests: People, shared: Desk, service: Pushery
) -> None:
    page = own_page(guests, shared)
    with_push(page, service.browser("own-page"), shared.api)
    page.goto(f"{shared.api}/c/shop")
    page.get_by_test_id("deskhub-new").click()
    expect(page.get_by_test_id("deskhub-push")).to_have_count(0)
    write(page, "Do you have it in red?")
    expect(page.get_by_test_id("deskhub-push")).to_have_count(0)
    answered(guests, shared, page, "Yes, in three sizes.")

    offer = page.get_by_test_id("deskhub-push")
    expect(offer).to_have_attribute("data-way", "here")
    assert violations(page) == []
    page.get_by_test_id("deskhub-push-yes").click()
    expect(page.get_by_test_id("deskhub-push-said")).to_contain_text("This device tells you")

    # The page is left; what is answered now comes as a notice.
    before = len(service.arrived)
    visitor = json.loads(page.evaluate("localStorage.getItem('deskhub:shop')"))
    address = page.url
    page.goto("about:blank")
    token = shared.sign_in("agent")
    opened = shared.get("/api/v1/snapshot", visitor["token"])["conversation"]["id"]
    shared.post(f"/api/v1/conversations/{opened}/messages", {"text": "Still there?"}, token)
    until(lambda: len(service.arrived) == before + 1, "the notice arrived")
    notice = service.arrived[-1].notice
    assert notice["url"] == "/c/shop"
    assert "Still there?" not in json.dumps(notice)

    page.goto(address)
    page.get_by_test_id("deskhub-continue").click()
    expect(page.get_by_test_id("deskhub-log")).to_contain_text("Still there?")
    expect(page.get_by_test_id("deskhub-push")).to_have_count(0)
    hostile = notice | {"title": "<img src=x onerror=alert(1)>", "url": "https://evil.example/"}
    assert deliver(page, hostile, "/c/")[0]["title"] == "<img src=x onerror=alert(1)>"


def test_the_shops_page_hands_its_conversation_to_the_chats_own_page(
    guests: People, shared: Desk, service: Pushery
) -> None:
    shop = guests.customer("C-1002")
    with_push(shop, service.browser("handed"), shared.api)
    open_chat(shop)
    write(shop, "Is my parcel on its way?")
    answered(guests, shared, shop, "It is.")
    expect(shop.get_by_test_id("deskhub-push")).to_have_attribute("data-way", "page")
    assert violations(shop, "#deskhub-chat") == []

    with shop.context.expect_page() as opening:
        shop.get_by_test_id("deskhub-push-yes").click()
    own = opening.value
    expect(own.get_by_test_id("deskhub-continue")).to_be_visible()
    own.get_by_test_id("deskhub-continue").click()
    expect(own.get_by_test_id("deskhub-log")).to_contain_text("Is my parcel on its way?")
    assert "#" not in own.url
    own.get_by_test_id("deskhub-push-yes").click()
    expect(own.get_by_test_id("deskhub-push-said")).to_contain_text("This device tells you")


def test_a_strangers_page_cannot_give_the_chats_page_a_session(
    guests: People, shared: Desk
) -> None:
    """The twin of the test before: another origin hands over a session, and is not heard."""
    stranger = guests.page()
    stranger.route("http://evil.example/**", lambda route: route.fulfill(
        content_type="text/html", body="<!doctype html><title>x</title>"))  # fmt: skip
    stranger.goto("http://evil.example/")
    with stranger.context.expect_page() as opening:
        stranger.evaluate(
            """(url) => {
                const page = window.open(url);
                addEventListener('message', (event) => page.postMessage(
                    {saved: {token: 'stolen', who: null, talks: true}}, '*'));
            }""",
            f"{shared.api}/c/shop#continue",
        )
    own = opening.value
    own.get_by_test_id("deskhub-panel").wait_for()

    assert "stolen" not in str(own.evaluate("JSON.stringify(localStorage)"))


def test_a_tab_on_an_iphone_is_offered_mail_and_told_why(guests: People, shared: Desk) -> None:
    page = guests.page(
        width=390, height=844, has_touch=True,
        user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
        " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
    )  # fmt: skip
    page.add_init_script("delete window.PushManager")
    page.goto(f"{shared.api}/c/shop")
    page.get_by_test_id("deskhub-new").click()
    write(page, "Hello from a phone.")
    answered(guests, shared, page, "Hello to the phone.")

    offer = page.get_by_test_id("deskhub-push")
    expect(offer).to_have_attribute("data-way", "mail")
    expect(offer).to_contain_text("Home Screen")
    page.get_by_test_id("deskhub-push-yes").click()
    expect(page.get_by_test_id("deskhub-mail")).to_be_visible()


def test_a_no_is_remembered(guests: People, shared: Desk, service: Pushery) -> None:
    page = own_page(guests, shared, locale="zh-CN")
    with_push(page, service.browser("no"), shared.api)
    page.goto(f"{shared.api}/c/shop")
    page.get_by_test_id("deskhub-new").click()
    write(page, "你好")
    answered(guests, shared, page, "您好！")
    expect(page.get_by_test_id("deskhub-push")).to_contain_text("有回复时通知您？")
    page.get_by_test_id("deskhub-push-no").click()
    expect(page.get_by_test_id("deskhub-push")).to_have_count(0)
    page.reload()
    page.get_by_test_id("deskhub-continue").click()
    expect(page.get_by_test_id("deskhub-log")).to_contain_text("您好！")
    expect(page.get_by_test_id("deskhub-push")).to_have_count(0)


def test_an_agent_switches_it_on_tests_it_and_signs_out(
    guests: People, shared: Desk, service: Pushery
) -> None:
    console = guests.page()
    with_push(console, service.browser("agent"), shared.api)
    sign_in(console, shared)
    console.get_by_test_id("me").click()
    console.locator("[data-pick=notices]").click()
    switch = console.get_by_test_id("push-switch")
    expect(switch).not_to_be_checked()
    assert violations(console, "[role=dialog]") == []
    switch.click()
    expect(console.get_by_test_id("push-said")).to_contain_text("This device is told.")
    before = len(service.arrived)
    console.get_by_test_id("push-test").click()
    expect(console.get_by_test_id("push-said")).to_contain_text("Sent.")
    assert service.arrived[-1].browser == "agent"
    assert len(service.arrived) == before + 1
    shown = deliver(console, service.arrived[-1].notice, "/console/")
    assert shown[0]["title"] == "Notices work"
    token = shared.sign_in("agent")
    assert shared.get("/api/v1/push", token)["devices"] == 1

    console.keyboard.press("Escape")
    console.get_by_test_id("me").click()
    console.locator("[data-pick=out]").click()
    console.get_by_test_id("signin-email").wait_for()
    until(lambda: shared.get("/api/v1/push", token)["devices"] == 0, "the device is forgotten")


def sign_in(page: Page, shared: Desk) -> None:
    page.goto(f"{shared.api}/console/")
    page.get_by_test_id("signin-email").fill("li.wei@scree.example")
    page.get_by_test_id("signin-password").fill("demo-agent-1")
    page.get_by_test_id("signin-submit").click()
    page.get_by_test_id("view-mine").wait_for()


@pytest.mark.parametrize("width", [390, 1000])
def test_the_chats_own_page_is_accessible_and_fills_its_window(
    guests: People, shared: Desk, width: int
) -> None:
    page = guests.page(width=width, height=800)
    page.goto(f"{shared.api}/c/shop")
    panel = page.get_by_test_id("deskhub-panel")
    panel.wait_for()
    assert violations(page) == []
    box = panel.bounding_box()

    assert box is not None
    assert (box["y"], box["height"]) == (0, 800)
    assert box["width"] == min(width, 720)
    expect(page.get_by_test_id("deskhub-launcher")).to_be_hidden()
    assert re.match("en", page.evaluate("document.documentElement.lang"))
    page.keyboard.press("Escape")
    expect(panel).to_be_visible()
