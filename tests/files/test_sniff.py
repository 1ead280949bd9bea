"""What a file is says its content; name and declared type are never asked."""

from __future__ import annotations

import pytest

from deskhub.files import sniff as sniffing
from deskhub.files.errors import FileEmpty, FileTypeRefused
from deskhub.files.names import as_webp, disposition, shown_name
from deskhub.files.sniff import TAIL_BYTES, sniff
from tests.files import made

GOOD = {
    "jpeg": (made.photo(), "image/jpeg"),
    "png": (made.photo(kind="PNG"), "image/png"),
    "gif": (made.photo(kind="GIF"), "image/gif"),
    "webp": (made.photo(kind="WEBP"), "image/webp"),
    "pdf": (made.PDF, "application/pdf"),
    "zip": (b"PK\x03\x04" + b"\0" * 60, "application/zip"),
    "mp4": (b"\0\0\0\x18ftypmp42" + b"\0" * 20, "video/mp4"),
    "heic": (b"\0\0\0\x18ftypheic" + b"\0" * 20, "image/heif"),
    "text": (made.TEXT, "text/plain"),
    "text of older programs": (made.TEXT_GB, "text/plain"),
}
REFUSED = {
    "svg": made.SVG,
    "svg after a mark and spaces": made.SVG_BARE,
    "html": made.HTML,
    "xml": b"<note>1</note>",
    "program": made.PROGRAM,
    "script": made.SCRIPT,
    "elf": b"\x7fELF" + b"\0" * 60,
    "page inside text": b"hello\n<ScRiPt >alert(1)</script>",
    "gif and script": made.gif_that_is_a_script(),
    "photo and archive": made.jpeg_that_is_a_zip(),
    "pdf and page": made.pdf_that_is_a_page(),
    "png and pdf": made.photo(kind="PNG")[:40] + b"%PDF-1.4",
    "pdf behind something": b"GIF" + made.PDF,
    "zeros": b"\0" * 100,
    "noise": bytes(range(256)),
}


@pytest.mark.parametrize(("content", "media"), GOOD.values(), ids=GOOD)
def test_what_people_send_is_recognised(content: bytes, media: str) -> None:
    assert sniff(content, content[-TAIL_BYTES:]).media == media


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_could_be_run_or_is_two_things_is_refused(content: bytes) -> None:
    with pytest.raises(FileTypeRefused):
        sniff(content, content[-TAIL_BYTES:])


def test_without_the_look_inside_a_polyglot_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniffing, "_only_one", lambda *_: None)
    content = made.gif_that_is_a_script()

    assert sniff(content, content).media == "image/gif"


def test_a_file_without_a_byte_is_refused() -> None:
    with pytest.raises(FileEmpty):
        sniff(b"", b"")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\鞋子.jpg", "鞋子.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\r\nSet-Cookie: x.txt", "a Set-Cookie: x.txt"),
        ("..", "file"),
        ("", "file"),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
    ],
)
def test_a_name_is_a_text_and_no_path(given: str, shown: str) -> None:
    assert shown_name(given) == shown


def test_a_long_name_keeps_its_end() -> None:
    name = shown_name("x" * 500 + ".pdf")

    assert len(name) <= 120
    assert name.endswith("….pdf")


def test_a_name_cannot_leave_its_header() -> None:
    header = disposition('a";b\n鞋.jpg', inline=False)

    assert (
        header
        == "attachment; filename=\"a__b__.jpg\"; filename*=UTF-8''a%22%3Bb%0A%E9%9E%8B.jpg"
    )
    assert as_webp("photo.final.jpg") == "photo.final.webp"
