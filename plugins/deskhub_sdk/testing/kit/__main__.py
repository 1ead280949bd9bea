"""``python -m deskhub_sdk.testing.kit DIR [--json] [--tier TIER] [--rule ID]``."""

from __future__ import annotations

import asyncio
import logging
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import msgspec

from deskhub_sdk.testing.kit.bench import KitFailed
from deskhub_sdk.testing.kit.rules import TIERS
from deskhub_sdk.testing.kit.run import Report, run

FAILED = 8
NOT_FOUND = 4
_MARKS = {"kept": "ok  ", "broken": "FAIL", "not_applicable": "-   "}


def main(argv: Sequence[str]) -> int:
    """Test the adapter in a folder; exit with 8 when a rule is broken."""
    parser = ArgumentParser(prog="deskhub adapter test")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tier", choices=TIERS, default="gold")
    parser.add_argument("--rule")
    options = parser.parse_args(argv)
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        report = asyncio.run(
            run(options.folder.absolute(), up_to=options.tier, only=options.rule)
        )
    except KitFailed as error:
        told = {"ok": False, "error": {"code": "DH541", "what": str(error)}}
        text = msgspec.json.encode(told).decode() if options.json else f"error[DH541]: {error}"
        sys.stdout.write(text + "\n")
        return NOT_FOUND
    text = msgspec.json.encode(report.as_json()).decode() if options.json else words(report)
    sys.stdout.write(text + "\n")
    return FAILED if report.broken else 0


def words(report: Report) -> str:
    """Return the report for people."""
    lines = [f"{report.adapter} {report.version}"]
    for one in report.outcomes:
        lines.append(f" {_MARKS[one.state]} {one.rule.tier:7} {one.rule.id:18} {one.rule.text}")
        if one.state == "broken":
            lines.append(f"      {one.rule.code} {one.what}")
            lines.append(f"      --> {one.file}:{one.line}") if one.file else None
            lines.append(f"      fix: {one.fix}") if one.fix else None
            lines.append(f"      more: deskhub explain {one.rule.code}")
        elif one.what:
            lines.append(f"      {one.what}")
    seconds = sum(one.ms for one in report.outcomes) / 1000
    lines.append(f"quality: {report.tier or 'below bronze'}   {seconds:.1f} s")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
