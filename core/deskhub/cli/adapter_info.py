"""``deskhub adapter info``: what an installed adapter is, read from its manifest alone."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from deskhub.cli.options import JsonOption
from deskhub.cli.output import Exit, document, fail, say
from deskhub.host.discovery import installed
from deskhub.host.manifests import manifest_as_json, manifest_at_hand
from deskhub.host.problems import did_you_mean


def info(
    name: Annotated[str, typer.Argument(help="The adapter's id.")],
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show what an installed adapter reads, changes, needs and asks for."""
    points = installed()
    point = points.get(name)
    if point is None:
        fail("DH543", f"the adapter '{name}' is not installed", exit_code=Exit.NOT_FOUND,
             as_json=as_json, why=f"installed: {', '.join(sorted(points)) or 'none'}",
             fix=f"install it, or correct the name.{did_you_mean(name, points)}")  # fmt: skip
    told = manifest_as_json(manifest_at_hand(point))
    if as_json:
        document(told)
    else:
        _print(told)


def _print(told: dict[str, Any]) -> None:
    say(f"{told['id']} {told['version']}   {told['name']}: {told['summary']}")
    asks = told["permissions"]
    rows = {
        "answers": ", ".join(told["hooks"]),
        "serves": ", ".join(told["capabilities"]),
        "takes part": ", ".join(f"{one['action']} {one['provides']}" for one in told["steps"]),
        "talks to": ", ".join(asks["net"]),
        "reads": ", ".join(asks["reads"]),
        "writes": ", ".join(asks["writes"]),
        "settings": ", ".join(told["config"].get("properties", {})),
        "languages": ", ".join(told["languages"]),
        "SDK": told["sdk"],
    }
    for label, value in rows.items():
        if value:
            say(f"  {label:11} {value}")
