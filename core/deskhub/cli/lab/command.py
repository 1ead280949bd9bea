"""``deskhub lab``: what can be asked for, and what is printed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from deskhub.cli.lab.cache import Cache, LabFailed, default_folder
from deskhub.cli.lab.peers import PEERS, Peer, chosen
from deskhub.cli.lab.running import Running, prepare, running
from deskhub.cli.options import JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say

OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", help=f"Only this peer; may be repeated: {', '.join(PEERS)}."),
]
SetupOption = Annotated[bool, typer.Option("--setup", help="Make what is slow, then end.")]
HubOption = Annotated[str, typer.Option("--hub", help="The hub that sign-in comes back to.")]
CacheOption = Annotated[
    Path | None, typer.Option("--cache", help="Where what is slow to make is kept.")
]


def lab(
    only: OnlyOption = None,
    setup: SetupOption = False,  # noqa: FBT002  a command line option
    hub: HubOption = "http://127.0.0.1:8700",
    cache: CacheOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Start real systems from registry packages on this machine; Ctrl-C ends them all.

    They are other people's programs under their own licences, in environments of their own;
    nothing of them becomes part of Deskhub.
    """
    if find_spec("deskhub_sdk.testing") is None or find_spec("multidict") is None:
        fail("DH201", "the lab's data is not installed here", as_json=as_json,
             why="the lab seeds its systems with the demo's people and orders",
             exit_code=Exit.CONFIGURATION, fix="pip install 'deskhub[lab]'")  # fmt: skip
    try:
        peers = chosen(only or [])
    except LabFailed as error:
        fail("DH105", str(error), exit_code=Exit.USAGE, as_json=as_json,
             fix="write --only with one of these names")  # fmt: skip
    try:
        kept = Cache(cache or default_folder())
        asyncio.run(_lab(peers, kept, hub, setup=setup, as_json=as_json))
    except LabFailed as error:
        if error.lines:
            hint("\n".join(error.lines))
        fail("DH591", str(error), exit_code=Exit.UNREACHABLE, as_json=as_json,
             why="a peer comes from a package registry and runs as a process of its own",
             fix="try again; deskhub lab --only NAME leaves the others out")  # fmt: skip


async def _lab(
    peers: list[Peer],
    cache: Cache,
    hub: str,
    *,
    setup: bool,
    as_json: bool,
) -> None:
    stop = asyncio.Event()
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await prepare(peers, cache, lambda text, s: hint(f"{text} in {s:.1f} s"))
        if setup:
            document({"cache": str(cache.folder), "peers": [peer.name for peer in peers]})
            return
        async with running(peers, cache, hub=hub) as found:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
            if as_json:
                document({"peers": {name: one.document() for name, one in found.items()}})
            else:
                say(_page(found))
            await stop.wait()
    except asyncio.CancelledError:
        hint("stopped")


def _page(found: Mapping[str, Running]) -> str:
    """Return what a person reads: addresses and logins."""
    parts = []
    for one in found.values():
        told = one.document()
        head = f"{told['title']} {told['version']}  ({told['licence']})"
        rows = [f"    {name:14} {_shown(told[name])}" for name in one.started.told]
        parts.append("\n".join([head, *rows]))
    parts.append("Ctrl-C stops everything; what was slow to make stays in the cache.")
    return "\n\n".join(parts)


def _shown(value: Any) -> str:  # noqa: ANN401  JSON
    """Return *value* in one line; of a long list its beginning."""
    if isinstance(value, list):
        few = ", ".join(map(str, value[:6]))
        return f"{few}, … ({len(value)})" if len(value) > 6 else few
    return str(value)
