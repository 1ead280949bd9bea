"""The figures of reports, counted by either database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from deskhub.chat import commands as c
from deskhub.errors import Forbidden, NotFound
from deskhub.identity.model import Principal
from deskhub.store.reports import figures, live, ratings
from deskhub.store.reports.days import Span
from deskhub.store.reports.figures import Asked, Figures
from tests.reports.conftest import LEAD, LI, SARA, SHANGHAI, Desk, november, visitor


async def test_a_span_is_counted_in_all(desk: Desk) -> None:
    for minutes, score in ((1, 5), (2, 4), (3, None), (4, 2), (50, None)):
        await desk.talk("3 09:00", reply_s=60 * minutes, close_s=3600 * minutes, score=score)
    await desk.talk("9 09:00")

    found = await desk.read(figures.totals, november(3, 5))

    assert found == Figures(
        opened=5, closed=5, replies=5, first_reply_p50_s=180, first_reply_p90_s=3000,
        resolution_p50_s=3 * 3600, resolution_p90_s=50 * 3600,
        ratings=3, score_sum=11, satisfied=2,
    )  # fmt: skip


async def test_nothing_is_not_zero_seconds(desk: Desk) -> None:
    found = await desk.read(figures.totals, november(1, 30))

    assert found == Figures()
    assert found.first_reply_p50_s is None


async def test_days_are_those_of_the_readers_zone(desk: Desk) -> None:
    await desk.talk("3 15:59")
    await desk.talk("3 16:00")

    in_utc = await desk.read(figures.by_day, november(3, 4))
    in_shanghai = await desk.read(figures.by_day, november(3, 4, SHANGHAI))

    assert [(one["day"], one["opened"]) for one in in_utc] == [
        ("2026-11-03", 2), ("2026-11-04", 0),
    ]  # fmt: skip
    # 15:59 UTC is the last minute of the third in Shanghai.
    assert [(one["day"], one["opened"]) for one in in_shanghai] == [
        ("2026-11-03", 1), ("2026-11-04", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        # New York's clocks went back on 1 November 2026 at 06:00 UTC.
        ("America/New_York", datetime(2026, 11, 1, 3, 59, tzinfo=UTC), "2026-10-31"),
        ("America/New_York", datetime(2026, 11, 1, 4, 0, tzinfo=UTC), "2026-11-01"),
        ("America/New_York", datetime(2026, 11, 2, 4, 59, tzinfo=UTC), "2026-11-01"),
        ("America/New_York", datetime(2026, 11, 2, 5, 0, tzinfo=UTC), "2026-11-02"),
        ("Asia/Kathmandu", datetime(2026, 11, 1, 18, 14, tzinfo=UTC), "2026-11-01"),
        ("Asia/Kathmandu", datetime(2026, 11, 1, 18, 15, tzinfo=UTC), "2026-11-02"),
    ],
)
async def test_a_clock_change_moves_nothing_to_another_day(
    desk: Desk, zone: str, at: datetime, day: str
) -> None:
    desk.clock.at = at
    await desk.opened(visitor("v_1"))

    span = Span(date(2026, 10, 30), date(2026, 11, 5), ZoneInfo(zone))
    rows = await desk.read(figures.by_day, Asked(span))

    assert [one["day"] for one in rows if one["opened"]] == [day]


async def test_the_backlog_is_what_is_open_at_the_end_of_each_day(desk: Desk) -> None:
    desk.at("1 09:00")
    old = await desk.opened(visitor("v_old"))
    await desk.talk("3 09:00", close_s=86_400)
    desk.at("5 09:00")
    await desk.do(LI, c.Close(old))
    desk.at("6 09:00")
    await desk.do(visitor("v_old"), c.PostMessage(old, "Once more"))

    rows = await desk.read(figures.by_day, november(2, 6))

    assert [(one["opened"], one["closed"], one["backlog"]) for one in rows] == [
        (0, 0, 1), (1, 0, 2), (0, 1, 1), (0, 1, 0), (1, 0, 1),
    ]  # fmt: skip


async def test_a_reopened_conversation_is_a_stretch_of_its_own(desk: Desk) -> None:
    one = await desk.talk("3 09:00", reply_s=10, score=5)
    desk.at("4 09:00")
    await desk.do(LI, c.Reopen(one))
    desk.later(hours=1)
    await desk.do(LI, c.PostMessage(one, "We found it"))
    desk.later(hours=1)
    await desk.do(LI, c.Close(one))

    found = await desk.read(figures.totals, november(3, 4))

    # Nobody asked in the second stretch, so that nobody answered.
    assert (found.opened, found.closed, found.replies, found.ratings) == (2, 2, 1, 1)
    assert found.first_reply_p50_s == 10


async def test_only_a_persons_answer_is_a_first_reply(desk: Desk) -> None:
    desk.at("3 09:00")
    who = visitor("v_1")
    one = await desk.opened(who)
    shop = Principal("main", "adapter", "orders", "Orders", grants=frozenset({"message"}))
    desk.later(seconds=5)
    await desk.do(shop, c.PostMessage(one, "We got it"))
    desk.later(seconds=40)
    await desk.do(LI, c.PostMessage(one, "Hello"))

    assert (await desk.read(figures.totals, november(3, 3))).first_reply_p50_s == 45


async def test_agents_get_what_is_theirs(desk: Desk) -> None:
    await desk.talk("3 09:00", reply_s=30, close_s=300, score=5)
    one = await desk.talk("3 10:00", reply_s=60, by=SARA)
    desk.at("3 12:00")
    await desk.do(LI, c.Reopen(one))
    await desk.do(LI, c.Assign(one, LI.id))
    desk.later(minutes=5)
    await desk.do(SARA, c.Close(one))

    rows = await desk.read(figures.by_agent, november(3, 3))

    assert {
        one["agent"]: (one["replies"], one["closed"], one["ratings"], one["first_reply_p50_s"])
        for one in rows
    } == {"a_li": (1, 2, 1, 30), "a_sara": (1, 1, 0, 60)}


async def test_inboxes_are_counted_apart_and_targets_only_where_there_are_some(
    desk: Desk,
) -> None:
    await desk.talk("3 09:00")
    await desk.talk("3 09:30", late=True)
    await desk.talk("3 10:00", inbox="second", late=True)

    asked = november(3, 3, promised=frozenset({"web"}))
    rows = await desk.read(figures.by_inbox, asked)

    assert [(one["inbox"], one["opened"], one["promised"], one["kept"]) for one in rows] == [
        ("second", 1, 0, 0), ("web", 2, 2, 1),
    ]  # fmt: skip


async def test_who_leads_one_inbox_sees_no_other(desk: Desk) -> None:
    await desk.talk("3 09:00", score=1)
    await desk.talk("3 10:00", inbox="second", score=5)
    second = Principal(
        "main", "agent", "a_2", "Lead", role="supervisor", inboxes=frozenset({"second"})
    )

    found = await desk.read(figures.totals, november(3, 3), second)
    said = await desk.read(ratings.latest, november(3, 3), second, limit=10)

    assert (found.opened, found.score_sum) == (1, 5)
    assert [one["score"] for one in said] == [5]
    with pytest.raises(NotFound):
        await desk.read(figures.totals, november(3, 3, inbox="web"), second)


@pytest.mark.parametrize("query", [figures.totals, figures.by_agent, figures.by_day])
async def test_another_tenant_and_an_agent_read_nothing(desk: Desk, query: object) -> None:
    await desk.talk("3 09:00")
    rival = Principal("rival", "agent", "a_9", "Rival", role="supervisor")

    found = await desk.read(figures.totals, november(3, 3), rival)

    assert found == Figures()
    with pytest.raises(Forbidden):
        await desk.read(query, november(3, 3), LI)


async def test_ratings_are_shown_newest_first_with_their_words(desk: Desk) -> None:
    await desk.talk("3 09:00", score=5)
    await desk.talk("4 09:00", score=1, by=SARA)

    rows = await desk.read(ratings.latest, november(1, 30), limit=10)

    assert [(one["score"], one["comment"], one["at"]) for one in rows] == [
        (1, "It was a 1", "2026-11-04T09:10:00.000Z"),
        (5, "It was a 5", "2026-11-03T09:10:00.000Z"),
    ]
    auditor = Principal("main", "agent", "a_3", "Audit", role="auditor")
    with pytest.raises(Forbidden):
        await desk.read(ratings.latest, november(1, 30), auditor, limit=10)


async def test_the_live_page_says_who_waits(desk: Desk) -> None:
    desk.at("3 09:00")
    first = await desk.opened(visitor("v_1"))
    desk.later(minutes=1)
    second = await desk.opened(visitor("v_2"))
    await desk.do(LI, c.Assign(second, LI.id))
    desk.later(minutes=1)
    third = await desk.opened(visitor("v_3", "second"))
    await desk.do(LI, c.PostMessage(third, "Hello"))

    found = await desk.store.read(lambda db: live.now_open(db, LEAD))

    assert (found["open"], found["snoozed"]) == (3, 0)
    assert found["queue"] == {
        "unassigned": 2, "unassigned_since": "2026-11-03T09:00:00.000Z",
    }  # fmt: skip
    assert found["waiting"]["waiting"] == 2
    assert found["waiting"]["waiting_since"] == "2026-11-03T09:00:00.000Z"
    assert found["agents"] == {
        "a_li": {"open": 1, "waiting": 1, "waiting_since": "2026-11-03T09:01:00.000Z"}
    }
    assert found["inboxes"]["second"]["unassigned"] == 1
    await desk.do(LI, c.Close(first))
    again = await desk.store.read(lambda db: live.now_open(db, LEAD))
    assert again["queue"]["unassigned"] == 1


async def test_a_conversation_counts_for_each_of_its_tags(desk: Desk) -> None:
    sole = await desk.talk("3 09:00", reply_s=60, score=5)
    size = await desk.talk("3 10:00", reply_s=120, score=2)
    await desk.talk("3 11:00")
    await desk.do(LI, c.Tag(sole, add=("return", "quality")))
    await desk.do(LI, c.Tag(size, add=("return", "尺码", '100%_"x"')))
    await desk.do(LI, c.Tag(size, remove=("return",)))
    other = await desk.talk("3 12:00", inbox="phone")
    await desk.do(LI, c.Tag(other, add=("quality",)))

    rows = await desk.read(figures.by_tag, november(3, 3))
    here = await desk.read(figures.by_tag, november(3, 3, inbox="web"))

    told = {one["tag"]: (one["opened"], one["closed"], one["score_sum"]) for one in rows}
    assert told == {
        "return": (1, 1, 5), "quality": (2, 2, 5), "尺码": (1, 1, 2), '100%_"x"': (1, 1, 2),
    }  # fmt: skip
    assert {one["tag"]: one["opened"] for one in here}["quality"] == 1
    assert next(one for one in rows if one["tag"] == "return")["first_reply_p50_s"] == 60


async def test_tags_of_inboxes_that_a_lead_does_not_see_are_not_counted(desk: Desk) -> None:
    secret = await desk.talk("3 09:00", inbox="phone")
    await desk.do(LI, c.Tag(secret, add=("acquisition",)))
    limited = Principal(
        "main", "agent", "a_few", "Few", role="supervisor", inboxes=frozenset({"web"})
    )

    assert await desk.read(figures.by_tag, november(1, 5), limited) == []
