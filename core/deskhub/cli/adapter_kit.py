"""``deskhub adapter test``: the conformance kit on a folder, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from deskhub.cli.options import JsonOption

FolderArgument = Annotated[Path, typer.Argument(help="The adapter's folder.")]
TierOption = Annotated[str, typer.Option(help="How far: bronze, silver or gold.")]
RuleOption = Annotated[str | None, typer.Option(help="Only this rule.")]


def conform(
    folder: FolderArgument = Path(),
    tier: TierOption = "gold",
    rule: RuleOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Run every rule of the quality scale; exits with 8 when one is broken.

    Works offline, against the adapter's simulator.
    """
    command = [sys.executable, "-m", "deskhub_sdk.testing.kit", str(folder), "--tier", tier]
    command += ["--rule", rule] if rule else []
    command += ["--json"] if as_json else []
    # The kit imports the adapter; its process is not ours.
    done = subprocess.run(command, check=False)  # noqa: S603  our own module
    raise SystemExit(done.returncode)
