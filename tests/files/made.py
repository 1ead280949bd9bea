"""Files as people send them, and as attackers do; every byte is made here."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image

GPS = 0x8825


def photo(width: int = 64, height: int = 48, orientation: int = 1, kind: str = "JPEG") -> bytes:
    """Return a picture with a red left half, and for a JPEG where and how it was taken."""
    picture = Image.new("RGB", (width, height), "white")
    picture.paste((200, 0, 0), (0, 0, width // 2, height))
    more: dict[str, Any] = {}
    if kind == "JPEG":
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010F] = "SecretCamera"
        place = exif.get_ifd(GPS)
        place[1], place[2] = "N", (30.0, 15.0, 0.0)
        more = {"exif": exif.tobytes(), "quality": 95}
    return saved(picture, kind, **more)


def saved(picture: Image.Image, kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    )


def png_that_says(width: int, height: int) -> bytes:
    """Return a PNG of a hundred bytes that declares *width* × *height* pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b"\0" * 64)) + png_chunk(b"IEND", b"")
    )  # fmt: skip


def png_of_nothing(width: int, height: int) -> bytes:
    """Return a whole, valid PNG that is a few kilobytes and *width* × *height* pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = (
        b"".join(packer.compress(b"\0" * (width + 1)) for _ in range(height)) + packer.flush()
    )
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    )  # fmt: skip


def gif_of_frames(count: int) -> bytes:
    """Return a GIF whose *count* frames of 400 × 400 pixels are a few bytes each."""
    start = b"GIF89a" + struct.pack("<HHBBB", 400, 400, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return start + frame * count + b";"


def gif_that_is_a_script() -> bytes:
    """Return a GIF that a browser would run if somebody called it JavaScript or HTML."""
    picture = saved(Image.new("P", (8, 8)), "GIF")
    return picture[:-1] + b"!\xfe\x20<script>alert(document.domain)\0" + b";"


def jpeg_that_is_a_zip() -> bytes:
    """Return a photo with an archive behind it: the end of one file, the whole of another."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("run.exe", b"MZ" + b"\0" * 64)
    return photo() + archive.getvalue()


def pdf_that_is_a_page() -> bytes:
    return b"%PDF-1.7\n%\xe2\xe3\n<html><script>alert(1)</script>\n%%EOF\n"


PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
SVG_BARE = b'\xef\xbb\xbf \n<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!DOCTYPE html><title>x</title><script>alert(1)</script>"
PROGRAM = b"MZ\x90\0" + b"\0" * 200
SCRIPT = b"#!/bin/sh\nrm -rf ~\n"
TEXT = "订单 1042：鞋子开胶了\n".encode()
TEXT_GB = "订单 1042：鞋子开胶了\n".encode("gb18030")
