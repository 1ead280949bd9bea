"""Secrets of hub.toml are in no output, however an adapter handles its own."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from deskhub import log
from deskhub.clock import SystemClock
from deskhub.config import Config, ConfigProblems, load
from deskhub.config.edit import Edit
from deskhub.config.secret_store import SecretStore
from deskhub.edge.routes.adapters import adapter_view
from deskhub.host.reload import Reload
from deskhub.store.tables.actions import audit
from deskhub.store.tables.hub import hook_dead
from tests.host.small_hub import AGENT, SmallHub, eventually, small_hub, visitor

CANARIES = {kind: f'canary-{kind}-"5b1c9e\\' for kind in ("env", "file", "store")}
SOURCE = """
import logging
from deskhub_sdk import *
from deskhub_sdk.cards import Card, TextBlock
from pydantic import SecretStr

class Settings(Config):
    token: SecretStr

class Careless(Adapter[Settings]):
    meta = Meta(id="fake", name="Fake", sdk=">=1.0,<2", permissions=Permissions(writes=("card",)))
    config_model = Settings

    async def start(self, ctx):
        await super().start(ctx)
        self.told = self.config.token.get_secret_value()
        ctx.log.warning("started_with_" + self.told, extra={"seen": self.told, "in": [self.told]})
        logging.getLogger("elsewhere").error("oh %s", self.told)

    async def check_connection(self):
        return Health(ok=False, text="refused " + self.told, checked_at=self.ctx.clock.now())

    @hookimpl
    async def conversation_cards(self, conversation):
        return (Card(id="one", title="One", blocks=(TextBlock("token " + self.told),),
                     fallback="no " + self.told),)

    @hookimpl
    async def message_posted(self, message):
        raise ValueError("cannot tell " + self.told)

    @hookimpl
    async def suggest_replies(self, draft):
        raise Unavailable("cannot suggest " + self.told)
"""


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, as it would be written."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    log.configure("debug", stream=stream)
    plain = logging.StreamHandler(stream)
    plain.setFormatter(log.PlainLines())
    root.addHandler(plain)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def hub_toml(folder: Path, monkeypatch: pytest.MonkeyPatch, isolation: str) -> Path:
    """Write a hub.toml whose adapters have their secrets in every place there is."""
    monkeypatch.setenv("CARELESS", CANARIES["env"])
    (folder / "token").write_text(CANARIES["file"])
    SecretStore(folder / "data").put("main", "careless", CANARIES["store"])
    references = {"env": "CARELESS", "file": "token", "store": "careless"}
    path = folder / "hub.toml"
    path.write_text(
        "\n".join(
            f'[adapters.{kind}]\nuse = "fake"\nisolation = "{isolation}"\n'
            f'config = {{ token = {{ {kind} = "{name}" }} }}'
            for kind, name in references.items()
        )
    )
    return path


async def outputs(hub: SmallHub, reload: Reload, config: Config, path: Path) -> list[str]:
    """Return everything that somebody may see of an adapter, after letting it do its worst."""
    of = await hub.open(visitor("v_1"))
    shown: list[Any] = [repr(config), repr(config.adapters), str(hub.host.settings())]
    for kind in CANARIES:
        one = hub.host.instance(kind)
        health = await one.adapter.check_connection()  # type: ignore[union-attr]
        one.checked(health)
        shown += [adapter_view(one).model_dump(), one.words, one.why_not()]
    answers = await hub.host.gather(
        "suggest_replies", "main", conversation=None, draft="", limit=1
    ).all()
    assert [one.state for one in answers] == ["failed"] * 3
    panels = await hub.panels.open(AGENT, of)
    assert [one["cards"][0]["id"] for one in panels] == ["invalid:0"] * 3
    shown += [panels]
    await eventually(lambda: hub.rows(hook_dead), 30)
    shown += [await hub.rows(hook_dead), await hub.events()]
    source = path.read_text()
    path.write_text(source.replace('use = "fake"', 'use = "fake"\nlimits = { timeout = "9s" }'))
    shown += [await reload.load(), await hub.rows(audit)]
    edit = Edit(("adapters", "env", "config", "token"), {"env": "NOWHERE_TO_BE_FOUND"})
    try:
        shown.append(await reload.propose([edit]))
    except Exception as error:
        shown.append((error, getattr(error, "fields", ())))
    path.write_text(
        source.replace("CARELESS", "NOWHERE")
        + f'\n[hub]\nbus_password = "{CANARIES["env"][:12]}"'
    )
    try:
        load(path)
    except ConfigProblems as problems:
        shown.append(problems.rendered())
    return [str(one) for one in shown]


@pytest.mark.parametrize("isolation", ["inline", "process"])
async def test_no_output_holds_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO, isolation: str
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "careless.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(code)
    path = hub_toml(tmp_path, monkeypatch, isolation)
    config = load(path)
    points = {"fake": EntryPoint("fake", "careless:Careless", "deskhub.adapters")}

    async with small_hub(
        tmp_path, {}, settings=config.adapters, points=points, attempts=1
    ) as hub:
        reload = Reload(config, hub.host, hub.store, SystemClock())
        shown = await outputs(hub, reload, config, path)
    sys.modules.pop("careless", None)

    everything = "\n".join([*shown, logged.getvalue()])
    for secret in CANARIES.values():
        assert secret not in everything
        assert json.dumps(secret)[1:-1] not in everything
    assert "started_with_" in logged.getvalue()


def test_without_the_net_a_log_line_would_hold_it(
    logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_concealed", set())
    logging.getLogger("deskhub").error("oh %s", CANARIES["env"])

    assert "canary-env" in logged.getvalue()
