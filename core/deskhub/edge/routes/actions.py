"""Actions across systems: form, preview, confirmation, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from deskhub.edge.auth import requires
from deskhub.edge.fields import Id, Input, Paragraph
from deskhub.edge.hub import Hub
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission

Runner = Annotated[Principal, Depends(requires(Permission.ACTION_RUN))]
Resolver = Annotated[Principal, Depends(requires(Permission.ACTION_RESOLVE))]
Auditor = Annotated[Principal, Depends(requires(Permission.AUDIT_READ))]
Approver = Annotated[Principal, Depends(requires(Permission.ACTION_APPROVE))]
Json = dict[str, Any]
Do = Literal["check", "retry", "undo", "done", "hand_over", "go_on"]
State = Literal["running", "waiting", "compensating", "completed", "compensated", "attention"]


class PlanInput(Input):
    """*input* is checked by the action type, which knows its own form."""

    conversation: Id
    input: Annotated[Json, Field(max_length=50)]


class Confirm(Input):
    """The digest of exactly the plan that was shown."""

    digest: Id


class Ask(Input):
    """*propose* asks a person although the amount is within the own limit."""

    propose: bool = False


class Decide(Input):
    """A second person's yes or no to exactly the digest that will run."""

    do: Literal["approve", "refuse"]
    digest: Id
    reason: Paragraph | None = None


class Resolve(Input):
    """What a person decided about a run that needs one; *reason* is kept with it."""

    do: Do
    reason: Paragraph | None = None


def router(hub: Hub) -> APIRouter:
    """Return the routes of actions."""
    routes = APIRouter(prefix="/api/v1", tags=["actions"])

    @routes.get("/conversations/{conversation}/actions")
    async def available(conversation: str, principal: Runner) -> Json:
        """Say what can be done here, and if not, why."""
        return {"actions": await hub.actions.available(principal, conversation)}

    @routes.get("/actions")
    async def catalogue(principal: Runner) -> Json:
        """List every kind of action with what planning it takes, as JSON Schema."""
        return {"actions": hub.actions.catalogue(principal)}

    @routes.get("/actions/{type_}/form")
    async def form(
        type_: str,
        principal: Runner,
        conversation: Annotated[str, Query(max_length=128)],
        object_: Annotated[str, Query(alias="object", max_length=200)],
    ) -> Json:
        """Return the form of an action, filled with what is known."""
        return await hub.actions.form(principal, type_, conversation, object_)

    @routes.post("/actions/{type_}/plan")
    async def plan(type_: str, body: PlanInput, principal: Runner) -> Json:
        """Preview every effect in every system; nothing is changed."""
        return await hub.actions.plan(principal, type_, body.conversation, body.input)

    @routes.post("/plans/{plan}/confirm")
    async def confirm(plan: str, body: Confirm, principal: Runner) -> Json:
        """Start exactly what was shown; 409 ``plan_changed`` carries what it would be now."""
        return {"run": await hub.actions.confirm(principal, plan, body.digest)}

    _approvals(routes, hub)
    _runs(routes, hub)
    return routes


def _approvals(routes: APIRouter, hub: Hub) -> None:
    """Add what a second person does."""

    @routes.post("/plans/{plan}/ask")
    async def ask(plan: str, principal: Runner, body: Ask | None = None) -> Json:
        """Ask a second person about a plan above the own limit, or propose any plan."""
        propose = body is not None and body.propose
        return await hub.actions.ask(principal, plan, propose=propose)

    @routes.get("/plans/{plan}")
    async def shown(plan: str, principal: Runner) -> Json:
        """Return a plan as it was shown."""
        return await hub.actions.show(principal, plan)

    @routes.get("/approvals")
    async def approvals(principal: Runner) -> Json:
        """Return the requests that wait for a second person, oldest first."""
        return {"approvals": await hub.actions.approvals(principal)}

    @routes.post("/approvals/{approval}/decide")
    async def decide(approval: str, body: Decide, principal: Approver) -> Json:
        """Approve or refuse; approving starts what was asked, as the asker's run."""
        reason = body.reason or ""
        return await hub.actions.decide(principal, approval, body.do, body.digest, reason)


def _runs(routes: APIRouter, hub: Hub) -> None:
    """Add what became of plans."""

    @routes.get("/runs")
    async def runs(
        principal: Runner,
        state: Annotated[State | None, Query()] = None,
        conversation: Annotated[str | None, Query(max_length=128)] = None,
        customer: Annotated[str | None, Query(max_length=128)] = None,
        object_: Annotated[str | None, Query(alias="object", max_length=200)] = None,
    ) -> Json:
        """Return runs, newest first; ``state=attention`` are those that need a person."""
        found = await hub.actions.runs(
            principal, state, conversation, customer=customer, object_=object_
        )
        return {"runs": found}

    @routes.get("/orders/{object_}/reconcile")
    async def reconcile(
        object_: str,
        principal: Runner,
        conversation: Annotated[str, Query(max_length=128)],
    ) -> Json:
        """Return what every system says of an order, and where they contradict each other."""
        return await hub.actions.reconcile(principal, object_, conversation)

    @routes.get("/audit")
    async def trail(
        principal: Auditor,
        object_: Annotated[str | None, Query(alias="object", max_length=200)] = None,
        before: Annotated[int | None, Query(ge=1)] = None,
    ) -> Json:
        """Return who did what, newest first, and whether the chain of rows is whole."""
        return await hub.actions.audit(principal, object_, before)

    @routes.get("/runs/{run}")
    async def one(run: str, principal: Runner) -> Json:
        """Return a run with all its steps."""
        return await hub.actions.run(principal, run)

    @routes.post("/runs/{run}/resolve")
    async def resolve(run: str, body: Resolve, principal: Resolver) -> Json:
        """Do what a person decided."""
        return await hub.actions.resolve(principal, run, body.do, body.reason or "")
