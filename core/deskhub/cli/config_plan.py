"""``deskhub config plan``: what a changed hub.toml does to the hub that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deskhub.cli.checked import readable, source_of
from deskhub.cli.hub_api import HubApi, UrlOption
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail_config, hint, table
from deskhub.config import Config
from deskhub.host.examined import examine
from deskhub.host.plan import planned

NewArgument = Annotated[
    Path | None, typer.Argument(help="A file that is to take the place of hub.toml.")
]


def plan(
    new: NewArgument = None,
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Say what is added, removed, restarted or changed in place; changes nothing.

    With a file, that file is compared with hub.toml; without one, the running hub is asked.
    """
    if new is not None:
        before, after = readable(config, as_json=as_json), _other(new, as_json=as_json)
        rows = [
            {"kind": one.kind, "where": one.where, "why": one.why}
            for one in planned(before, after)
        ]
    else:
        told = HubApi.of(config, url, as_json=as_json).get("config", "plan")
        rows = [{key: one[key] for key in ("kind", "where", "why")} for one in told["changes"]]
        if told["problems"]:
            hint(f"the running hub sees {len(told['problems'])} problems: deskhub config check")
            raise SystemExit(Exit.CONFIGURATION)
    if as_json:
        document(rows)
    elif rows:
        table(
            ("CHANGE", "WHERE", "WHY"),
            [(one["kind"].replace("_", " "), one["where"], one["why"]) for one in rows],
        )
    else:
        hint("nothing to do")


def _other(path: Path, *, as_json: bool) -> Config:
    config, found = examine(path, source_of(path, as_json=as_json))
    stopping = [one for one in found.problems if one.code != "DH302"]
    if config is None or stopping:
        fail_config(found, as_json=as_json, nothing="nothing can be planned")
    return config
