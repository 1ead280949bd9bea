"""An adapter's table in hub.toml from the console: a form, a difference, then the change."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from deskhub.config.edit import Edit, as_toml
from deskhub.config.secrets import is_reference
from deskhub.edge.fields import Id, Input
from deskhub.edge.hub import Hub
from deskhub.edge.routes.adapter_pages import Admin
from deskhub.edge.routes.config import check_operator
from deskhub.edge.watching import HIDDEN
from deskhub.errors import Invalid
from deskhub.host.errors import UnknownInstance
from deskhub.host.form import Field as Setting
from deskhub.host.form import form_of
from deskhub.host.manifests import manifest_at_hand
from deskhub.host.trial import Trials, Tried, refused, sentence
from deskhub.identity.model import Principal
from deskhub.store import audit

KEYS = 100
_INSTANCE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
# From a browser only what somebody put into the store for adapters: a file or a variable could
# be any of the server's, and the form also says where its value is sent.
_FROM_HERE = frozenset({"store"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}\Z")


class SettingView(BaseModel):
    """One field of the form; *value* is what hub.toml says, of a secret where it stands."""

    name: str
    kind: str
    text: str
    secret: bool
    required: bool
    default: Any
    choices: list[str]
    value: Any


class SettingsView(BaseModel):
    """The form of one instance. *digest* is the file's; *read_only* says why, or is empty."""

    instance: str
    use: str
    enabled: bool
    settings: list[SettingView]
    read_only: str
    digest: str


class Wanted(Input):
    """What is to change: *config* by setting, None takes one out."""

    use: Id | None = None
    enabled: bool | None = None
    config: Annotated[dict[Id, Any], Field(max_length=KEYS)] = Field(default_factory=dict)
    digest: str = ""


class ProposalView(BaseModel):
    """What would change: in the file, in the hub, and as text for a file kept elsewhere."""

    diff: str
    changes: list[str]
    toml: str
    digest: str


class OutcomeView(BaseModel):
    """What changed; *kept* says of an instance why it runs on as it was."""

    done: list[str]
    kept: dict[str, str]
    waiting: list[str]


class FaultView(BaseModel):
    """One thing that is wrong with the settings, and what mends it."""

    code: str
    text: str
    fix: str


class TrialView(BaseModel):
    """How settings that are not saved did: *code*, *text* and *fix* say what is wrong.

    *faults* is all that keeps them from being tried; *layers* confined the trial's process.
    """

    ok: bool
    code: str
    text: str
    fix: str
    ms: float
    layers: list[str]
    faults: list[FaultView]


def router(hub: Hub) -> APIRouter:
    """Return the routes of adapters' settings."""
    routes = APIRouter(prefix="/api/v1/adapters", tags=["adapters"])

    def points() -> Mapping[str, EntryPoint]:
        return hub.host.points()

    trials = Trials(hub.config, hub.clock, points)

    @routes.get("/{instance}/settings")
    async def settings(
        instance: str, principal: Admin, use: Annotated[str, Query(max_length=64)] = ""
    ) -> SettingsView:
        """Return the form; of an adapter that is installed and not in hub.toml, too."""
        table = _table(hub, principal, instance)
        name = str(table.get("use") or use or instance)
        fields = await _form(hub, name)
        values = table.get("config") or {}
        return SettingsView(
            instance=instance,
            use=name,
            enabled=bool(table.get("enabled", bool(table))),
            settings=[_setting(one, values.get(one.name)) for one in fields],
            read_only=hub.reload.read_only,
            digest=hub.reload.digest,
        )

    @routes.post("/{instance}/settings/preview")
    async def preview(instance: str, body: Wanted, principal: Admin) -> ProposalView:
        """Say what the change would do to hub.toml and to the hub; nothing is written."""
        edits = await _edits(hub, principal, instance, body)
        found = await hub.reload.propose(edits, body.digest)
        return ProposalView(
            diff=found.draft.diff,
            changes=[str(one) for one in found.changes],
            toml=as_toml(edits),
            digest=hub.reload.digest,
        )

    @routes.post("/{instance}/settings/check")
    async def check(instance: str, body: Wanted, principal: Admin) -> TrialView:
        """Ask the far side with these settings, in a process of their own; nothing is saved.

        A secret that is left out or empty is the one that hub.toml names. Who tried which
        settings is in the audit trail: a secret may have gone to an address that is new.
        """
        edits = await _edits(hub, principal, instance, body, keeps_secrets=True)
        settings, problems = await hub.reload.as_edited(instance, edits)
        if settings is None:
            return _trial_view(refused(problems))
        await _record_trial(hub, principal, instance, edits)
        return _trial_view(await trials.run(settings))

    @routes.put("/{instance}/settings")
    async def change(instance: str, body: Wanted, principal: Admin) -> OutcomeView:
        """Make the change that was shown: *digest* is the preview's."""
        edits = await _edits(hub, principal, instance, body)
        status = await hub.reload.edit(edits, body.digest, by=principal.by)
        return OutcomeView(
            done=[str(one) for one in status.done],
            kept=dict(status.kept),
            waiting=[str(one) for one in status.waiting],
        )

    return routes


def _table(hub: Hub, principal: Principal, instance: str) -> dict[str, Any]:
    """Return the instance's table in hub.toml, empty when it has none.

    Raises `UnknownInstance` for a name that cannot be, and for another tenant's.
    """
    try:
        tables = tomllib.loads(hub.reload.text()).get("adapters", {})
    except tomllib.TOMLDecodeError:
        tables = {}
    table = tables.get(instance) or {}
    if not _INSTANCE.match(instance) or not isinstance(table, dict):
        raise UnknownInstance(instance)
    if table and table.get("tenant", "main") != principal.tenant:
        raise UnknownInstance(instance)
    return dict(table)


async def _form(hub: Hub, use: str) -> tuple[Setting, ...]:
    """Return the fields of an installed adapter. Raises `UnknownInstance`."""
    point = hub.host.points().get(use)
    if point is None:
        raise UnknownInstance(use)
    # An adapter without a manifest has to be imported to know its settings.
    manifest = await asyncio.to_thread(manifest_at_hand, point)
    return form_of(manifest)


async def _edits(
    hub: Hub,
    principal: Principal,
    instance: str,
    body: Wanted,
    *,
    keeps_secrets: bool = False,
) -> list[Edit]:
    """Return what *body* changes in the file. Raises `Forbidden`; `Invalid` for a secret.

    With *keeps_secrets* one that is left empty stays what it is.
    """
    check_operator(hub, principal)
    table = _table(hub, principal, instance)
    use = str(table.get("use") or body.use or instance)
    secret = {one.name for one in await _form(hub, use) if one.is_secret}
    present = table.get("config") or {}
    at = ("adapters", instance)
    edits = []
    if not table and use != instance:
        edits.append(Edit((*at, "use"), use))
    if not table and principal.tenant != "main":
        edits.append(Edit((*at, "tenant"), principal.tenant))
    if body.enabled is not None or not table:
        edits.append(Edit((*at, "enabled"), value=bool(body.enabled)))
    for key, value in body.config.items():
        if value == present.get(key):
            continue
        if keeps_secrets and key in secret and value in (None, ""):
            continue
        if key in secret and value is not None:
            _check_reference(key, value)
        edits.append(Edit((*at, "config", key), value))
    return edits


async def _record_trial(
    hub: Hub, principal: Principal, instance: str, edits: Sequence[Edit]
) -> None:
    """Write down who tries which settings, by name: their values may be nobody's business."""
    names = sorted(one.path[-1] for one in edits if one.path[2] == "config")
    await hub.store.transact(
        principal.tenant,
        lambda tx: audit.record(
            tx.connection, tx.tenant, tx.now, actor=principal.by, what="adapter.tried",
            object_=f"adapter:{instance}", data={"settings": names},
        ),
    )  # fmt: skip


def _trial_view(found: Tried) -> TrialView:
    return TrialView(
        ok=found.ok, code=found.code, text=found.text, fix=found.fix, ms=found.ms,
        layers=list(found.layers),
        faults=[
            FaultView(code=one.code, text=sentence(one.what), fix=sentence(one.fix))
            for one in found.problems
        ],
    )  # fmt: skip


def _check_reference(key: str, value: object) -> None:
    """Raise `Invalid` unless *value* says where a secret stands, in a way open to browsers."""
    if is_reference(value) and isinstance(value, Mapping):
        kind, target = next(iter(value.items()))
        if kind in _FROM_HERE and isinstance(target, str) and _NAME.match(target):
            return
    text = "Keep it with `deskhub secret set NAME` and say the name: store:NAME."
    raise Invalid(fields=({"path": f"config.{key}", "code": "DH301", "text": text},))


def _setting(field: Setting, value: object) -> SettingView:
    shown = value
    if field.is_secret and value is not None and not is_reference(value):
        shown = HIDDEN
    return SettingView(
        name=field.name, kind=field.kind, text=field.text, secret=field.is_secret,
        required=field.is_required, default=field.default, choices=list(field.choices),
        value=shown,
    )  # fmt: skip
