"""A browser's walk through a real provider's pages: forms and redirects, no scripts."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

import httpx2

STEPS = 12


async def walk(
    browser: httpx2.AsyncClient, address: str, *, until: str, fill: dict[str, str]
) -> str:
    """Go to *address*, fill in every form, and return the address that begins with *until*."""
    answer = await browser.get(address)
    for _ in range(STEPS):
        if answer.is_redirect:
            target = urljoin(str(answer.url), answer.headers["location"])
            if target.startswith(until):
                return target
            answer = await browser.get(target)
            continue
        assert answer.status_code == 200, (
            f"{answer.url}: {answer.status_code} {answer.text[:600]}"
        )
        action, fields = form_of(answer.text)
        answer = await browser.post(urljoin(str(answer.url), action), data={**fields, **fill})
    raise AssertionError(f"still not back: {answer.url} {answer.text[:600]}")


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """Return the first form's action and its hidden fields."""
    form = re.search(r"<form(.*?)</form>", page, re.DOTALL)
    assert form, page[:800]
    action = re.search(r'action="([^"]*)"', form[1])
    found = {}
    for field in re.findall(r"<(?:input|button)[^>]*>", form[1]):
        name, value = (re.search(rf'{part}="([^"]*)"', field) for part in ("name", "value"))
        if name and value:
            found.setdefault(name[1], html.unescape(value[1]))
    return html.unescape(action[1]) if action else "", found
