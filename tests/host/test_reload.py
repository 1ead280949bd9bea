"""hub.toml changes while the hub runs: nobody's call fails for it, and a mistake changes nothing."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from deskhub.clock import SystemClock
from deskhub.config import Config, load
from deskhub.config.edit import Edit
from deskhub.host.errors import ConfigNotEditable, ConfigRefused
from deskhub.host.guard import Bulkhead
from deskhub.host.reload import Reload
from deskhub.store import runs
from deskhub.store.tables.actions import audit
from deskhub_sdk import SPECS
from tests.actions.five import FiveSystems, planned_run
from tests.host.small_hub import SmallHub, eventually, small_hub, visitor

_numbers = itertools.count()

SOURCE = """
import asyncio
from deskhub_sdk import *
from pydantic import SecretStr

class Settings(Config):
    word: str = "none"
    token: SecretStr = SecretStr("none")

class Test(Adapter[Settings]):
    meta = Meta(id="fake", name="Fake", sdk=">=1.0,<2")
    config_model = Settings
    gone = False

    async def start(self, ctx):
        await super().start(ctx)
        {start}

    async def stop(self):
        self.gone = True

    async def answer(self):
        {answer}
        await asyncio.sleep(0.03)
        if self.gone:
            raise Unavailable("it was stopped in the middle of a call")

    @hookimpl
    async def suggest_replies(self, limit):
        await self.answer()
        return (SuggestedReply("{version}", self.config.word),)

    @hookimpl
    async def diagnostics(self):
        return {{"version": "{version}", "word": self.config.word}}

    @capability("orders@1")
    async def get_orders(self, ids):
        await self.answer()
        return {{}}
"""


class Package(NamedTuple):
    """What an installed distribution tells of itself."""

    version: str

    def read_text(self, name: str) -> None:
        return None


class Shelf:
    """The adapters that are installed; another version is another module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.points: dict[str, EntryPoint] = {}

    def install(self, name: str, version: str, *, start: str = "", answer: str = "") -> None:
        module = f"reloaded_{next(_numbers)}"
        (self.folder / f"{module}.py").write_text(
            SOURCE.format(version=version, start=start or "...", answer=answer or "...")
        )
        point = EntryPoint(name, f"{module}:Test", "deskhub.adapters")
        self.points[name] = point._for(Package(version))  # type: ignore[attr-defined]


class File:
    """hub.toml with some adapters."""

    def __init__(self, path: Path, isolation: str) -> None:
        self.path = path
        self.isolation = isolation
        self.adapters: dict[str, list[str]] = {}

    def write(self, **adapters: str) -> None:
        """Set the lines of *adapters*, and write the file with all of them."""
        self.adapters |= {name: lines.split(";") for name, lines in adapters.items()}
        self.path.write_text(
            "\n".join(
                f'[adapters.{name}]\nisolation = "{self.isolation}"\n' + "\n".join(lines)
                for name, lines in self.adapters.items()
            )
        )


class Desk(NamedTuple):
    hub: SmallHub
    reload: Reload
    shelf: Shelf
    file: File

    async def say(self, instance: str) -> dict[str, Any]:
        return dict(await self.hub.host.direct(instance, "diagnostics"))


@asynccontextmanager
async def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolation: str = "inline", **more: Any
) -> AsyncIterator[Desk]:
    """A hub with the adapters `shop` and `other` in a hub.toml that is watched."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    # A machine with other work must not make anybody late here.
    patient = msgspec.structs.replace(SPECS["suggest_replies"], deadline_s=60.0)
    monkeypatch.setitem(SPECS, "suggest_replies", patient)
    monkeypatch.setattr("deskhub.host.capability.READ_S", 60.0)
    shelf, file = Shelf(folder), File(tmp_path / "hub.toml", isolation)
    shelf.install("shop", "1")
    shelf.install("other", "1")
    file.write(shop="", other="")
    before = set(sys.modules)
    async with small_hub(
        tmp_path, {}, settings=load(file.path).adapters, points=shelf.points,
        run=more.pop("run", ("host",)),
    ) as hub:  # fmt: skip
        hub.host.points = lambda: shelf.points
        config = Config(path=file.path, adapters=load(file.path).adapters)
        reload = Reload(config, hub.host, hub.store, SystemClock(), look_every_s=0.02)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(reload.run())
            yield Desk(hub, reload, shelf, file)
            watching.cancel()
    for name in set(sys.modules) - before:
        if name.startswith("reloaded_"):
            del sys.modules[name]


class Callers:
    """Forty who ask both adapters all the time, and count who failed them, and when."""

    def __init__(self, hub: SmallHub) -> None:
        self._hub = hub
        self.over = False
        self.answered = 0
        self.phase = "whole"
        self.versions: Counter[str] = Counter()
        self.failed: Counter[tuple[str, str, str]] = Counter()

    async def run(self, number: int) -> None:
        ask = self._ask if number % 2 else self._call
        while not self.over:
            await ask(self.phase)
            self.answered += 1
            await asyncio.sleep(0.002)

    async def _ask(self, phase: str) -> None:
        answers = await self._hub.host.gather(
            "suggest_replies", "main", conversation=None, draft="", limit=3
        ).all()
        for one in answers:
            if one.state == "ok":
                self.versions[f"{one.instance} {one.value[0].text}"] += 1
            else:
                self.failed[phase, one.instance, type(one.error).__name__] += 1

    async def _call(self, phase: str) -> None:
        found = self._hub.host.capability("orders@1", "main")
        if found is None:
            return
        instance, orders = found
        try:
            await orders.get_orders(["1"])  # type: ignore[attr-defined]
        except Exception as error:
            self.failed[phase, instance, type(error).__name__] += 1

    async def more(self, calls: int = 80) -> None:
        """Wait until so many more calls have been answered."""
        goal = self.answered + calls
        await eventually(lambda: self.answered >= goal, 30)


@asynccontextmanager
async def forty(hub: SmallHub) -> AsyncIterator[Callers]:
    callers = Callers(hub)
    async with asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(callers.run(number))
        try:
            yield callers
        finally:
            callers.over = True


async def _through_its_life(found: Desk, callers: Callers) -> None:
    """Upgrade, break, disable and enable *shop*."""
    shop = found.hub.host.instance("shop")
    await callers.more()
    found.shelf.install("shop", "2")
    found.reload.ask()
    await eventually(lambda: shop.version == "2", 30)
    await callers.more()

    found.shelf.install("shop", "3", start="raise RuntimeError('broken')")
    found.reload.ask()
    await eventually(lambda: found.reload.status.kept, 30)
    await callers.more()
    assert shop.version == "2"

    callers.phase = "broken"
    found.shelf.install("shop", "4", answer="raise Unavailable('broken')")
    found.reload.ask()
    await eventually(lambda: shop.version == "4", 30)
    await callers.more()
    found.file.write(shop="enabled = false")
    await eventually(lambda: shop.state == "disabled", 30)
    callers.phase = "off"
    await callers.more()

    found.shelf.install("shop", "5")
    found.file.write(shop="enabled = true")
    await eventually(lambda: shop.version == "5" and shop.state == "ready", 30)
    await callers.more()


@pytest.mark.parametrize("isolation", ["inline", "process"])
@pytest.mark.timeout(120)
async def test_forty_callers_notice_nothing_of_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    async with desk(tmp_path, monkeypatch, isolation) as found, forty(found.hub) as callers:
        await _through_its_life(found, callers)

    assert {(phase, who) for phase, who, _ in callers.failed} == {("broken", "shop")}
    assert {f"shop {version}" for version in "125"} <= callers.versions.keys()
    assert callers.versions.keys() & {"shop 3", "shop 4"} == set()


@pytest.mark.parametrize("isolation", ["inline", "process"])
async def test_without_letting_calls_end_they_would_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    async def at_once(self: Bulkhead, at_most_s: float) -> bool:
        return False

    async with desk(tmp_path, monkeypatch, isolation) as found, forty(found.hub) as callers:
        shop = found.hub.host.instance("shop")
        found.shelf.install("shop", "2", answer="await asyncio.sleep(1)")
        found.reload.ask()
        await eventually(lambda: shop.version == "2", 30)
        await eventually(lambda: shop.guard.bulkhead.in_flight == 16, 30)
        monkeypatch.setattr(Bulkhead, "drained", at_once)
        found.shelf.install("shop", "3")
        found.reload.ask()
        await eventually(lambda: shop.version == "3", 30)
        await callers.more()

    assert {who for _, who, _ in callers.failed} == {"shop"}


async def test_new_settings_come_with_a_new_start_and_the_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path, monkeypatch) as found:
        assert await found.say("shop") == {"version": "1", "word": "none"}
        found.file.write(shop='config = { word = "hello" }')
        await eventually(lambda: found.reload.status.done, 30)

        assert await found.say("shop") == {"version": "1", "word": "hello"}
        assert [(one.kind, one.why) for one in found.reload.status.done] == [
            ("restart", "config.word changed")
        ]
        rows = await found.hub.rows(audit)

    assert [row["what"] for row in rows] == ["config.applied"]
    assert "hello" not in str(rows)


async def test_a_mistake_changes_nothing_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path, monkeypatch) as found:
        found.file.write(shop='config = { word = "hello" }', other="enabeld = false")
        await eventually(lambda: found.reload.status.problems, 30)
        problems = found.reload.status.problems
        assert problems is not None
        assert [(one.code, one.path) for one in problems.problems] == [
            ("DH103", ("adapters", "other", "enabeld"))
        ]
        assert (await found.say("shop"))["word"] == "none"

        found.file.write(other="")
        await eventually(lambda: found.reload.status.problems is None, 30)
        assert (await found.say("shop"))["word"] == "hello"


async def test_limits_of_calls_change_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path, monkeypatch) as found:
        shop = found.hub.host.instance("shop")
        before = shop.adapter
        found.file.write(shop='limits = { concurrency = 1, timeout = "7s" }')
        await eventually(lambda: found.reload.status.done, 30)

        assert shop.adapter is before
        assert shop.adapter.ctx.http.timeout_s == 7  # type: ignore[union-attr]
        async with shop.guard.bulkhead:
            waiting = asyncio.get_running_loop().create_task(found.say("shop"))
            await eventually(lambda: shop.guard.bulkhead.waiting == 1)
        assert (await waiting)["version"] == "1"


async def test_an_instance_comes_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path, monkeypatch) as found:
        found.file.write(second='use = "shop"')
        await eventually(
            lambda: any(one.id == "second" for one in found.hub.host.instances("main")), 30
        )
        await found.hub.host.instance("second").ready.wait()
        assert (await found.say("second"))["version"] == "1"

        del found.file.adapters["second"]
        found.file.write()
        await eventually(lambda: len(found.hub.host.instances("main")) == 2, 30)


async def test_a_run_that_has_begun_ends_before_its_adapter_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path, monkeypatch) as found:
        store, shop = found.hub.store, found.hub.host.instance("shop")
        run = planned_run(SystemClock(), FiveSystems())
        steps = tuple(replace(step, instance="shop") for step in run.steps)
        begun = replace(run, steps=steps)
        await store.transact("main", lambda tx: runs.insert_run(tx.connection, begun))

        found.file.write(shop="enabled = false")
        await eventually(lambda: shop.is_retiring, 30)
        # Its steps are still there for the run, and in no new plan.
        assert shop.ready.is_set()
        assert (await found.say("shop"))["version"] == "1"

        await store.transact(
            "main",
            lambda tx: runs.update_run(tx.connection, "main", run.id, state="completed"),
        )
        await eventually(lambda: shop.state == "disabled", 30)


async def test_a_run_that_does_not_end_keeps_no_adapter_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deskhub.host.reload.RUNS_END_S", 0.5)
    async with desk(tmp_path, monkeypatch) as found:
        shop = found.hub.host.instance("shop")
        run = planned_run(SystemClock(), FiveSystems())
        begun = replace(run, steps=tuple(replace(step, instance="shop") for step in run.steps))
        await found.hub.store.transact("main", lambda tx: runs.insert_run(tx.connection, begun))

        found.file.write(shop="enabled = false")

        await eventually(lambda: shop.state == "disabled", 30)


async def test_who_comes_later_is_told_of_messages_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path, monkeypatch, run=("host", "announcer")) as found:
        source = SOURCE.replace("    @hookimpl\n    async def diagnostics", (
            "    @hookimpl\n    async def message_posted(self, message):\n"
            "        type(self).heard = getattr(self, 'heard', ()) + (message.text,)\n\n"
            "    @hookimpl\n    async def diagnostics"
        ))  # fmt: skip
        monkeypatch.setattr(sys.modules[__name__], "SOURCE", source)
        found.shelf.install("ears", "1")
        found.file.write(ears="")
        await eventually(lambda: found.reload.status.done, 30)
        ears = found.hub.host.instance("ears")
        await ears.ready.wait()
        await found.hub.ready(announcing=True)
        await found.hub.open(visitor("v_1"), "are you there?")

        await eventually(lambda: getattr(ears.adapter, "heard", ()) == ("are you there?",), 30)


async def test_an_edit_is_proposed_with_its_difference_and_then_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = [Edit(("adapters", "shop", "enabled"), False)]
    async with desk(tmp_path, monkeypatch) as found:
        shown = await found.reload.propose(edits)
        assert "+enabled = false" in shown.draft.diff
        assert [(one.kind, one.where) for one in shown.changes] == [("remove", "adapters.shop")]
        assert "enabled" not in found.file.path.read_text()

        status = await found.reload.edit(edits, found.reload.status.digest, by="agent:a_1")
        assert [one.kind for one in status.done] == ["remove"]
        assert found.hub.host.instance("shop").state == "disabled"
        rows = await found.hub.rows(audit)
        assert [(row["what"], row["actor"]) for row in rows] == [
            ("config.edited", "agent:a_1"), ("config.applied", "system"),
        ]  # fmt: skip


async def test_an_edit_that_breaks_the_file_or_meets_another_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path, monkeypatch) as found:
        digest = found.reload.status.digest
        with pytest.raises(ConfigRefused) as refused:
            await found.reload.propose([Edit(("adapters", "shop", "enabeld"), value=True)])
        assert refused.value.fields[0]["path"] == "adapters.shop.enabeld"

        found.file.write(shop='config = { word = "meanwhile" }')
        with pytest.raises(ConfigNotEditable):
            await found.reload.edit(
                [Edit(("adapters", "shop", "enabled"), value=False)], digest, by="agent:a_1"
            )
