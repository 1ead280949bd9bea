"""What the browser tests counted, printed as one table at the end of ``make test-ui``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Scorecard:
    """Lines by section; a test writes what it counted, also when it then fails."""

    lines: dict[str, dict[str, str]] = field(default_factory=dict)
    violations: dict[str, dict[str, int]] = field(default_factory=dict)

    def note(self, section: str, what: str, value: str) -> None:
        """Keep one line."""
        self.lines.setdefault(section, {})[what] = value

    def violated(self, screen: str, look: str, count: int) -> None:
        """Keep how many rules of accessibility *screen* breaks in *look* (theme, language)."""
        self.violations.setdefault(screen, {})[look] = count

    def text(self) -> Sequence[str]:
        """Return the table, empty when nothing was counted."""
        found: list[str] = []
        for section, lines in self.lines.items():
            found += ["", section, *(f"  {what:<44} {value}" for what, value in lines.items())]
        if self.violations:
            found += ["", *_matrix(self.violations)]
        return found


def _matrix(violations: Mapping[str, Mapping[str, int]]) -> list[str]:
    looks = list(dict.fromkeys(look for row in violations.values() for look in row))
    head = "".join(f"{look:>14}" for look in looks)
    rows = [
        f"  {screen:<20}" + "".join(f"{row.get(look, '-'):>14}" for look in looks)
        for screen, row in violations.items()
    ]
    return [f"axe violations{'':<8}{head}", *rows]


CARD = Scorecard()
