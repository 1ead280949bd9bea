"""Settings that nobody saved are tried by an instance that leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from deskhub.clock import SystemClock
from deskhub.config import Config as HubConfig
from deskhub.config import Instance
from deskhub.config.model import Limits
from deskhub.errors import Busy
from deskhub.host import trial
from deskhub.host.trial import Trials, Tried
from tests.support.failing import HEAD

pytestmark = pytest.mark.timeout(120)


def checks(body: str) -> str:
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return f"    async def check_connection(self):\n{lines}\n"


WELL = "return Health(ok=True, text='', checked_at=self.ctx.clock.now())"


@pytest.fixture
def trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trials:
    """Return trials whose only adapter is what a test writes with `adapter`."""
    (tmp_path / "code").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "code")
    points = {"shop": EntryPoint("shop", "tried_shop:Test", "deskhub.adapters")}
    sys.modules.pop("tried_shop", None)
    return Trials(HubConfig(path=tmp_path / "hub.toml"), SystemClock(), lambda: points)


async def attempt(trials: Trials, tmp_path: Path, body: str, **config: object) -> Tried:
    (tmp_path / "code" / "tried_shop.py").write_text(HEAD + body)
    sys.modules.pop("tried_shop", None)
    return await trials.run(
        Instance(id="shop", use="shop", config=config, limits=Limits(memory="256MB"))
    )


async def test_what_answers_is_said_to_answer(trials: Trials, tmp_path: Path) -> None:
    found = await attempt(trials, tmp_path, checks(WELL))

    assert (found.ok, found.code, found.text) == (True, "", "")
    assert "no-processes" in found.layers


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("raise AuthRequired('account 17 is locked')", "DH412", "refuses the hub's credentials"),
        ("raise Unavailable('refused')", "DH411", "refused"),
        ("raise ConfigInvalid('no such site.')", "DH202", "no such site."),
        ("return Health(ok=False, text='Out of licences.', checked_at=self.ctx.clock.now())",
         "DH411", "Out of licences."),
        ("return 1 / 0", "DH413", "ZeroDivisionError"),
        ("os._exit(3)", "DH413", "ended by itself with code 3"),
        ("while True: pass", "DH413", "did not answer for 3 s"),
        ("await asyncio.sleep(3600)", "DH411", "did not answer in time"),
    ],
)  # fmt: skip
async def test_what_does_not_has_a_code_a_reason_and_a_cure(
    trials: Trials, tmp_path: Path, body: str, code: str, words: str
) -> None:
    found = await attempt(trials, tmp_path, checks(body))

    assert (found.ok, found.code) == (False, code), found
    assert words in found.text
    assert "account 17" not in found.text
    assert found.fix == trial.FIXES[code]


async def test_wrong_settings_are_all_told_and_start_nothing(
    trials: Trials, tmp_path: Path
) -> None:
    body = checks(f"open({str(tmp_path / 'began')!r}, 'w')\n{WELL}")

    found = await attempt(trials, tmp_path, body, base_url=7, colour="red")

    assert sorted(one.code for one in found.problems) == ["DH202", "DH203"]
    assert not (tmp_path / "began").exists()


async def test_nothing_of_it_is_left(trials: Trials, tmp_path: Path) -> None:
    body = (
        "    async def start(self, ctx):\n"
        "        await super().start(ctx)\n"
        "        assert await ctx.kv.get('seen') is None\n"
        "        await ctx.kv.put('seen', b'1')\n"
        "        open('mine', 'w').write(str(os.getpid()))\n"
        "        ctx.log.info('pid', extra={'its_pid': os.getpid()})\n" + checks(WELL)
    )

    first = await attempt(trials, tmp_path, body)
    again = await attempt(trials, tmp_path, body)

    assert (first.ok, again.ok) == (True, True)
    assert [one.name for one in tmp_path.rglob("~trial*")] == []
    assert _children() == []
    assert {task.get_name() for task in asyncio.all_tasks()} == {
        asyncio.current_task().get_name()  # type: ignore[union-attr]  # a test is one
    }


async def test_a_trial_reaches_no_conversation(trials: Trials, tmp_path: Path) -> None:
    body = checks(
        "try:\n    await self.ctx.conversations.add_note('c_1', 'hello', cid='x')\n"
        f"except Rejected as error:\n    assert 'forbidden' in str(error)\n    {WELL}"
    )

    assert (await attempt(trials, tmp_path, body)).ok


async def test_its_secrets_are_in_no_answer(trials: Trials, tmp_path: Path) -> None:
    from deskhub import log

    log.conceal("hunter2hunter2")
    body = checks("raise Unavailable('token ' + self.ctx.secret('token'))")

    found = await attempt(trials, tmp_path, body, token="hunter2hunter2")

    assert found.code == "DH411"
    assert "hunter2" not in repr(found)


async def test_a_second_one_waits_for_its_turn_and_not_for_ever(
    trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "TURN_S", 0.05)
    slow = checks(f"await asyncio.sleep(1)\n{WELL}")

    async with asyncio.TaskGroup() as group:
        first = group.create_task(attempt(trials, tmp_path, slow))
        await asyncio.sleep(0.3)
        with pytest.raises(Busy):
            await attempt(trials, tmp_path, slow)

    assert first.result().ok


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
