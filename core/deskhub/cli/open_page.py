"""``deskhub open``: the console in a browser."""

from __future__ import annotations

import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deskhub.cli.checked import readable
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import document, hint, say

PATHS = {"console": "/console/", "adapters": "/console/adapters", "api": "/openapi.json"}


class Page(StrEnum):
    """What can be opened."""

    CONSOLE = "console"
    ADAPTERS = "adapters"
    API = "api"


def open_page(
    page: Annotated[Page, typer.Argument(help="Which page.")] = Page.CONSOLE,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Open the console, or another page, in the browser; its address is printed, too."""
    url = readable(config, as_json=as_json).hub.url + PATHS[page]
    if as_json:
        document({"url": url})
        return
    say(url)
    if not webbrowser.open(url):
        hint("no browser here; open the address from another machine")
