"""Photos and documents between a customer and an agent, in real browsers."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, Response, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import People
from tests.e2e.test_main_job import open_chat, open_conversation
from tests.files import made

SHOTS = Path(__file__).parent / "shots"
PHOTO = {"name": "sole <b>.jpg", "mimeType": "image/jpeg", "buffer": made.photo(1200, 900)}
PAPER = {"name": "receipt.pdf", "mimeType": "application/pdf", "buffer": made.PDF}
HOSTILE = {"name": "innocent.png", "mimeType": "image/png", "buffer": made.SVG}


def loaded(page: Page, testid: str) -> None:
    """Wait until the picture in *testid* is really there."""
    page.wait_for_function(
        """(id) => {
            const hosts = [document, ...[...document.querySelectorAll("*")].map(e => e.shadowRoot).filter(Boolean)];
            return hosts.some(host => [...host.querySelectorAll(`[data-testid=${id}] img`)].some(i => i.complete && i.naturalWidth > 0));
        }""",
        arg=testid,
    )


def test_a_photo_goes_to_the_agent_and_a_document_comes_back(guests: People) -> None:
    console, shop = guests.agent(), guests.customer()
    open_chat(shop)

    shop.get_by_test_id("deskhub-file-input").set_input_files(PHOTO)
    expect(shop.locator("[data-testid=deskhub-upload][data-state=done]")).to_be_visible(
        timeout=30_000
    )
    shop.get_by_test_id("deskhub-input").fill("The sole comes off")
    shop.get_by_test_id("deskhub-send").click()

    expect(
        shop.locator("[data-testid=deskhub-message][data-state=stored]").first
    ).to_be_visible()
    loaded(shop, "deskhub-thumb")
    expect(shop.get_by_test_id("deskhub-tray")).to_have_count(0)

    open_conversation(console, "Wang Fang")
    loaded(console, "thumb")
    # Its name is a text, also where it is a title.
    expect(console.get_by_test_id("thumb")).to_have_attribute("title", "sole <b>.jpg")
    size = console.get_by_test_id("thumb").locator("img").bounding_box()
    assert size is not None
    assert round(size["width"] / size["height"], 1) == 1.3

    console.get_by_test_id("thumb").click()
    loaded(console, "lightbox")
    expect(console.get_by_role("dialog", name="sole <b>.jpg")).to_be_visible()
    console.screenshot(path=SHOTS / "files-lightbox.png")
    with console.expect_download() as saved:
        console.get_by_test_id("lightbox-save").click()
    assert saved.value.suggested_filename.endswith((".webp", ".jpg"))
    console.keyboard.press("Escape")
    expect(console.get_by_test_id("lightbox")).to_have_count(0)
    expect(console.get_by_test_id("thumb")).to_be_focused()

    console.get_by_test_id("attach-input").set_input_files([PAPER, PHOTO])
    expect(console.locator("[data-testid=upload][data-state=done]")).to_have_count(
        2, timeout=30_000
    )
    console.screenshot(path=SHOTS / "files-console-tray.png")
    console.get_by_test_id("composer").fill("Here is your receipt")
    console.get_by_test_id("composer").press("Enter")

    expect(shop.get_by_test_id("deskhub-file")).to_contain_text("receipt.pdf")
    with shop.expect_download() as paper:
        shop.get_by_test_id("deskhub-file").click()
    assert paper.value.suggested_filename == "receipt.pdf"
    assert Path(paper.value.path()).read_bytes() == made.PDF
    shop.screenshot(path=SHOTS / "files-widget.png")
    console.screenshot(path=SHOTS / "files-console.png")
    assert violations(console) == []
    assert violations(shop) == []


def test_a_hostile_file_is_refused_in_a_clear_sentence(guests: People) -> None:
    shop = guests.customer("C-1005", locale="zh-CN", color_scheme="dark")
    open_chat(shop)

    shop.get_by_test_id("deskhub-file-input").set_input_files([HOSTILE, PAPER])

    refused = shop.locator("[data-testid=deskhub-upload][data-state=failed]")
    expect(refused).to_contain_text("innocent.png")
    expect(refused).to_contain_text(re.compile("不能发送这种文件|cannot be sent"))
    expect(refused.get_by_role("alert")).to_be_visible()
    shop.get_by_test_id("deskhub-input").fill("Look")
    shop.get_by_test_id("deskhub-send").click()
    # Nothing leaves without what was meant to go with it.
    expect(shop.get_by_test_id("deskhub-input")).to_have_value("Look")
    shop.screenshot(path=SHOTS / "files-refused.png")
    assert violations(shop) == []

    refused.get_by_role("button").click()
    shop.get_by_test_id("deskhub-send").click()

    expect(shop.get_by_test_id("deskhub-file")).to_contain_text("receipt.pdf")
    expect(shop.get_by_test_id("deskhub-input")).to_have_value("")


def test_files_are_pasted_and_dropped_and_a_broken_upload_is_tried_again(
    guests: People,
) -> None:
    shop = guests.customer("C-1003")
    open_chat(shop)
    shop.get_by_test_id("deskhub-input").fill("Hello from C-1003")
    shop.get_by_test_id("deskhub-send").click()
    console = guests.agent(color_scheme="dark")
    open_conversation(console, "Hello from C-1003")
    console.get_by_test_id("composer").wait_for()
    transfer = console.evaluate_handle(
        """(bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
            return data;
        }""",
        list(made.photo(60, 40, kind="PNG")),
    )
    console.route("**/api/v1/files?*", lambda route: route.abort())
    console.evaluate(
        """(data) => document.querySelector("[data-testid=composer]").dispatchEvent(
            new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))""",
        transfer,
    )
    expect(console.locator("[data-testid=upload][data-state=failed]")).to_be_visible()
    console.screenshot(path=SHOTS / "files-console-failed.png")
    assert violations(console) == []
    console.unroute("**/api/v1/files?*")

    console.get_by_test_id("tray").get_by_role("button", name=re.compile("Retry|重试")).click()
    expect(console.locator("[data-testid=upload][data-state=done]")).to_be_visible(
        timeout=30_000
    )
    console.dispatch_event(".composer", "drop", {"dataTransfer": transfer})

    expect(console.locator("[data-testid=upload][data-state=done]")).to_have_count(
        2, timeout=30_000
    )
    console.get_by_test_id("composer").press("Enter")
    expect(console.get_by_test_id("thumb")).to_have_count(2)
    loaded(shop, "deskhub-thumb")


def test_a_photo_is_made_smaller_before_it_travels(guests: People) -> None:
    shop = guests.customer("C-1006")
    open_chat(shop)
    given = made.photo(4200, 3000)

    def is_upload(one: Response) -> bool:
        return "/api/v1/files?" in one.url and one.request.method == "POST"

    with shop.expect_response(is_upload) as answer:
        shop.get_by_test_id("deskhub-file-input").set_input_files(
            {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": given}
        )
    told = json.loads(answer.value.text())

    assert (told["width"], told["height"]) == (2048, 1463)
    assert told["bytes"] < len(given)
