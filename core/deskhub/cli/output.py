"""What the command line prints and how it exits: stdout is the result, stderr the rest."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import NoReturn

import orjson

from deskhub.config import ConfigProblems, Problem, place_of


class Exit(IntEnum):
    """Exit codes; documented, tested, never reused."""

    OK = 0
    BUG = 1
    USAGE = 2
    CONFIGURATION = 3
    NOT_FOUND = 4
    NOT_ALLOWED = 5
    UNREACHABLE = 6
    CONFLICT = 7
    TESTS_FAILED = 8
    PARTLY = 9
    DOCTOR = 10
    MIGRATION = 11
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.OK: "done, or nothing to do",
    Exit.BUG: "a fault in Deskhub itself",
    Exit.USAGE: "the command was written wrongly",
    Exit.CONFIGURATION: "hub.toml or its surroundings have problems; nothing was started",
    Exit.NOT_FOUND: "there is nothing of this name",
    Exit.NOT_ALLOWED: "refused: the token is missing, wrong, or may not do this",
    Exit.UNREACHABLE: "something else did not answer; trying again may help",
    Exit.CONFLICT: "it is there already, or somebody else has it",
    Exit.TESTS_FAILED: "a rule of the quality scale is broken",
    Exit.PARTLY: "only a part was done",
    Exit.DOCTOR: "doctor found problems",
    Exit.MIGRATION: "the database does not fit this version",
    Exit.INTERRUPTED: "stopped by Ctrl-C",
}


def say(text: str) -> None:
    """Print a result line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def hint(text: str) -> None:
    """Print progress or a hint; it is not part of the result."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def document(data: object, *, warnings: Sequence[str] = ()) -> None:
    """Print one JSON document as the result."""
    told = {"ok": True, "data": data, "warnings": list(warnings)}
    say(orjson.dumps(told, default=str).decode())


def show_diff(diff: str) -> None:
    """Print a difference as the result, in colour where a person looks."""
    if not sys.stdout.isatty():
        say(diff)
        return
    from rich.console import Console  # noqa: PLC0415  only a terminal pays for it
    from rich.text import Text  # noqa: PLC0415

    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in diff.splitlines():
        Console(highlight=False).print(Text(line, style=styles.get(line[:1], "")))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print *rows* under *head*, each column as wide as its widest cell."""
    cells = [head, *rows]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say("  ".join(padded).rstrip())


def fail(
    code: str,
    what: str,
    *,
    why: str = "",
    fix: str = "",
    exit_code: Exit,
    as_json: bool = False,
    where: tuple[str, int] | None = None,
    line: str = "",
) -> NoReturn:
    """Print one problem the way all are printed, then exit.

    *where* is the file and line it stands on, *line* that line's text.
    """
    if as_json:
        error: dict[str, object] = {"code": code, "what": what, "why": why, "fix": fix}
        if where is not None:
            error |= {"file": where[0], "line": where[1]}
        say(orjson.dumps({"ok": False, "error": error}).decode())
    else:
        lines = [f"error[{code}]: {what}"]
        lines += [f"  --> {where[0]}:{where[1]}"] if where is not None else []
        lines += [f"{where[1]:>3} | {line}"] if where is not None and line else []
        lines += [f"    = why: {why}"] if why else []
        lines += [f"    = fix: {fix}"] if fix else []
        lines.append(f"    = more: deskhub explain {code}")
        hint("\n".join(lines))
    raise SystemExit(exit_code)


def fail_config(
    problems: ConfigProblems, *, as_json: bool = False, nothing: str = "nothing was started"
) -> NoReturn:
    """Print every problem of hub.toml at once, say what did not happen, and exit with 3."""
    if as_json:
        errors = [located(one, problems) for one in problems.problems]
        say(orjson.dumps({"ok": False, "error": errors[0], "errors": errors}).decode())
    else:
        hint(problems.rendered())
        count = len(problems.problems)
        counted = "1 problem" if count == 1 else f"{count} problems"
        hint(f"\n{counted} in {problems.name}; {nothing}")
    raise SystemExit(Exit.CONFIGURATION)


def located(problem: Problem, found: ConfigProblems) -> dict[str, object]:
    """Return one of the problems *found* as JSON shows it."""
    place = place_of(problem, found.source)
    return {
        "code": problem.code, "what": problem.what, "why": problem.why, "fix": problem.fix,
        "file": found.name, "line": place.line if place else None,
        "col": place.column if place else None,
    }  # fmt: skip
