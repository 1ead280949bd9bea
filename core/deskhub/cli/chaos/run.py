"""The test itself: a copy under load, killed again and again, then compared."""

from __future__ import annotations

import asyncio
import random
import secrets
import tempfile
import time
from pathlib import Path

from deskhub.cli.chaos.crowd import TRAP_S, VISITORS, Crowd, talking
from deskhub.cli.chaos.link import Link
from deskhub.cli.chaos.notes import Figures, Notes, judge
from deskhub.cli.chaos.process import NotRunning
from deskhub.cli.chaos.scratch import Scratch
from deskhub.cli.output import hint
from deskhub.config import Config

__all__ = ["NotRunning", "prove"]

# How long the hub lives between two kills: mostly long enough for everybody to be back.
LIFE_S = (0.5, 3.5)


async def prove(
    settings: Config,
    database: Path | None,
    folder: Path,
    *,
    kills: int,
    cuts: bool,
    dice: random.Random,
    visitors: int = VISITORS,
) -> Figures:
    """Return the figures of *kills* kills of a copy of the hub in *settings*.

    The copy lives in a new folder inside *folder*, which is deleted at the end. *cuts* also
    breaks the clients' connections. Raises `NotRunning`.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=".deskhub-chaos-", dir=folder) as place:
        copy = Scratch(Path(place), settings)
        await copy.prepare(database)
        notes = Notes(f"chaos-{secrets.token_hex(4)}")
        link = Link(copy.hub.port, dice)
        trouble: BaseExceptionGroup[NotRunning] | None = None
        try:
            await copy.hub.start()
            async with link.listening():
                await _suffer(copy, link, notes, kills, dice, visitors=visitors, cuts=cuts)
        except* NotRunning as group:
            trouble = group
        finally:
            await copy.hub.kill()
        if trouble is not None:
            raise NotRunning(str(_first(trouble)))
        lost, duplicates, inversions = judge(notes, copy.log())
    return Figures(
        kills, len(notes.acked), lost, duplicates, inversions, link.cuts,
        round(len(notes.acked) / copy.hub.ran_s), round(copy.hub.slowest_start_s, 2),
        round(time.monotonic() - began, 1),
    )  # fmt: skip


async def _suffer(
    copy: Scratch,
    link: Link,
    notes: Notes,
    kills: int,
    dice: random.Random,
    *,
    visitors: int,
    cuts: bool,
) -> None:
    """Let people talk while the copy is killed; end when all of it has arrived."""

    def door() -> int:
        port = copy.hub.door()
        return link.port if cuts else port

    async def head() -> int:
        return await asyncio.to_thread(copy.head)

    people = talking(
        notes, copy.inbox, copy.password, dice,
        door=door, watched=(door, door), visitors=visitors,
    )  # fmt: skip
    async with people as crowd, asyncio.TaskGroup() as group:
        storm = group.create_task(link.storm(), name="storm") if cuts else None
        await _kill(copy, crowd, kills, dice)
        if storm is not None:
            storm.cancel()
        await crowd.settle(head)


async def _kill(copy: Scratch, crowd: Crowd, kills: int, dice: random.Random) -> None:
    """Kill the copy *kills* times: with an answer, before a commit, at any moment, by turns.

    The kill with an answer comes from here, as fast as this process is; the death before a
    commit is the hub's own, so that it does not depend on how busy the machine is.
    """
    for number in range(1, kills + 1):
        if number % 3 == 2:
            await copy.hub.ended(TRAP_S)
        else:
            await asyncio.sleep(dice.uniform(*LIFE_S))
        if number % 3 == 1:
            await crowd.strike(copy.hub)
        await copy.hub.kill()
        dies = number % 3 == 1 and number < kills
        await copy.hub.start(f"batch.written:{dice.randint(20, 80)}" if dies else "")
        if number % 10 == 0 and number < kills:
            hint(f"{number} kills, {len(crowd.notes.acked)} acknowledged")
    await asyncio.sleep(1.0)


def _first(group: BaseExceptionGroup[NotRunning]) -> BaseException:
    """Return the first error in *group* that is none itself."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
