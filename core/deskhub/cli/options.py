"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="DESKHUB_CONFIG", help="The hub.toml to use."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
