"""``deskhub webhook``: who is told of the hub's events, and how it went."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from deskhub.cli.hub_api import HubApi, UrlOption
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import document, hint, say

webhook_app = typer.Typer(
    help="See and repeat what the hub tells other systems, and what they tell it.",
    no_args_is_help=True,
)
EndpointArgument = Annotated[str, typer.Argument(help="The endpoint's id, as in sub_….")]
StateOption = Annotated[str, typer.Option("--state", help="waiting, done or failed.")]


@webhook_app.command("list")
def listed(
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """List the endpoints that are told, with their counts."""
    found = HubApi.of(config, url, as_json=as_json).get("subscriptions")["subscriptions"]
    if as_json:
        document(found)
        return
    for one in found:
        state = one["state"] if not one["why"] else f"{one['state']} ({one['why']})"
        say(f"{one['id']}  {one['name']:20} {state:18} {one['done']} done, "
            f"{one['waiting']} waiting, {one['failed']} failed  {one['url']}")  # fmt: skip
    if not found:
        hint("nobody is told yet; the console makes endpoints: Adapters, Webhooks out")


@webhook_app.command("deliveries")
def deliveries(
    endpoint: EndpointArgument,
    state: StateOption = "",
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show the latest deliveries to an endpoint, newest first."""
    hub = HubApi.of(config, url, as_json=as_json)
    query = {"state": state} if state else {}
    found = hub.get("subscriptions", endpoint, "deliveries", **query)["deliveries"]
    if as_json:
        document(found)
        return
    for one in found:
        say(_line(one))
    if not found:
        hint("nothing was sent yet")


@webhook_app.command("replay")
def replay(
    endpoint: EndpointArgument,
    delivery: Annotated[
        str, typer.Argument(help="Its id; without one, everything that failed.")
    ] = "",
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Send ended deliveries again, under their own ids."""
    hub = HubApi.of(config, url, as_json=as_json)
    if delivery:
        hub.post("subscriptions", endpoint, "deliveries", delivery, "replay")
        count = 1
    else:
        count = int(hub.post("subscriptions", endpoint, "replay")["count"])
    if as_json:
        document({"replayed": count})
    elif count:
        say(f"replayed {count}")
    else:
        hint("nothing to do")


@webhook_app.command("test")
def send_test(
    endpoint: EndpointArgument,
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Send an endpoint a message that stands for no event."""
    sent = HubApi.of(config, url, as_json=as_json).post("subscriptions", endpoint, "test")
    if as_json:
        document(sent)
    else:
        say(f"sent as {sent['delivery']}")
        hint(f"deskhub webhook deliveries {endpoint} says what became of it")


@webhook_app.command("arrived")
def arrived(
    state: Annotated[str, typer.Option(help="pending, done, stale or dead.")] = "",
    url: UrlOption = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show what business systems reported lately; deskhub event replay tries again."""
    query = {"state": state} if state else {}
    found = HubApi.of(config, url, as_json=as_json).get("webhooks", **query)["signals"]
    if as_json:
        document(found)
        return
    for one in found:
        error = f" {one['error']}" if one["error"] else ""
        say(f"{one['received_at'][11:19]} {one['state']:7} {one['instance']:12} {one['kind']} "
            f"{one['object']}  {one['id']}{error}")  # fmt: skip
    if not found:
        hint("nothing has arrived yet")


def _line(one: dict[str, Any]) -> str:
    status = one["status"] or one["error"] or "-"
    ms = "" if one["ms"] is None else f" {one['ms']:.0f} ms"
    after = f"  next {one['next_at'][11:19]}" if one["next_at"] else ""
    return (
        f"{one['created_at'][11:19]} {one['state']:7} {one['kind']:22} {one['id']}"
        f"  try {one['attempts']} {status}{ms}{after}"
    )
