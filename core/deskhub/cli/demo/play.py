"""The demo's order of events: systems, configuration, people, hub, conversations."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from deskhub.app import Application, administration, build, serve_until_signal
from deskhub.cli.checked import checked
from deskhub.cli.demo import folder as demo_folder
from deskhub.cli.demo import history
from deskhub.cli.demo.people import PEOPLE
from deskhub.cli.demo.seed import Seeder
from deskhub.cli.demo.systems import DemoFailed, Keys, System, running
from deskhub.cli.output import Exit, hint, say
from deskhub.clock import SystemClock
from deskhub.config import Config
from deskhub.identity.records import Agent


async def play(port: int, *, as_json: bool) -> None:
    """Run the demo on *port* until SIGINT or SIGTERM; 0 takes a free one.

    Raises `DemoFailed` when one of its parts does not start.
    """
    started = time.monotonic()
    listen = f"127.0.0.1:{_free(port)}"
    api = f"http://{listen}"
    if port and not listen.endswith(f":{port}"):
        hint(f"port {port} is in use, so the demo takes {listen.rpartition(':')[2]}")
    keys = Keys()
    with tempfile.TemporaryDirectory(prefix="deskhub-demo-") as name, _terminable():
        folder = Path(name)
        async with running(api, keys, folder) as systems:
            _progress(
                f"{len(systems)} demo systems, 40 customers, 300 orders",
                started,
                as_json=as_json,
            )
            path = demo_folder.write(folder, listen, systems, keys)
            config = checked(path)
            await _past(config)
            application = await build(config, SystemClock())
            seeding = _Seeding(application, api, systems, started, as_json=as_json)
            await serve_until_signal(application, seeding.begin, beside=seeding.run)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM cancel this task, and so clean up, until the hub takes signals over."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    except asyncio.CancelledError:
        hint("stopped")
        raise SystemExit(Exit.INTERRUPTED) from None


class _Seeding:
    """Writes the demo's conversations once the hub listens, then says that it is ready."""

    def __init__(
        self,
        application: Application,
        api: str,
        systems: Mapping[str, System],
        started: float,
        *,
        as_json: bool,
    ) -> None:
        self._application = application
        self._api = api
        self._systems = systems
        self._started = started
        self._as_json = as_json
        self._listening = asyncio.Event()

    def begin(self) -> None:
        self._listening.set()

    async def run(self) -> None:
        await self._listening.wait()
        shop = self._systems["orders"].url
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
            seeder = Seeder(http, self._api, shop)
            await self._application.adapters_ready(deadline_s=15.0)
            await seeder.talks()
            told = await self._document(http, seeder)
        if self._as_json:
            say(orjson.dumps(told).decode())
            return
        _progress("hub, console and widget", self._started, as_json=False)
        say(_welcome(self._api, shop, self._systems))

    async def _document(self, http: aiohttp.ClientSession, seeder: Seeder) -> dict[str, Any]:
        """Return everything a person or a script needs to drive the product."""
        shop = self._systems["orders"].url
        async with http.get(f"{shop}/_sim/state") as answer:
            state = await answer.json(content_type=None)
        customers = [
            {
                "name": one["name"],
                "number": one["number"],
                "identity": await seeder.identity(one["number"]),
                "orders": one["orders"],
            }
            for one in state["customers"]
        ]
        return {
            "api": self._api,
            "console": f"{self._api}/console/",
            "shop": f"{shop}/",
            "inbox": "shop",
            "agents": [
                {
                    "email": one.email,
                    "password": one.password,
                    "role": one.role,
                    "name": one.name,
                }
                for one in PEOPLE
            ],
            "customers": customers,
            "systems": [
                {"name": one.name, "title": one.title, "url": one.url, "admin": one.admin}
                for one in self._systems.values()
            ],
        }


async def _past(config: Config) -> None:
    """Hire everybody, and let the past be as if they had always been here."""
    clock = SystemClock()
    hired: dict[str, Agent] = {}
    async with administration(config, clock) as identity:
        for person in PEOPLE:
            hired[person.email] = await identity.add_agent(
                tenant="main", email=person.email, name=person.name, role=person.role,
                password=person.password,
            )  # fmt: skip
    answering = {key: one for key, one in hired.items() if one.role == "agent"}
    await asyncio.to_thread(history.write, config.store_url, answering, clock.now())


def _progress(text: str, started: float, *, as_json: bool) -> None:
    if not as_json:
        mark = "✔" if (sys.stdout.encoding or "").lower().startswith("utf") else "ok"
        say(f"{mark} {text:58} {time.monotonic() - started:4.1f} s")


def _welcome(api: str, shop: str, systems: Mapping[str, System]) -> str:
    people = "\n".join(f"    {one.role:11} {one.email:26} {one.password}" for one in PEOPLE)
    names = "\n".join(f"    {one.title:26} {one.url}" for one in systems.values())
    return f"""
  The shop, with the chat at the bottom right   {shop}/
  The agents' console                           {api}/console/

  Sign in as
{people}

  Business systems (control address: /_sim/)
{names}

  Try this
    1  In the shop, open the chat as Wang Fang and write: I want to return my shoes.
    2  In the console, sign in as Li Wei, open her conversation and press Shift+R.
    3  Preview, confirm, and watch five systems change; the shop's page shows it too.
    4  Let the shop ship an order: curl -X POST {shop}/_sim/ship -d '{{"order":"1051"}}'

  Ctrl-C stops everything; nothing is left on disk.
"""


def _free(port: int) -> int:
    """Return *port* when nobody listens there, else any free one."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoFailed("there is no free port on 127.0.0.1")
