"""``deskhub adapter logs|health|call|reconnect``: an adapter of the running hub."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from deskhub.cli.hub_api import HubApi, UrlOption
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, hint, say, table

LOOK_EVERY_S = 1.0
InstanceArgument = Annotated[str, typer.Argument(help="An instance of hub.toml.")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")]


def logs(
    instance: InstanceArgument,
    follow: FollowOption = False,  # noqa: FBT002  a command line option
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show what the hub logged about an adapter; one JSON object a line with -f --json."""
    hub = HubApi.of(config, url, as_json=as_json)
    last = 0
    while True:
        lines = hub.get("adapters", instance, "logs", after=last)["lines"]
        if as_json and not follow:
            document(lines)
            return
        for line in lines:
            say(orjson.dumps(line).decode() if as_json else _line(line))
        if not follow:
            if not lines:
                hint("nothing was logged about it since the hub started")
            return
        last = lines[-1]["number"] if lines else last
        time.sleep(LOOK_EVERY_S)


def health(
    instance: Annotated[str, typer.Argument(help="Only this instance.")] = "",
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Ask the far side of each adapter now; exits with 10 when one does not answer well."""
    hub = HubApi.of(config, url, as_json=as_json)
    names = [instance] if instance else [
        one["instance"] for one in hub.get("adapters")["adapters"] if one["state"] != "disabled"
    ]  # fmt: skip
    found = {name: hub.post("adapters", name, "test") for name in names}
    if as_json:
        document(found)
    elif not found:
        hint("no adapter is enabled")
    else:
        table(
            ("ADAPTER", "STATE", "ANSWERED", ""),
            [(name, one["adapter"]["state"], f"{one['ms']:.0f} ms" if one["ok"] else "no",
              one["text"]) for name, one in found.items()],
        )  # fmt: skip
    if any(not one["ok"] for one in found.values()):
        raise SystemExit(Exit.DOCTOR)


def call(
    method: Annotated[str, typer.Argument(help="INSTANCE.METHOD, as in shop.get_orders.")],
    ids: Annotated[list[str], typer.Argument(help="What to ask for.")],
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Read from an adapter as panels do; nothing is changed there."""
    instance, _, name = method.partition(".")
    hub = HubApi.of(config, url, as_json=as_json)
    found: dict[str, Any] = hub.post(
        "adapters", instance, "call", body={"method": name, "ids": ids}
    )["found"]
    if as_json:
        document(found)
        return
    for key in ids:
        if key not in found:
            hint(f"{key}: not there")
    say(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


def reconnect(
    instance: InstanceArgument,
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Start an adapter anew, after its secret or its system was put in order."""
    hub = HubApi.of(config, url, as_json=as_json)
    found = hub.post("adapters", instance, "restart")
    if as_json:
        document(found)
    else:
        say(f"{instance} starts anew; deskhub adapter health {instance} says how it goes")


def _line(line: dict[str, Any]) -> str:
    fields = " ".join(f"{key}={value}" for key, value in line["fields"].items())
    return f"{line['at'][11:19]} {line['level']:7} {line['event']} {fields}".rstrip()
