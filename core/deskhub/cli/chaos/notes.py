"""What people were told and saw, joined with what the database holds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field

import orjson

# A row of the log: tenant, seq, kind, data.
Row = tuple[str, int, str, bytes]


@dataclass
class Notes:
    """What everybody was told and saw; *run* marks the messages of this run."""

    run: str
    acked: dict[str, int] = field(default_factory=dict)
    sent: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    # Who has to have seen every message, not only their own.
    watchers: list[str] = field(default_factory=list)
    # How often somebody was told that their place in the log does not exist.
    resets: int = 0
    # Called with the next acknowledgement, at once, and then no more.
    trap: Callable[[], None] | None = None

    def acknowledge(self, cid: str, seq: int) -> None:
        """Note that the hub acknowledged *cid*."""
        self.acked[cid] = seq
        trap, self.trap = self.trap, None
        if trap is not None:
            trap()


@dataclass(frozen=True, slots=True)
class Figures:
    """The result; *lost*, *duplicates* and *inversions* must be zero.

    *per_s* is how many messages were acknowledged in a second in which the hub ran.
    """

    kills: int
    acknowledged: int
    lost: int
    duplicates: int
    inversions: int
    cuts: int
    per_s: int
    slowest_start_s: float
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Return whether every promise held, and there was something to promise."""
        return self.acknowledged > 0 and not (self.lost or self.duplicates or self.inversions)

    def plain(self) -> dict[str, object]:
        """Return the figures for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.acknowledged} acknowledged, {self.lost} lost, "
            f"{self.duplicates} duplicates, {self.inversions} inversions"
        )

    def beside(self) -> str:
        """Return what the run was like, in a few words."""
        return (
            f"{self.seconds:.0f} s, {self.per_s} messages/s while it ran, slowest start "
            f"{self.slowest_start_s:.1f} s, {self.cuts} connections cut"
        )


def judge(notes: Notes, rows: Sequence[Row]) -> tuple[int, int, int]:
    """Return (lost, duplicates, inversions) by comparing *notes* with the *rows* of the log."""
    stored: dict[str, int] = {}
    lost, duplicates = notes.resets, 0
    for _, seq, kind, data in rows:
        cid = orjson.loads(data).get("cid", "") if kind == "message.posted" else ""
        if cid.startswith(notes.run):
            duplicates += cid in stored
            stored[cid] = seq
    lost += sum(stored.get(cid) != seq for cid, seq in notes.acked.items())
    inversions = sum(_gaps(sorted((tenant, seq) for tenant, seq, *_ in rows)))
    for name, cids in notes.sent.items():
        inversions += _falls(stored[cid] for cid in cids if cid in stored)
        shown = {cid for _, cid in notes.seen[name]}
        lost += sum(cid in notes.acked and cid not in shown for cid in cids)
    for seen in notes.seen.values():
        own = [cid for _, cid in seen if cid.startswith(notes.run)]
        inversions += _falls(seq for seq, _ in seen)
        duplicates += len(own) - len(set(own))
    for name in notes.watchers:
        lost += len(stored.keys() - {cid for _, cid in notes.seen[name]})
    return lost, duplicates, inversions


def _gaps(places: Iterable[tuple[str, int]]) -> Iterable[bool]:
    for early, late in itertools.pairwise(places):
        yield early[0] == late[0] and late[1] != early[1] + 1


def _falls(numbers: Iterable[int]) -> int:
    return sum(late <= early for early, late in itertools.pairwise(numbers))
