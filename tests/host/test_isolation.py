"""An adapter in its own process: the same answers, its own faults, and nobody else's."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskhub.config import Instance
from deskhub.config.model import Limits
from deskhub_sdk import (
    AuthRequired,
    Malformed,
    OutcomeUnknown,
    Rejected,
    Throttled,
)
from tests.host.small_hub import SmallHub, eventually, small_hub, visitor
from tests.support.failing import FAULTS, FD, HEAD, says

Hub = Callable[..., Any]


@pytest.fixture
def hub_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a hub with adapters whose class bodies are given, each in its own process."""

    @asynccontextmanager
    async def start(
        *bodies: str, isolation: str = "process", waits: bool = True, **config: Any
    ) -> AsyncIterator[SmallHub]:
        folder = tmp_path / "code"
        folder.mkdir(exist_ok=True)
        monkeypatch.syspath_prepend(folder)
        points, settings = {}, {}
        for number, body in enumerate(bodies):
            name, module = f"a{number}", f"isolated_{number}"
            sys.modules.pop(module, None)
            (folder / f"{module}.py").write_text(HEAD + body)
            points[name] = EntryPoint(name, f"{module}:Test", "deskhub.adapters")
            settings[name] = Instance(
                id=name, use=name, isolation=isolation, config=config,
                limits=Limits(memory="256MB"),
            )  # fmt: skip
        async with small_hub(
            tmp_path, {}, settings=settings, points=points, waits=waits
        ) as hub:
            yield hub
        for number in range(len(bodies)):
            sys.modules.pop(f"isolated_{number}", None)

    return start


async def diagnosed(hub: SmallHub, instance: str = "a0") -> Any:
    return await hub.host.direct(instance, "diagnostics")


async def test_an_empty_environment_an_own_folder_and_only_its_own_files(
    hub_with: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKHUB_SECRET", "s3cret")
    (tmp_path / "hub.toml").write_text("secret")
    body = says(
        "found = dict(os.environ)\n"
        "open('own', 'w').write('x')\n"
        "denied = []\n"
        f"for place in ({str(tmp_path / 'hub.toml')!r}, '/etc/passwd', '/proc/1/environ'):\n"
        "    try:\n        open(place).read()\n"
        "    except OSError as error:\n        denied.append(type(error).__name__)\n"
        "import resource\n"
        "return {'env': sorted(found), 'cwd': os.getcwd(), 'denied': denied,\n"
        "        'files': resource.getrlimit(resource.RLIMIT_NOFILE)[0],\n"
        "        'core': resource.getrlimit(resource.RLIMIT_CORE)[0],\n"
        "        'group': os.getpgid(0) == os.getpid()}"
    )
    async with hub_with(body) as hub:
        told = await diagnosed(hub)
        layers = hub.host.instance("a0").layers

    assert "DESKHUB_SECRET" not in told["env"]
    assert told["cwd"].endswith("workers/a0")
    assert (told["files"], told["core"], told["group"]) == (64, 0, True)
    assert {"limits", "no-processes"} <= set(layers)
    if "landlock" in layers:
        assert len(told["denied"]) == 3


async def test_errors_of_the_contract_cross_with_their_meaning(hub_with: Hub) -> None:
    kinds = {
        "Rejected('no')": Rejected,
        "AuthRequired('out')": AuthRequired,
        "Throttled('slow', retry_after_s=7)": Throttled,
        "OutcomeUnknown('?')": OutcomeUnknown,
    }
    bodies = [says(f"raise {text}") for text in kinds]
    async with hub_with(*bodies) as hub:
        for number, (text, kind) in enumerate(kinds.items()):
            with pytest.raises(kind) as caught:
                await diagnosed(hub, f"a{number}")
            assert type(caught.value) is kind, text
            if kind is Throttled:
                assert caught.value.retry_after_s == 7


async def test_an_unknown_error_names_its_kind_and_line_and_not_its_text(hub_with: Hub) -> None:
    async with hub_with(says("raise ValueError('token hunter2')")) as hub:
        with pytest.raises(OutcomeUnknown) as caught:
            await diagnosed(hub)

    assert "ValueError" in str(caught.value)
    assert "isolated_0.py:" in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def test_the_context_calls_back_with_the_instances_own_rights(hub_with: Hub) -> None:
    body = says(
        "await self.ctx.kv.put('k', b'v')\n"
        "await self.ctx.cache.set('c', b'w', 5.0)\n"
        "tried = []\n"
        "for url in ('http://127.0.0.1:1/x', 'https://elsewhere.example/'):\n"
        "    try:\n        await self.ctx.http.request('GET', url)\n"
        "    except AdapterError as error:\n        tried.append(error.code)\n"
        "return {'kv': (await self.ctx.kv.get('k')).decode(), 'who': self.ctx.instance,\n"
        "        'cache': (await self.ctx.cache.get('c')).decode(), 'http': tried,\n"
        "        'secret': self.ctx.secret('token'), 'zone': str(self.ctx.clock.now().tzinfo)}"
    )
    async with hub_with(body, token="own-token") as hub:
        told = await diagnosed(hub)

    assert told["kv"] == "v"
    assert told["cache"] == "w"
    assert told["who"] == "a0"
    assert told["secret"] == "own-token"
    assert told["http"] == ["unavailable", "not_sent"]


async def test_what_it_did_not_ask_for_is_refused(hub_with: Hub) -> None:
    body = (
        "    @hookimpl\n"
        "    async def suggest_replies(self, draft):\n"
        "        await self.ctx.conversations.add_note(draft, 'hello', cid='n1')\n"
        "        await self.ctx.conversations.post_message(draft, 'hello', cid='n2')\n"
        "        return ()\n"
    )
    async with hub_with(body) as hub:
        of = await hub.open(visitor("v_1"))
        with pytest.raises(Rejected):
            await hub.host.direct("a0", "suggest_replies", conversation=None, draft=of, limit=1)
        notes, messages = await hub.events("note.posted"), await hub.events("message.posted")

    assert [event.by for event in notes] == ["adapter:a0"]
    assert [event.by for event in messages] == ["visitor:v_1"]


async def test_a_deadline_ends_the_work_in_the_worker(hub_with: Hub) -> None:
    body = says(
        "self.seen = getattr(self, 'seen', [])\n"
        "if not self.seen:\n"
        "    self.seen.append('began')\n"
        "    try:\n        await asyncio.sleep(60)\n"
        "    except asyncio.CancelledError:\n        self.seen.append('left')\n        raise\n"
        "return {'seen': self.seen}"
    )
    async with hub_with(body) as hub:
        adapter = hub.host.instance("a0").adapter
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await adapter.diagnostics()
        told = await eventually(lambda: diagnosed(hub))

    assert told["seen"] == ["began", "left"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_culprit_is_named_and_others_go_on(hub_with: Hub, fault: str) -> None:
    body, words = FAULTS[fault]
    async with hub_with(FD + says(body), says("return {'fine': True}")) as hub:
        first = hub.host.instance("a0")
        pid = first.adapter.worker.pid
        with pytest.raises((OutcomeUnknown, Malformed)):
            await diagnosed(hub)
        text = await eventually(lambda: words in first.words and first.words, 15)
        assert (await diagnosed(hub, "a1")) == {"fine": True}
        await eventually(lambda: first.state == "ready", 15)
        assert first.adapter.worker.pid != pid

    assert text.startswith("Fake ")
    if fault in ("burns CPU", "holds the interpreter in a regex", "segfaults"):
        assert "isolated_0.py:" in text


async def test_an_answer_that_is_too_large_is_refused_by_name(hub_with: Hub) -> None:
    async with hub_with(says("return {'x': 'y' * 20_000_000}")) as hub:
        with pytest.raises(Malformed, match="a frame of"):
            await diagnosed(hub)
        assert hub.host.instance("a0").state == "ready"


async def test_starting_a_process_is_refused_and_named(hub_with: Hub) -> None:
    async with hub_with(says("os.fork()")) as hub:
        with pytest.raises(OutcomeUnknown):
            await diagnosed(hub)
        one = hub.host.instance("a0")
        await eventually(lambda: "os.fork" in one.words)

    assert "Fake" in one.words


async def test_five_ends_in_ten_minutes_put_it_aside_until_somebody_says_so(
    hub_with: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deskhub.host.supervisor.LONGEST_PAUSE_S", 0.02)
    body = "    async def start(self, ctx):\n        os._exit(7)\n" + says("return {}")
    async with hub_with(body, waits=False) as hub:
        one = hub.host.instance("a0")
        await eventually(lambda: one.state == "quarantined", 30)
        text = one.words
        hub.host.restart("a0")
        await eventually(lambda: one.state in ("starting", "backoff"))

    assert "ended 5 times within ten minutes" in text
    assert "code 7" in text


async def test_the_worker_ends_with_the_hub(hub_with: Hub) -> None:
    async with hub_with(says("return {}")) as hub:
        pid = hub.host.instance("a0").adapter.worker.pid
        assert os.path.exists(f"/proc/{pid}")

    assert not os.path.exists(f"/proc/{pid}")


async def test_a_setting_that_only_the_adapter_can_judge_is_said_without_its_value(
    hub_with: Hub,
) -> None:
    body = (
        "    async def start(self, ctx):\n"
        "        raise ConfigInvalid('base_url leads nowhere')\n" + says("return {}")
    )
    async with hub_with(body, waits=False, token="hunter2") as hub:
        one = hub.host.instance("a0")
        await eventually(lambda: one.state == "config_invalid", 20)

    assert "base_url leads nowhere" in one.words
    assert "hunter2" not in one.words


async def test_an_adapter_that_is_not_its_manifest_does_not_start(
    hub_with: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    import deskhub.host.discovery as discovery

    honest = discovery.manifest_of

    def lying(*arguments: Any, **more: Any) -> Any:
        return msgspec.structs.replace(honest(*arguments, **more), summary="something else")

    monkeypatch.setattr(discovery, "manifest_of", lying)
    async with hub_with(says("return {}"), waits=False) as hub:
        one = hub.host.instance("a0")
        await eventually(lambda: one.state == "incompatible", 20)

    assert "summary" in one.words
