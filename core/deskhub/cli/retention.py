"""``deskhub retention``: what is older than ``[retention]`` allows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from deskhub.cli.checked import checked
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say
from deskhub.config import Config

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be erased; change nothing.")
]


def retention(
    dry_run: DryRun = False,  # noqa: FBT002  a command line option
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Say what the hub would erase now because it is older than hub.toml allows."""
    settings = checked(config, as_json=as_json)
    if not dry_run:
        fail("DH173", "only a running hub erases what is old", exit_code=Exit.USAGE,
             as_json=as_json, why="connected clients have to drop their copies as well",
             fix="deskhub retention --dry-run says what it will do within the hour",
             )  # fmt: skip
    from deskhub.cli.opening import opening  # noqa: PLC0415  after hub.toml's mistakes

    with opening(as_json=as_json):
        found = asyncio.run(_preview(settings))
    if as_json:
        document(found)
        return
    for tenant, counts in found["tenants"].items():
        say(f"{tenant:16} {counts['conversations']} conversations, {counts['files']} files")
    if found["closed_conversations_days"] is None and found["files_days"] is None:
        hint("everything is kept: [retention] in hub.toml sets no limit")


async def _preview(settings: Config) -> dict[str, Any]:
    from deskhub.clock import SystemClock  # noqa: PLC0415
    from deskhub.privacy.retention import preview  # noqa: PLC0415
    from deskhub.store.store import Store  # noqa: PLC0415

    clock = SystemClock()
    store = await Store.open(settings.store_url, clock)
    try:
        return await preview(settings, clock.now(), store.read)
    finally:
        await store.close()
