"""Whether customers are told that somebody is there: opening hours, and who is connected."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deskhub.config import Inbox
from deskhub.config.hours import Hours
from deskhub.edge.opening import Opening, opening
from deskhub.identity.records import Agent
from tests.support.chat import chat_hub

LI = Agent("main", "a_1", "li@example.com", "Li Wei", "agent")
# A Monday; nine to six in Shanghai is one to ten in UTC.
HOURS = Hours(zone="Asia/Shanghai", mon="09:00-18:00", tue="09:00-18:00")


def look(at: str, *connected: str, hours: Hours | None = None, agent: Agent = LI) -> Opening:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    hub: Any = SimpleNamespace(
        clock=SimpleNamespace(now=lambda: now),
        streams=SimpleNamespace(
            is_here=lambda tenant, by: (tenant == "main") and by in connected
        ),
    )
    return opening(hub, Inbox(id="web", key="k", hours=hours), [agent])


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-23T00:30:00", "2026-11-23T01:00:00"),
        ("2026-11-23T10:00:00", "2026-11-24T01:00:00"),
        ("2026-11-24T11:00:00", "2026-11-30T01:00:00"),
    ],
)
def test_outside_opening_hours_it_says_when_somebody_is_back(at: str, opens: str) -> None:
    found = look(at, "agent:a_1", hours=HOURS)

    assert found == Opening(
        away=True, opens_at=datetime.fromisoformat(opens).replace(tzinfo=UTC)
    )


def test_inside_opening_hours_it_depends_on_who_is_connected() -> None:
    assert look("2026-11-23T05:00:00", "agent:a_1", hours=HOURS) == Opening(away=False)
    assert look("2026-11-23T05:00:00", hours=HOURS) == Opening(away=True)


@pytest.mark.parametrize(
    "change",
    [{"status": "away"}, {"active": False}, {"inboxes": ("second",)}, {"role": "auditor"}],
)
def test_who_does_not_answer_here_does_not_count(change: dict[str, Any]) -> None:
    assert look("2026-11-23T05:00:00", "agent:a_1") == Opening(away=False)
    assert look("2026-11-23T05:00:00", "agent:a_1", agent=replace(LI, **change)).away


def test_an_inbox_that_never_opens_names_no_time() -> None:
    assert look("2026-11-23T05:00:00", "agent:a_1", hours=Hours()) == Opening(away=True)


async def test_a_visitor_is_told_with_the_snapshot(tmp_path: Path) -> None:
    async with chat_hub(tmp_path / "hub.db") as hub, hub.http("visitor.v_1") as client:
        before = (await client.get("/api/v1/snapshot")).json()["settings"]
        async with hub.dial("agent.a_1") as agent:
            await agent.until("welcome")
            after = (await client.get("/api/v1/snapshot")).json()["settings"]

    assert (before["away"], after["away"]) == (True, False)
    assert before["opens_at"] is None
    assert before["page"] == "/c/key-web"
