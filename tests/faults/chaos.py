"""Kills ``deskhub serve`` again and again under load, then joins clients with the database.

``python -m tests.faults.chaos --kills 100`` prints one line of figures and fails when a single
acknowledged message is lost, doubled or out of order. It is ``deskhub chaos`` for an empty
installation.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
from pathlib import Path

from deskhub.cli.chaos.notes import Figures
from deskhub.cli.chaos.run import prove
from deskhub.config import load

HUB = """
[inboxes.web]
key = "k-web"
name = "Web"
origins = ["https://shop.example"]
"""


async def run(kills: int, folder: Path, *, cuts: bool = False, seed: int = 1) -> Figures:
    """Kill an empty hub *kills* times under load and return what the comparison says."""
    config = folder / "hub.toml"
    config.write_text(HUB, encoding="utf-8")
    dice = random.Random(seed)
    return await prove(load(config), None, folder, kills=kills, cuts=cuts, dice=dice)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--cuts", action="store_true", help="also break connections")
    parser.add_argument("--sabotage", default="", help="plant a fault, which must be noticed")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # The hub is a process of its own, which inherits this.
    os.environ["DESKHUB_SABOTAGE"] = options.sabotage
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(
            run(options.kills, Path(folder), cuts=options.cuts, seed=options.seed)
        )
    print(f"seed {options.seed}, {figures.beside()}", file=sys.stderr)
    print(figures)
    sys.exit(0 if figures.is_clean else 1)


if __name__ == "__main__":
    main()
