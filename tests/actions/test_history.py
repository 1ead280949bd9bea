"""What was done, for a person, an order, and an auditor who trusts nobody."""

from __future__ import annotations

import pytest

from deskhub.errors import Forbidden
from deskhub.identity.model import Principal
from deskhub.store import audit
from deskhub.store.tables import actions as t
from tests.actions.five import LI_WEI

AUDITOR = Principal(tenant="main", kind="agent", id="a_z", role="auditor")


async def test_runs_are_found_by_customer_and_by_order(desk):
    view = await desk.returned()

    async def found(**by):
        return [one["id"] for one in await desk.actions.runs(LI_WEI, **by)]

    assert await found(customer="u_1") == [view["id"]]
    assert await found(object_="orders:1042") == [view["id"]]
    assert await found(customer="u_2") == []
    assert await found(object_="orders:1043") == []


async def test_the_trail_is_for_auditors_and_whole(desk):
    view = await desk.returned()

    page = await desk.actions.audit(AUDITOR)
    rest = await desk.actions.audit(AUDITOR, before=page["rows"][0]["seq"])

    assert [row["what"] for row in page["rows"]] == ["action.completed", "action.confirmed"]
    assert page["rows"][0]["data"]["run"] == view["id"]
    assert page["broken"] is None
    assert [row["seq"] for row in rest["rows"]] == [1]
    with pytest.raises(Forbidden):
        await desk.actions.audit(LI_WEI)


def deed(tx, number):
    audit.record(
        tx.connection,
        "main",
        tx.now,
        actor="agent:a",
        what="x",
        object_="o",
        data={"n": number},
    )


@pytest.mark.parametrize(
    ("harm", "where"),
    [
        (lambda: t.audit.update().where(t.audit.c.seq == 2).values(actor="agent:b"), 2),
        (lambda: t.audit.update().where(t.audit.c.seq == 2).values(data={"n": 9}), 2),
        (lambda: t.audit.delete().where(t.audit.c.seq == 1), 1),
        (lambda: t.audit.delete().where(t.audit.c.seq == 3), 3),
        (lambda: t.audit.update().where(t.audit.c.seq == 4).values(seq=9), 4),
        (lambda: t.audit.update().where(t.audit.c.seq == 3).values(hash="0" * 64), 3),
    ],
)
async def test_what_was_edited_removed_or_moved_breaks_the_chain(desk, harm, where):
    for number in range(4):
        await desk.store.transact("main", lambda tx, n=number: deed(tx, n))
    assert await desk.store.read(lambda c: audit.broken(c, "main")) is None

    await desk.store.transact("main", lambda tx: tx.connection.execute(harm()).rowcount)

    assert await desk.store.read(lambda c: audit.broken(c, "main")) == where
