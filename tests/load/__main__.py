"""``make load``: the performance table of this machine, each figure beside its yardstick."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import uvloop

from tests.load import plot
from tests.load.churn import churn
from tests.load.erp import erp
from tests.load.fanout import fanout
from tests.load.growth import growth
from tests.load.hooks import hooks
from tests.load.idle import idle
from tests.load.loader import loader
from tests.load.processes import processes
from tests.load.programs import pin_client
from tests.load.rates import Plan, rates
from tests.load.report import HEAD, Row, as_json, conditions, written
from tests.load.rest import rest
from tests.load.search import search
from tests.load.start import start
from tests.load.webhooks import webhooks

SUITE: dict[str, Callable[[Plan, Callable[[str], None]], AsyncIterator[Row]]] = {
    "rates": rates, "idle": idle, "fanout": fanout, "churn": churn, "rest": rest,
    "processes": processes, "hooks": hooks, "loader": loader, "erp": erp, "start": start,
    "search": search, "growth": growth, "webhooks": webhooks,
}  # fmt: skip
QUICK = Plan(seconds=2.0, rounds=1, highest=9_000, step=1_500, crowd=2_000, churn=1_000)


async def main(
    names: list[str], plan: Plan, json_file: Path | None, picture: Path | None
) -> bool:
    """Measure *names* and print each row as it comes; return whether all targets are met."""
    pin_client()
    before, rows = conditions(), []
    print(" · ".join(f"{key}: {value}" for key, value in before.items()), flush=True)
    print(HEAD, flush=True)
    for name in names:
        try:
            async for row in SUITE[name](plan, _say):
                rows.append(row)
                print(written(row), flush=True)
        except (RuntimeError, OSError, TimeoutError, ExceptionGroup) as error:
            rows.append(Row(name, f"failed: {error!r}"[:200], "", met=False))
            print(written(rows[-1]), flush=True)
    after = conditions()
    print(f"load average at the end: {after['load']}")
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(rows, before, after), indent=1) + "\n")
    if any("p99_ms" in row.values for row in rows):
        print(plot.terminal(rows))
        if picture is not None and picture.suffix == ".png":
            picture.write_bytes(await plot.png(rows))
        elif picture is not None:
            picture.write_text(plot.svg(rows))
    return all(row.met is not False for row in rows)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(SUITE), help="this part alone")
    parser.add_argument("--quick", action="store_true", help="short runs, small crowds")
    parser.add_argument("--seconds", type=float, help="length of one measurement")
    parser.add_argument("--rounds", type=int, help="alternating rounds per rate")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--plot", type=Path, help="draw latency by rate: FILE.svg or .png")
    options = parser.parse_args()
    chosen = QUICK if options.quick else Plan()
    given = {k: v for k, v in vars(options).items() if k in ("seconds", "rounds") and v}
    uvloop.run(
        main(options.only or list(SUITE), chosen.with_(**given), options.json, options.plot)
    )
