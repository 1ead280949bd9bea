"""The program that opens strangers' pictures: one picture, confined, then it ends.

``python -I -m deskhub.files.picture PARENT IMAGE_FD THUMB_FD < picture`` writes two WebP files
and one line of JSON. What is dropped by writing anew: EXIF with its place and time, profiles,
further frames, and whatever was hidden behind the picture.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deskhub_sdk.worker.cage import confine, follow_parent

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS_MAX = 25_000_000
# Larger than any screen; a photo with more is stored with this many.
KEPT_PIXELS = 8_000_000
# The format's own limit.
EDGE_MAX = 16_383
THUMB_EDGE = 640
CPU_S = 5
MEMORY = 512 * 1024**2
OUTPUT_BYTES = 16 * 1024**2
# Nothing is written by its path.
_NOWHERE = Path("/nonexistent")


def main() -> None:
    """Re-encode standard input; tell sizes, or the code of why not."""
    parent, image, thumb = (int(text) for text in sys.argv[1:4])
    follow_parent(parent)
    # Before the limits: decoders that are imported later may be read, nothing else.
    from PIL import Image, ImageOps, WebPImagePlugin  # noqa: PLC0415

    del ImageOps, WebPImagePlugin
    Image.MAX_IMAGE_PIXELS = None  # Asked below, before anything is decoded.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_BYTES, OUTPUT_BYTES))
    modules = (str(Path(Image.__file__).parents[1]), str(Path(os.__file__).parent))
    confine(memory=MEMORY, folder=_NOWHERE, readable=modules, sockets=False)
    try:
        told = _reencode(image, thumb)
    except MemoryError:
        told = {"refused": "picture_too_costly"}
    except Exception as error:  # noqa: BLE001  the decoders raise whatever hostile bytes lead to
        told = {"refused": "picture_damaged", "why": type(error).__name__}
    sys.stdout.write(json.dumps(told))


def _reencode(image: int, thumb: int) -> dict[str, Any]:
    from PIL import Image  # noqa: PLC0415

    with Image.open(sys.stdin.buffer, formats=("JPEG", "PNG", "GIF", "WEBP")) as opened:
        pixels = opened.width * opened.height
        if pixels > PIXELS_MAX:
            return {"refused": "picture_too_large"}
        if not pixels:
            return {"refused": "picture_damaged"}
        width, height = _within(opened.width, opened.height)
        # A JPEG decodes straight into a smaller size, at a fraction of the cost.
        opened.draft("RGB", (width, height))
        kept = _upright(opened, width, height)
    _write(kept, image, quality=82)
    small = kept.copy()
    small.thumbnail((THUMB_EDGE, THUMB_EDGE))
    _write(small, thumb, quality=75)
    return {
        "width": kept.width, "height": kept.height,
        "thumb_width": small.width, "thumb_height": small.height,
    }  # fmt: skip


def _upright(opened: Image, width: int, height: int) -> Image:
    """Return the picture in its size and as it was held, without anything beside its pixels."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    orientation = opened.getexif().get(0x0112, 1)
    has_alpha = (
        opened.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in opened.info
    )
    plain = opened.convert("RGBA" if has_alpha else "RGB")
    if plain.size != (width, height):
        plain = plain.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    plain.info.clear()
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain.info["exif"] = exif.tobytes()
    turned = ImageOps.exif_transpose(plain)
    turned.info.clear()
    return turned


def _within(width: int, height: int) -> tuple[int, int]:
    """Return the size to keep: the same shape, within pixels and edges."""
    scale = min(
        1.0, math.sqrt(KEPT_PIXELS / (width * height)), EDGE_MAX / width, EDGE_MAX / height
    )
    return max(1, int(width * scale)), max(1, int(height * scale))


def _write(picture: Image, fd: int, *, quality: int) -> None:
    with os.fdopen(fd, "wb") as file:
        picture.save(file, "WEBP", quality=quality, method=2, exif=b"", icc_profile=None)


if __name__ == "__main__":
    main()
