"""axe-core on a page: which rules of accessibility it breaks, and where."""

from __future__ import annotations

from importlib import resources
from typing import Any

from playwright.sync_api import Page

# Evaluated in the page: the product's own content security policy stays in force.
SCRIPT = resources.files("axe_core_python").joinpath("axe.min.js").read_text()
_STILL = """() => document.getAnimations().every(
  (one) => one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity
)"""
_RUN = "([where]) => axe.run(where ?? document, {resultTypes: ['violations']})"


def violations(page: Page, where: str | None = None) -> list[str]:
    """Return one line per broken rule below the selector *where*, or on the whole page."""
    # In the middle of a fade nothing has its colour yet.
    page.wait_for_function(_STILL)
    if not page.evaluate("() => typeof window.axe === 'object'"):
        page.evaluate(SCRIPT)
    result: dict[str, Any] = page.evaluate(_RUN, [where])
    return [
        f"{one['id']}: {node['html'][:200]} {_why(node)}"
        for one in result["violations"]
        for node in one["nodes"][:3]
    ]


def _why(node: dict[str, Any]) -> str:
    checks = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    return "; ".join(checks[:1])
