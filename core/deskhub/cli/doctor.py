"""``deskhub doctor``: look at everything an installation stands on, and say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deskhub.cli.checked import read
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, say

MARKS = {"ok": "✔", "warning": "!", "problem": "✘"}


def doctor(
    connections: Annotated[
        int, typer.Option(help="How many people you expect at a time.")
    ] = 1_000,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Check configuration, database, disk, clock, limits, port and services; 10 on problems."""
    # What it looks at is imported only now: other commands do not pay for it.
    from deskhub.cli.checks import Finding, examine  # noqa: PLC0415

    settings, problems = read(config, as_json=as_json)
    findings: list[Finding] = []
    if problems.problems or settings is None:
        first = problems.problems[0]
        more = len(problems.problems) - 1
        findings.append(Finding(
            "hub.toml", "problem", first.what + (f", and {more} more" if more else ""),
            "deskhub config check", first.code,
        ))  # fmt: skip
    else:
        adapters = sum(one.enabled for one in settings.adapters.values())
        findings.append(Finding("hub.toml", "ok", f"{adapters} adapters, 0 problems"))
    if settings is not None:
        findings += examine(settings, connections)
    bad = sum(one.verdict == "problem" for one in findings)
    doubtful = sum(one.verdict == "warning" for one in findings)
    if as_json:
        document({"problems": bad, "warnings": doubtful, "checks": [
            {"check": one.name, "verdict": one.verdict, "text": one.text, "fix": one.fix,
             "code": one.code} for one in findings
        ]})  # fmt: skip
    else:
        for one in findings:
            line = f" {MARKS[one.verdict]} {one.name:16} {one.text}"
            line += f"   {one.code}" if one.code else ""
            say(f"{line}   → {one.fix}" if one.fix else line)
        say(_counted(bad, "problem") + ", " + _counted(doubtful, "warning"))
    if bad:
        raise SystemExit(Exit.DOCTOR)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
