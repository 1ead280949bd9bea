"""An adapter brings an action of its own: declared data, the same engine, the same gate."""

from __future__ import annotations

import json

import msgspec
import pytest

from deskhub.actions.kinds.vendor import of_adapter
from deskhub.actions.planner import Offer
from deskhub.actions.registry import Registry
from deskhub.errors import Invalid, NotFound
from deskhub_sdk import (
    ActionField,
    ActionSlot,
    ActionSpec,
    Adapter,
    Change,
    Config,
    Fact,
    Meta,
    Preview,
    Step,
    StepCall,
    step,
)
from deskhub_sdk.manifest import Manifest, decode_manifest, encode_manifest, manifest_of
from tests.actions.five import LI_WEI, System

GRANT = ActionSpec(
    id="vendor.loyalty.grant@1",
    title="Grant points",
    noun="grant",
    button="Grant the points",
    slots=(ActionSlot(name="granted", required=True, missing="Nobody can grant points."),),
    decides="granted",
    done="The customer has the points.",
    doing="The customer is getting the points.",
    not_done="The customer has no new points.",
    unknown="It is not known whether the customer has the points.",
    reasons=(("thanks", "Thank you"),),
    fields=(
        ActionField(name="points", title="Points", kind="number", most=500),
        ActionField(name="remark", title="Remark", required=False, most=20),
    ),
    about="conversation",
)


@step("vendor.loyalty.grant@1", provides="granted", kind="compensable", dedupe="key",
      system="Loyalty", done="The points are granted.", not_done="No points are granted.")  # fmt: skip
class Grant(Step):
    """Grants what was filled in."""

    async def preview(self, call: StepCall) -> Preview:
        points = str(call.subject.fields["points"])
        return Preview("Grant points", (Change("Points", None, points),), points)

    async def run(self, call: StepCall) -> Fact:
        return {"points": call.subject.fields["points"]}

    async def undo(self, call: StepCall, fact: Fact) -> None:
        del call, fact


class Loyalty(Adapter[Config]):
    """An adapter with an action and its only step."""

    meta = Meta(id="loyalty", name="Loyalty", sdk=">=1.0,<2")
    config_model = Config
    steps = (Grant,)
    actions = (GRANT,)


@pytest.fixture
def loyal(desk):
    """A hub with that adapter enabled for the tenant."""
    desk.actions._types._brought = lambda tenant: (GRANT,) if tenant == "main" else ()
    desk.five.offered.append(Offer("loyalty", Grant.spec, "1"))
    desk.five.systems["Grant"] = System("key")
    desk.object = f"conversation:{desk.conversation}"
    return desk


async def plan(desk, **changes):
    form = {"object": desk.object, "reason": "thanks", "points": 50} | changes
    return await desk.actions.plan(LI_WEI, GRANT.id, desk.conversation, form)


async def test_it_is_offered_planned_and_run_like_any_other(loyal):
    offered = await loyal.actions.available(LI_WEI, loyal.conversation)
    assert [one["label"] for one in offered if one["type"] == GRANT.id] == ["Grant points"]

    made = await plan(loyal, message="Enjoy.")
    view = await loyal.ended(await loyal.actions.confirm(LI_WEI, made["id"], made["digest"]))

    assert made["confirm_label"] == "Grant the points"
    assert made["amount"] is None
    assert view["state"] == "completed"
    assert view["sentence"] == "The customer has the points."
    assert [one["provides"] for one in view["steps"]] == ["granted", "told"]
    said = [json.loads(row.data)["text"] for row in await loyal.events("message.posted")]
    assert said[-1] == "Enjoy."


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"points": None}, ("points", "required")),
        ({"points": "50"}, ("points", "type")),
        ({"points": True}, ("points", "type")),
        ({"points": 501}, ("points", "range")),
        ({"points": -1}, ("points", "range")),
        ({"remark": "x" * 21}, ("remark", "too_long")),
        ({"reason": "because"}, ("reason", "choice")),
        ({"amount": "1.00"}, ("amount", "unknown_field")),
    ],
)
async def test_its_fields_are_checked_one_by_one(loyal, changes, problem):
    with pytest.raises(Invalid) as caught:
        await plan(loyal, **changes)

    assert problem in {(field["path"], field["code"]) for field in caught.value.fields}


async def test_programs_read_what_planning_it_takes(loyal):
    found = {one["type"]: one for one in loyal.actions.catalogue(LI_WEI)}

    schema = found[GRANT.id]["schema"]
    assert schema["properties"]["points"] == {
        "type": "integer", "title": "Points", "minimum": 0, "maximum": 500,
    }  # fmt: skip
    assert schema["required"] == ["object", "reason", "points"]
    assert "order.exchange@1" in found


async def test_another_tenant_has_no_such_action(loyal):
    with pytest.raises(NotFound):
        loyal.actions._types.get(GRANT.id, "other")


async def test_its_runs_can_be_read_when_the_adapter_is_gone(loyal):
    made = await plan(loyal)
    run = await loyal.actions.confirm(LI_WEI, made["id"], made["digest"])
    await loyal.ended(run)
    loyal.actions._types._brought = lambda tenant: ()

    view = await loyal.actions.run(LI_WEI, run)
    (listed,) = await loyal.actions.runs(LI_WEI)

    assert view["title"] == "vendor.loyalty.grant@1 V-1"
    assert view["truths"]["done"] == ["The points are granted."]
    assert listed["id"] == run


def test_it_travels_in_the_manifest():
    manifest = decode_manifest(encode_manifest(manifest_of(Loyalty)))

    assert manifest.actions == (GRANT,)
    assert Registry(brought=lambda tenant: manifest.actions).get(GRANT.id, "main").form.fields


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"id": "order.return@2"}, "vendor.ADAPTER.NAME"),
        ({"decides": "nothing"}, "no slot is called 'nothing'"),
        ({"reasons": ()}, "no reasons"),
        ({"fields": (ActionField(name="note", title="Note"),)}, "the hub's"),
        ({"slots": (ActionSlot(name="granted"),) * 2}, "twice"),
    ],
)
def test_what_the_hub_could_not_plan_is_refused_where_it_is_written(change, why):
    with pytest.raises(ValueError, match=why):
        msgspec.structs.replace(GRANT, **change)


def test_nobody_brings_actions_in_anothers_name():
    with pytest.raises(ValueError, match="not an action of crm"):
        Manifest(id="crm", name="CRM", version="1", sdk="", entry="", actions=(GRANT,))
    assert of_adapter(GRANT).id == GRANT.id
