"""How commands change hub.toml: check the whole, show the difference, then write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, NoReturn

import typer

from deskhub.cli.checked import source_of
from deskhub.cli.output import Exit, document, fail, fail_config, hint, show_diff
from deskhub.config import Config, ConfigProblems, Problem
from deskhub.config.edit import Draft, Edit, NotEditable, edited
from deskhub.host.examined import examine

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show it; write nothing.")]

# The server has an environment of its own: what is not set here may well be set there.
_ELSEWHERE = frozenset({"DH302"})


class Change(NamedTuple):
    """What was to be changed, what the file means then, and whether it was written."""

    draft: Draft
    config: Config | None
    written: bool


def change(path: Path, edits: Sequence[Edit], *, dry_run: bool, as_json: bool) -> Change:
    """Make *edits* in the file at *path* unless they would break it, and show them.

    Problems that stood there before are not in the way of a change that adds none.
    """
    source = source_of(path, as_json=as_json)
    before = examine(path, source)[1]
    try:
        after = edited(source, edits)
    except NotEditable as error:
        cannot(str(error), as_json=as_json)
    except ValueError:  # It is no TOML yet; what is wrong has been found already.
        fail_config(before, as_json=as_json)
    draft = Draft(path, source, after)
    config, found = examine(path, after)
    problems, elsewhere = _added(before, found)
    if problems.problems:
        fail_config(problems, as_json=as_json, nothing="nothing was written")
    is_new = bool(draft.diff)
    if is_new and not dry_run:
        try:
            draft.write()
        except NotEditable as error:
            cannot(str(error), as_json=as_json)
    warnings = [f"{one.code} {one.what}; {one.why}" for one in elsewhere]
    if as_json:
        document(
            {"file": str(path), "diff": draft.diff, "written": is_new and not dry_run},
            warnings=warnings,
        )
    else:
        _show(draft, warnings, dry_run=dry_run)
    return Change(draft, config, is_new and not dry_run)


def _show(draft: Draft, warnings: Sequence[str], *, dry_run: bool) -> None:
    if draft.diff:
        show_diff(draft.diff)
        hint("nothing was written" if dry_run else f"wrote {draft.path}")
    else:
        hint("nothing to do")
    for warning in warnings:
        hint(f"warning: {warning}")


def _added(
    before: ConfigProblems, after: ConfigProblems
) -> tuple[ConfigProblems, list[Problem]]:
    """Return the problems that only the changed file has, and those that may be none there."""
    known = {(one.code, one.path, one.what) for one in before.problems}
    fresh = [one for one in after.problems if (one.code, one.path, one.what) not in known]
    stopping = [one for one in fresh if one.code not in _ELSEWHERE]
    elsewhere = [one for one in fresh if one.code in _ELSEWHERE]
    return ConfigProblems(stopping, after.source, after.name), elsewhere


def cannot(why: str, *, as_json: bool) -> NoReturn:
    """Say *why* the file cannot be edited, and exit with 3."""
    fail("DH117", "hub.toml cannot be changed from here", exit_code=Exit.CONFIGURATION,
         as_json=as_json, why=why,
         fix="change it where it is kept; --dry-run shows what to write")  # fmt: skip
