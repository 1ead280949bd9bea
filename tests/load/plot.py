"""Latency by rate as a picture: SVG by hand for documents, bars for terminals.

A PNG is the SVG as the browser of the interface tests paints it: no library for plots is needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.load.report import Row

WIDTH, HEIGHT, LEFT, BOTTOM, RIGHT, TOP = 720, 420, 60, 46, 150, 34
_FONT = 'font-family="system-ui, sans-serif" font-size="12"'
_TITLE = "Visitor to agent, ms: p99 solid, p50 dashed"
COLOURS = ("#1d5c48", "#8a8f98", "#b3541e", "#3b6ea8")


def series(rows: Sequence[Row]) -> dict[str, list[tuple[int, float, float]]]:
    """Return (rate, p50, p99) in ms by server, from the rows that have them."""
    found: dict[str, list[tuple[int, float, float]]] = {}
    for row in rows:
        if "p99_ms" in row.values:
            v = row.values
            found.setdefault(v["server"], []).append((v["rate"], v["p50_ms"], v["p99_ms"]))
    return found


def terminal(rows: Sequence[Row], width: int = 60) -> str:
    """Return p50 and p99 as dots on a logarithmic line for each server and rate."""
    shown = series(rows)
    low, high = _range(shown)
    lines = [f"\np50 ● and p99 ○, from {low:g} to {high:g} ms, logarithmic"]
    for name, points in shown.items():
        for rate, p50, p99 in points:
            bar = ["·"] * (width + 1)
            for value, mark in ((p99, "○"), (p50, "●")):
                if math.isfinite(value):
                    bar[round(_share(value, low, high) * width)] = mark
            lines.append(f"{name:>16} {rate:>6}/s {''.join(bar)} {p50:.2f} / {p99:.2f} ms")
    return "\n".join(lines)


def svg(rows: Sequence[Row]) -> str:
    """Return p99 (solid) and p50 (dashed) by rate, both axes logarithmic."""
    shown = series(rows)
    low, high = _range(shown)
    rates = sorted({rate for points in shown.values() for rate, _, _ in points})

    def x(rate: int) -> float:
        return LEFT + _share(rate, rates[0], max(rates[-1], rates[0] + 1)) * (
            WIDTH - LEFT - RIGHT
        )

    def y(ms: float) -> float:
        return HEIGHT - BOTTOM - _share(ms, low, high) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {_FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="18" font-size="14">{_TITLE}</text>',
    ]
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        ms = 10.0**power
        if low <= ms <= high:
            parts.append(_line(LEFT, y(ms), WIDTH - RIGHT, y(ms), "#ddd"))
            parts.append(
                f'<text x="{LEFT - 8}" y="{y(ms) + 4:.1f}" text-anchor="end">{ms:g}</text>'
            )
    parts += [
        f'<text x="{x(rate):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
        f"{rate}/s</text>"
        for rate in rates
    ]
    for number, (name, points) in enumerate(shown.items()):
        colour = COLOURS[number % len(COLOURS)]
        for column, dash in ((2, ""), (1, ' stroke-dasharray="4 4"')):
            way = " ".join(
                f"{x(point[0]):.1f},{y(point[column]):.1f}"
                for point in points
                if math.isfinite(point[column])
            )
            parts.append(
                f'<polyline points="{way}" fill="none" stroke="{colour}" '
                f'stroke-width="2"{dash}/>'
            )
        at = TOP + 18 * number + 10
        parts.append(_line(WIDTH - RIGHT + 14, at - 4, WIDTH - RIGHT + 34, at - 4, colour))
        parts.append(f'<text x="{WIDTH - RIGHT + 40}" y="{at}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


async def png(rows: Sequence[Row]) -> bytes:
    """Return `svg` as pixels, twice as many as it says for sharp screens."""
    # Only for those who ask for a picture: a browser's driver starts with it.
    from playwright.async_api import async_playwright

    from tests.e2e.conftest import CHROMIUM, FLAGS

    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2
        )
        await page.set_content(f"<style>body{{margin:0}}</style>{svg(rows)}")
        picture = await page.screenshot()
        await browser.close()
    return picture


def _range(shown: dict[str, list[tuple[int, float, float]]]) -> tuple[float, float]:
    values = [
        ms
        for points in shown.values()
        for _, *both in points
        for ms in both
        if math.isfinite(ms)
    ]
    return 10.0 ** math.floor(math.log10(min(values))), 10.0 ** math.ceil(
        math.log10(max(values))
    )


def _share(value: float, low: float, high: float) -> float:
    return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="1.5"/>'
    )
