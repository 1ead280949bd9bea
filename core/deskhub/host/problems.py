"""What is wrong with an adapter, as an admin can act on it: what, where, why, fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

State = Literal["incompatible", "config_invalid"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. *code* is explained by ``deskhub explain``; *state* is what it leads to."""

    code: str
    state: State
    what: str
    where: str
    why: str
    fix: str

    def __str__(self) -> str:
        """Return everything on one line, for the log and the adapters page."""
        return f"{self.code} {self.what} ({self.where}): {self.why} Fix: {self.fix}"


_HOW = {
    "string_type": 'write it in "double quotes".',
    "int_type": "write a whole number without quotes.",
    "int_parsing": "write a whole number without quotes.",
    "float_type": "write a number without quotes.",
    "float_parsing": "write a number without quotes.",
    "bool_type": "write true or false without quotes.",
    "bool_parsing": "write true or false without quotes.",
}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest of *known*, or nothing."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""


def config_problems(
    instance: str, error: ValidationError, known: Iterable[str]
) -> list[Problem]:
    """Return one problem for each wrong field. Values are never repeated: some are secrets."""
    names = list(known)
    return [_field(instance, dict(one), names) for one in error.errors(include_input=False)]


def _field(instance: str, error: dict[str, Any], known: list[str]) -> Problem:
    path = ".".join(str(part) for part in error["loc"]) or "(all)"
    where = f"[adapters.{instance}.config] {path}"
    if error["type"] == "extra_forbidden":
        return Problem(
            "DH203", "config_invalid", f"there is no setting '{path}'", where,
            f"its settings are: {', '.join(known) or 'none'}.",
            f"remove or rename it.{did_you_mean(path, known)}",
        )  # fmt: skip
    if error["type"] == "missing":
        return Problem(
            "DH204", "config_invalid", f"the setting '{path}' is missing", where,
            "the adapter cannot work without it.", f"add {path} = … to the table.",
        )  # fmt: skip
    return Problem(
        "DH202", "config_invalid", f"the setting '{path}' does not fit", where,
        f"{error['msg']}.", _HOW.get(error["type"], "correct the value."),
    )  # fmt: skip
