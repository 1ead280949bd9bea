"""Pictures are written anew by a program of its own, which no picture can hurt."""

from __future__ import annotations

import asyncio
import io
import resource
from pathlib import Path

import pytest
from PIL import Image

from deskhub.files import reencode
from deskhub.files.errors import PictureDamaged, PictureTooCostly, PictureTooLarge
from deskhub.files.reencode import Picture, Reencoder
from tests.files import made


class Bench:
    """A folder, and the picture program."""

    def __init__(self, folder: Path, *program: str) -> None:
        self.folder = folder
        self.reencoder = Reencoder(program) if program else Reencoder()

    async def run(self, content: bytes, name: str = "in") -> Picture:
        source = self.folder / name
        source.write_bytes(content)
        return await self.reencoder.reencode(
            source, self.folder / f"{name}.image", self.folder / f"{name}.thumb"
        )

    def opened(self, part: str = "image") -> Image.Image:
        return Image.open(io.BytesIO((self.folder / f"in.{part}").read_bytes()))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def sabotaged(folder: Path, change: str) -> Bench:
    """Return a bench whose program runs with *change* made to it first."""
    script = folder / "sabotaged.py"
    script.write_text(f"import deskhub.files.picture as p\n{change}\np.main()\n")
    return Bench(folder, str(script))


async def test_a_photo_becomes_webp_without_where_it_was_taken(bench: Bench) -> None:
    given = made.photo(800, 600)
    assert b"SecretCamera" in given

    told = await bench.run(given)

    kept = (bench.folder / "in.image").read_bytes()
    assert told == Picture(800, 600, 640, 480)
    assert bench.opened().format == "WEBP"
    assert bench.opened().size == (800, 600)
    assert bench.opened("thumb").size == (640, 480)
    assert b"SecretCamera" not in kept
    assert b"EXIF" not in kept
    assert not bench.opened().getexif()


async def test_a_photo_that_was_held_sideways_stands_upright(bench: Bench) -> None:
    told = await bench.run(made.photo(80, 40, orientation=6))

    picture = bench.opened().convert("RGB")
    assert (told.width, told.height) == (40, 80)
    # Turned clockwise, the red left half is the upper one.
    assert picture.getpixel((20, 10))[1] < 60
    assert picture.getpixel((20, 70))[1] > 200


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
async def test_other_formats_become_webp_too(bench: Bench, kind: str) -> None:
    told = await bench.run(made.photo(60, 30, kind=kind))

    assert (told.width, told.height) == (60, 30)
    assert bench.opened().format == "WEBP"


async def test_transparency_is_kept(bench: Bench) -> None:
    await bench.run(made.saved(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"))

    assert bench.opened().convert("RGBA").getpixel((5, 5))[3] == 0


async def test_a_long_picture_fits_the_formats_own_limit(bench: Bench) -> None:
    told = await bench.run(made.png_of_nothing(100, 20_000))

    assert told.height == 16_383
    assert told.thumb_height == 640


HOSTILE = {
    "declares 4 gigapixels": (made.png_that_says(65_000, 65_000), PictureTooLarge),
    "declares a little too much": (made.png_that_says(5_001, 5_000), PictureTooLarge),
    "4 KB that are 36 megapixels": (made.png_of_nothing(6_000, 6_000), PictureTooLarge),
    "cut in the middle": (made.photo(300, 200)[:2000], PictureDamaged),
    "only the first bytes": (b"\xff\xd8\xff\xe0", PictureDamaged),
    "declares more than it holds": (made.png_that_says(3_000, 3_000), PictureDamaged),
    "no pixels": (made.png_that_says(0, 0), PictureDamaged),
    "not what it says": (b"GIF89a" + b"\xff" * 500, PictureDamaged),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", PictureDamaged),
}


@pytest.mark.parametrize(("content", "refusal"), HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_picture_is_refused_in_words(
    bench: Bench, content: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await bench.run(content)


async def test_ten_thousand_frames_cost_as_much_as_one(bench: Bench) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime

    told = await bench.run(made.gif_of_frames(10_000))

    assert (told.width, told.height) == (400, 400)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 5


async def test_without_the_question_for_pixels_a_bomb_is_ended_by_its_limits(
    tmp_path: Path,
) -> None:
    bench = sabotaged(tmp_path, "p.PIXELS_MAX = 10**12")

    with pytest.raises(PictureTooCostly):
        await bench.run(made.png_that_says(60_000, 60_000))


async def test_without_the_limit_of_memory_the_same_bomb_takes_it(tmp_path: Path) -> None:
    """The twin of the test above: where nothing is limited, gigabytes are asked for and given."""
    change = (
        "p.PIXELS_MAX = 10**12\n"
        "import resource, atexit\n"
        "p.confine = lambda **_: ()\n"
        "def reencode(image, thumb):\n"
        "    import mmap\n"
        "    try:\n        kept = mmap.mmap(-1, 1024**3)\n"
        "    except OSError as error:\n        raise MemoryError from error\n"
        "    return {'width': 1, 'height': 1, 'thumb_width': 1, 'thumb_height': 1}\n"
        "p._reencode = reencode\n"
    )

    told = await sabotaged(tmp_path, change).run(b"x")

    assert told == Picture(1, 1, 1, 1)
    with pytest.raises(PictureTooCostly):
        await sabotaged(tmp_path, change.replace("p.confine = lambda **_: ()", "")).run(b"x")


WISHES = {
    "a file of the machine": "open('/etc/passwd').read()",
    "a process": "import os; os.system('true')",
    "a file of its own": "open('/tmp/deskhub-escaped', 'w')",
    "an environment": "assert not [k for k in __import__('os').environ if 'SECRET' in k or k == 'PATH'] or 1/0; 1/0",
}


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
async def test_the_program_can_reach_nothing(
    tmp_path: Path, wish: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a hole in a decoder could call fails inside the cage."""
    monkeypatch.setenv("A_SECRET", "s")
    bench = sabotaged(
        tmp_path, f"def reencode(image, thumb):\n    {wish}\np._reencode = reencode"
    )

    with pytest.raises(PictureDamaged):
        await bench.run(b"x")


async def test_a_picture_that_never_ends_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencode, "WITHIN_S", 1.0)
    bench = sabotaged(tmp_path, "import time\np._reencode = lambda *_: time.sleep(600)")

    with pytest.raises(PictureTooCostly):
        await bench.run(b"x")


async def test_two_pictures_are_open_at_a_time_and_few_may_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencode, "WAITING_MAX", 3)
    bench = Bench(tmp_path)

    async def one(number: int) -> str:
        try:
            await bench.run(made.photo(), f"in{number}")
        except Exception as error:
            return getattr(error, "code", repr(error))
        return "ok"

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(number)) for number in range(5)]

    assert sorted(task.result() for task in tasks) == ["busy", "busy", "ok", "ok", "ok"]
