"""What would happen if it ran now: every step asked at once, and a digest of the answers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from deskhub.actions.calls import journalled, plain, seen_by_adapters
from deskhub.actions.errors import ActionRefused
from deskhub.actions.forms import Wanted, check_form
from deskhub.actions.hub_steps import HUB, tell, told_preview
from deskhub.actions.planner import Draft, Dropped, Placed, arrange
from deskhub.actions.policy import GoodsIn, ordered
from deskhub.actions.ports import Setting, StepRef, StepRunner, Surroundings
from deskhub.actions.subject import Objects
from deskhub.actions.types import ActionType
from deskhub.clock import Clock
from deskhub.identity.model import Principal
from deskhub_sdk.errors import AdapterError
from deskhub_sdk.steps import Preview, Refusal, StepCall

PREVIEW_S = 2.0


@dataclass(frozen=True, slots=True)
class Checked:
    """One look at the world: *document* holds all that a run needs.

    *digest* stands for everything an agent is shown and confirms. *basis* leaves out the
    words of the changes: at confirmation the steps' fingerprints decide what still holds.
    """

    document: dict[str, Any]
    digest: str
    basis: str

    @property
    def is_eligible(self) -> bool:
        """Return whether every system would do its part."""
        return not any(step["shown"]["refusal"] for step in self.document["steps"])


class Previews:
    """Asks every system what it would do, without any of them doing it."""

    def __init__(
        self,
        steps: StepRunner,
        around: Surroundings,
        clock: Clock,
        bind: Mapping[str, str],
        goods_in: GoodsIn = "never",
    ) -> None:
        """Ask *steps*; *bind* and *goods_in* are hub.toml's choices."""
        self._goods_in = goods_in
        self._steps = steps
        self._around = around
        self._clock = clock
        self._bind = bind
        self._objects = Objects(around)

    async def check(
        self, principal: Principal, kind: ActionType, setting: Setting, form: Mapping[str, Any]
    ) -> Checked:
        """Return what would happen now if *form* ran.

        Raises `Invalid` with every problem of the form, `ActionRefused` when a rule says no,
        `ActionUnavailable` when the enabled systems cannot do it together.
        """
        started = self._clock.monotonic()
        about = await self._objects.about(setting, kind, str(form["object"]))
        wanted = check_form(kind, form, about)
        refusal = await self._around.refusal(setting.tenant, kind.id, wanted.object, principal)
        if refusal is not None:
            raise ActionRefused(refusal)
        message = wanted.input["message"]
        draft = self.draft(setting.tenant, kind, tells=bool(message))
        call = StepCall(
            action=kind.id,
            run="",
            key="",
            subject=wanted.subject,
            facts={},
            customer=setting.customer,
            actor=seen_by_adapters(journalled(principal)),
            conversation=setting.id,
        )
        asked = await self._ask(setting.tenant, kind, draft.steps, call, message)
        document = _document(kind, setting, wanted, asked, draft.dropped)
        document["checked_ms"] = round((self._clock.monotonic() - started) * 1000)
        return Checked(document, digest_of(document), digest_of(document, with_changes=False))

    def draft(self, tenant: str, kind: ActionType, *, tells: bool = False) -> Draft:
        """Return the steps that would run. Raises `ActionUnavailable` with the reason."""
        offers = ordered(self._steps.offers(tenant, kind.id), self._goods_in)
        if tells:
            offers.append(tell(kind))
        return arrange(kind, offers, self._bind, self._steps.absent(tenant, kind.id))

    async def _ask(
        self,
        tenant: str,
        kind: ActionType,
        steps: tuple[Placed, ...],
        call: StepCall,
        message: str,
    ) -> list[tuple[Placed, Preview | Refusal]]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                (step, group.create_task(self._one(tenant, kind, step, call), name=step.id))
                for step in steps
                if step.offer.instance != HUB
            ]
        answers = {step.id: task.result() for step, task in tasks}
        own = told_preview(message)
        return [(step, answers.get(step.id, own)) for step in steps]

    async def _one(
        self, tenant: str, kind: ActionType, step: Placed, call: StepCall
    ) -> Preview | Refusal:
        """Ask one step; a system that does not answer is a refusal, in words.

        Except where the step comes after everything else and is repeated until it is done:
        such a system may be away now without keeping the customer waiting.
        """
        ref = StepRef(step.offer.instance, kind.id, step.spec)
        try:
            # The margin lets the host's own, better error arrive first.
            async with asyncio.timeout(PREVIEW_S + 0.5):
                return await self._steps.preview(tenant, ref, call)
        except Exception as error:  # noqa: BLE001  an adapter's failure is an answer
            code = error.code if isinstance(error, AdapterError) else "failed"
            text = f"{step.spec.system} could not check this."
        if step.spec.kind == "retriable":
            return Preview(title=step.spec.system, changes=(), fingerprint="", detail=text)
        return Refusal(code=code, text=text)


def digest_of(document: Mapping[str, Any], *, with_changes: bool = True) -> str:
    """Return the sha256 of what would run: type, subject, steps, fingerprints, changes."""
    subject = document["subject"]
    counted = {
        "type": document["type"],
        "object": document["input"]["object"],
        "subject": {name: subject[name] for name in sorted(subject) if name != "order"},
        "message": document["input"]["message"],
        "steps": [
            {
                "id": step["id"],
                "instance": step["instance"],
                "version": step["version"],
                "wave": step["wave"],
                "name": step["spec"]["name"],
                "kind": step["spec"]["kind"],
                "changes": step["shown"]["changes"] if with_changes else [],
                "fingerprint": _counted(step, with_changes=with_changes),
                "refusal": step["shown"]["refusal"],
            }
            for step in document["steps"]
        ],
    }
    return "sha256:" + hashlib.sha256(msgspec.json.encode(counted, order="sorted")).hexdigest()


def _counted(step: Mapping[str, Any], *, with_changes: bool) -> str:
    """Return the fingerprint that counts: what is only noted afterwards decides nothing."""
    if step["spec"]["kind"] == "retriable" and not with_changes:
        return ""
    return str(step["shown"]["fingerprint"])


def _document(
    kind: ActionType,
    setting: Setting,
    wanted: Wanted,
    asked: list[tuple[Placed, Preview | Refusal]],
    dropped: tuple[Dropped, ...],
) -> dict[str, Any]:
    return {
        "type": kind.id,
        "input": wanted.input,
        "subject": plain(wanted.subject),
        "customer": None if setting.customer is None else plain(setting.customer),
        "inbox": setting.inbox,
        "visitor": setting.visitor,
        "language": setting.language,
        "steps": [
            {
                "id": step.id,
                "wave": step.wave,
                "instance": step.offer.instance,
                "version": step.offer.version,
                "spec": plain(step.spec),
                "shown": _shown(step, answer),
            }
            for step, answer in asked
        ],
        "dropped": [{"system": one.system, "why": one.why} for one in dropped],
    }


def _shown(step: Placed, answer: Preview | Refusal) -> dict[str, Any]:
    if isinstance(answer, Refusal):
        return {
            "title": step.spec.system,
            "detail": "",
            "changes": [],
            "fingerprint": "",
            "refusal": answer.text,
        }
    return {
        "title": answer.title,
        "detail": answer.detail,
        "changes": plain(answer.changes),
        "fingerprint": answer.fingerprint,
        "refusal": None,
    }
