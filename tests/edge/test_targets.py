"""What clients are told of service levels: spans of opening time, and no zones."""

from __future__ import annotations

from datetime import UTC, datetime

from deskhub.config import Config, Inbox
from deskhub.config.hours import Hours, Sla
from deskhub.edge.targets import sla_config, sla_view
from tests.edge.conftest import World

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
OFFICE = Hours(zone="Asia/Shanghai", mon="09:00-18:00", holidays=["2026-11-30"])


def box(**more) -> Inbox:
    return Inbox(id="web", key="k", **more)


def test_opening_times_are_told_as_seconds_without_holidays() -> None:
    view = sla_view(box(hours=OFFICE, sla=Sla(response="30m")), NOW)

    assert view is not None
    assert view["response_s"] == 1800
    first, last = view["spans"][0]
    assert (datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)) == (
        datetime(2026, 11, 23, 1, tzinfo=UTC),
        datetime(2026, 11, 23, 10, tzinfo=UTC),
    )
    assert [datetime.fromtimestamp(one, UTC).day for one, _ in view["spans"]] == [
        23,
        7,
        14,
        21,
        28,
    ]


def test_an_inbox_that_is_always_open_needs_no_spans() -> None:
    assert sla_view(box(sla=Sla(response="1h")), NOW) == {"response_s": 3600, "spans": None}


def test_nothing_is_told_where_nothing_was_promised(tmp_path) -> None:
    silent = box(hours=OFFICE)

    assert sla_view(silent, NOW) is None
    assert sla_view(box(sla=Sla(resolution="8h")), NOW) is None
    config = Config(path=tmp_path / "hub.toml", inboxes={"web": silent})
    assert sla_config(config).inboxes == {}


async def test_the_snapshot_tells_it(world: World) -> None:
    boxes = dict(world.hub.config.inboxes)
    boxes["web"] = boxes["web"].model_copy(update={"sla": Sla(response="15m")})
    world.hub.config = world.hub.config.model_copy(update={"inboxes": boxes})
    client = await world.client(await world.agent("agent"))

    inboxes = (await client.get("/api/v1/snapshot")).json()["inboxes"]

    told = {one["id"]: one["sla"] for one in inboxes}
    assert told["web"] == {"response_s": 900, "spans": None}
    assert told["second"] is None
