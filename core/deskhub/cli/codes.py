"""What every code means, for ``deskhub explain`` and the reference page."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple


class Code(NamedTuple):
    """One code: what happened, why it matters, what to do."""

    what: str
    why: str
    fix: str


def read() -> Mapping[str, Code]:
    """Return the catalogue, by code."""
    text = files("deskhub.cli").joinpath("codes.toml").read_text(encoding="utf-8")
    return {code: Code(**told) for code, told in tomllib.loads(text).items()}


CODES = read()
