"""hub.toml of a hub that runs: how the file and what runs stand to each other."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from deskhub.config import ConfigProblems, place_of
from deskhub.edge.auth import requires
from deskhub.edge.hub import Hub
from deskhub.host.errors import ConfigNotEditable
from deskhub.host.plan import Change
from deskhub.host.reload import Status
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission

Admin = Annotated[Principal, Depends(requires(Permission.ADAPTER_ADMIN))]


class ChangeView(BaseModel):
    """One change: *kind* is add, remove, restart, in_place, or hub for what has to wait."""

    kind: str
    where: str
    why: str
    text: str


class MistakeView(BaseModel):
    """One mistake in the file."""

    code: str
    path: str
    line: int | None
    what: str
    why: str
    fix: str


class ConfigView(BaseModel):
    """How hub.toml and what runs stand to each other.

    *problems* keep the file from being used: the last good one holds. *kept* says of
    instances why they run on as they were, *waiting* what holds after the next start.
    *read_only* says why the file cannot be edited from here; *digest* names its text.
    """

    file: str
    at: datetime
    digest: str
    read_only: str
    problems: list[MistakeView]
    done: list[ChangeView]
    kept: dict[str, str]
    waiting: list[ChangeView]


class PlanView(BaseModel):
    """What reading the file now would do to what runs, or the mistakes that forbid it."""

    problems: list[MistakeView]
    changes: list[ChangeView]


def router(hub: Hub) -> APIRouter:
    """Return the routes of hub.toml."""
    routes = APIRouter(prefix="/api/v1/config", tags=["config"])

    @routes.get("")
    async def config(principal: Admin) -> ConfigView:
        """Say what is wrong with the file, what was done, and what has to wait."""
        check_operator(hub, principal)
        return _view(hub, hub.reload.status)

    @routes.post("/reload")
    async def reload(principal: Admin) -> ConfigView:
        """Read the file now, with its secrets and the installed adapters."""
        check_operator(hub, principal)
        return _view(hub, await hub.reload.load())

    @routes.get("/plan")
    async def plan(principal: Admin) -> PlanView:
        """Say what reading the file now would do; changes nothing."""
        check_operator(hub, principal)
        problems, changes = await hub.reload.plan()
        return PlanView(problems=_mistakes(problems), changes=[_change(one) for one in changes])

    return routes


def check_operator(hub: Hub, principal: Principal) -> None:
    """Raise `Forbidden` in a hub of several companies: the file concerns all of them."""
    if hub.config.tenants != (principal.tenant,):
        raise ConfigNotEditable("several tenants share this hub; the file is its operator's")


def _view(hub: Hub, status: Status) -> ConfigView:
    return ConfigView(
        file=hub.reload.path.name,
        at=status.at,
        digest=status.digest,
        read_only=hub.reload.read_only,
        problems=_mistakes(status.problems),
        done=[_change(one) for one in status.done],
        kept=dict(status.kept),
        waiting=[_change(one) for one in status.waiting],
    )


def _mistakes(found: ConfigProblems | None) -> list[MistakeView]:
    if found is None:
        return []
    shown = []
    for one in found.problems:
        place = place_of(one, found.source)
        shown.append(
            MistakeView(
                code=one.code,
                path=".".join(one.path),
                line=place.line if place is not None else None,
                what=one.what,
                why=one.why,
                fix=one.fix,
            )
        )
    return shown


def _change(one: Change) -> ChangeView:
    return ChangeView(kind=one.kind, where=one.where, why=one.why, text=str(one))
