"""What a person feels of a page: from a key to the paint that shows it, and where it hung."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Page

# Below this the browser's Event Timing reports nothing: such a key counts as this long.
FLOOR_MS = 16.0
_WATCH = """() => {
  if (window.__felt) window.__felt.watchers.forEach((one) => one.disconnect());
  const felt = window.__felt = {keys: [], down: 0, long: [], watchers: []};
  addEventListener("keydown", () => { felt.down += 1; }, true);
  const watch = (type, take, more) => {
    const watcher = new PerformanceObserver((list) => list.getEntries().forEach(take));
    watcher.observe({type, ...more});
    felt.watchers.push(watcher);
  };
  watch("event", (one) => { if (one.name === "keydown") felt.keys.push(one.duration); },
        {durationThreshold: 16});
  watch("longtask", (one) => felt.long.push(one.duration));
}"""
_TOLD = "() => ({keys: window.__felt.keys, down: window.__felt.down, long: window.__felt.long})"


@dataclass(frozen=True)
class Felt:
    """Milliseconds from each key to its paint, and of each task of 50 ms and more."""

    keys_ms: Sequence[float]
    long_ms: Sequence[float]

    def key_ms(self, percent: int) -> float:
        """Return a percentile of the keys, nearest rank."""
        ordered = sorted(self.keys_ms)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]

    @property
    def longest_ms(self) -> float:
        """Return the longest task."""
        return max(self.long_ms, default=0.0)


def watch(page: Page) -> None:
    """Begin to measure *page*, or begin anew."""
    page.evaluate(_WATCH)


def felt(page: Page) -> Felt:
    """Return what was measured since `watch`."""
    # The browser hands entries over when it has nothing better to do.
    page.wait_for_timeout(300)
    told = page.evaluate(_TOLD)
    quick = [FLOOR_MS] * max(0, told["down"] - len(told["keys"]))
    return Felt([*told["keys"], *quick], told["long"])
