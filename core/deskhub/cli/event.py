"""``deskhub event``: what reaches the hub from business systems."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from deskhub.cli.adapter_running import LOOK_EVERY_S, FollowOption, InstanceArgument
from deskhub.cli.hub_api import HubApi, UrlOption
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say

event_app = typer.Typer(
    help="See, make and repeat what reaches the hub from business systems.",
    no_args_is_help=True,
)


@event_app.command("tail")
def tail(
    instance: InstanceArgument,
    follow: FollowOption = False,  # noqa: FBT002  a command line option
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show the latest events of an adapter; one JSON object a line with -f --json."""
    hub = HubApi.of(config, url, as_json=as_json)
    seen: set[tuple[str, str]] = set()
    while True:
        events = hub.get("adapters", instance, "events")["events"]
        if as_json and not follow:
            document(events)
            return
        fresh = [one for one in reversed(events) if (one["id"], one["state"]) not in seen]
        for one in fresh:
            say(orjson.dumps(one).decode() if as_json else _line(one))
        if not follow:
            if not events:
                hint("nothing has arrived yet")
            return
        seen = {(one["id"], one["state"]) for one in events}
        time.sleep(LOOK_EVERY_S)


@event_app.command("trigger")
def trigger(
    kind: Annotated[str, typer.Argument(help="What happened, as in order.shipped.")],
    about: Annotated[str, typer.Option("--id", help="Which order, case or payment.")],
    instance: Annotated[str, typer.Option("--instance", help="Whose event it is.")],
    subject: Annotated[str, typer.Option(help="The customer's number, if it says.")] = "",
    data: Annotated[str, typer.Option(help="More of it, as a JSON object.")] = "{}",
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Let an event arrive as if the business system had sent it."""
    try:
        more = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        fail("DH105", f"--data is no JSON: {error}", exit_code=Exit.USAGE, as_json=as_json,
             fix="write for example --data '{\"carrier\": \"SF\"}'")  # fmt: skip
    body: dict[str, Any] = {"kind": kind, "object": about, "data": more}
    if subject:
        body["subject"] = subject
    hub = HubApi.of(config, url, as_json=as_json)
    done = hub.post("adapters", instance, "events", body=body)
    if as_json:
        document(done)
    else:
        say(f"taken as {done['id']}")
        hint(f"deskhub event tail {instance} says what becomes of it")


@event_app.command("replay")
def replay(
    instance: InstanceArgument,
    event: Annotated[str, typer.Argument(help="Its id; without one, every dead event.")] = "",
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Give dead events all their attempts again."""
    hub = HubApi.of(config, url, as_json=as_json)
    ids = [event] if event else [
        one["id"] for one in hub.get("adapters", instance, "events")["events"]
        if one["state"] == "dead"
    ]  # fmt: skip
    for one in ids:
        hub.post("adapters", instance, "events", "replay", body={"id": one})
    if as_json:
        document({"replayed": ids})
    elif ids:
        say(f"replayed {len(ids)}")
    else:
        hint("nothing to do")


def _line(event: dict[str, Any]) -> str:
    tries = f" try {event['attempts']}" if event["attempts"] else ""
    error = f" {event['error']}" if event["error"] else ""
    return (
        f"{event['at'][11:19]} {event['state']:7} {event['kind']} {event['object']}"
        f"  {event['id']}{tries}{error}"
    )
