"""Gold: its steps have their effect once, its webhooks cannot be forged, it heals alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec

from deskhub_sdk.errors import (
    AdapterError,
    AuthRequired,
    Forged,
    NeedsPerson,
    OutcomeUnknown,
    Rejected,
)
from deskhub_sdk.records import Signal, WebhookRequest
from deskhub_sdk.steps import Step, StepSpec
from deskhub_sdk.testing.kit.bench import TOKEN, Bench, Rig, state_of
from deskhub_sdk.testing.kit.rules import Broken, NotApplicable, rule
from deskhub_sdk.testing.simulator import Hook


def _step_class(bench: Bench, spec: StepSpec) -> type[Step]:
    return next(one for one in bench.cls.steps if one.spec.name == spec.name)


async def _rigs(
    bench: Bench, *, undo: bool = False, lookup: bool = False
) -> AsyncIterator[tuple[StepSpec, Rig]]:
    """Yield a fresh rig for each step that would do one of the samples."""
    why = ""
    went = False
    for spec in _actionable(bench, undo=undo, lookup=lookup):
        async with bench.rig() as trial:
            why = await _refusal(trial, spec) or ""
        if why:
            continue
        went = True
        async with bench.rig() as rig:
            await rig.ask.possible(spec)
            yield spec, rig
    if not went:
        raise NotApplicable(f"its steps refuse the samples: {why}")


async def _refusal(rig: Rig, spec: StepSpec) -> str | None:
    refused = await rig.ask.possible(spec)
    if refused is not None:
        return refused
    try:
        await rig.ask.step(spec, "run", "dh_kit_trial")
    except (Rejected, NeedsPerson) as error:
        return str(error)
    return None


def _actionable(bench: Bench, *, undo: bool = False, lookup: bool = False) -> list[StepSpec]:
    bench.needs(steps=True)
    found = [
        spec
        for spec in bench.manifest.steps
        if (not undo or spec.kind == "compensable") and (not lookup or spec.can_lookup)
    ]
    if not found:
        raise NotApplicable("no step of this kind")
    return found


@rule("gold", "A step that is run twice with one key has one effect.")
async def once(bench: Bench) -> None:
    """Run each step twice; where it has to be looked up first, look it up."""
    async for spec, rig in _rigs(bench):
        if spec.dedupe != "none":
            await rig.ask.step(spec, "run", "dh_kit_once")
            before = rig.effects
            if spec.dedupe == "key":
                await rig.ask.step(spec, "run", "dh_kit_once")
            elif await rig.ask.step(spec, "lookup", "dh_kit_once") is None:
                raise Broken(
                    f"{spec.name}: its own effect is not found",
                    where=_step_class(bench, spec).lookup,
                )
            if rig.effects != before:
                raise Broken(
                    f"{spec.name}: one key, two effects: {before} became {rig.effects}",
                    fix="send call.key as the idempotency key, or look it up first",
                    where=_step_class(bench, spec).run,
                )


@rule("gold", "Undoing a step restores the system's state; doing it twice does not hurt.")
async def undo(bench: Bench) -> None:
    """Run, undo, undo again; the preview says what it said before."""
    async for spec, rig in _rigs(bench, undo=True):
        before = await rig.ask.step(spec, "preview")
        fact = await rig.ask.step(spec, "run", "dh_kit_undo")
        open_then = state_of(rig.simulator)
        await rig.ask.step(spec, "undo", "dh_kit_undo", fact)
        if state_of(rig.simulator) == open_then:
            raise Broken(
                f"{spec.name}: undo changed nothing at the system",
                where=_step_class(bench, spec).undo,
            )
        await rig.ask.step(spec, "undo", "dh_kit_undo", fact)
        after = await rig.ask.step(spec, "preview")
        if msgspec.to_builtins(before)["changes"] != msgspec.to_builtins(after)["changes"]:
            raise Broken(
                f"{spec.name}: after undo the preview says something else",
                where=_step_class(bench, spec).undo,
            )


@rule("gold", "A lost answer is OutcomeUnknown, and lookup tells whether it happened.")
async def lookup(bench: Bench) -> None:
    """Let the answer get lost after the effect, and before it."""
    async for spec, rig in _rigs(bench, lookup=True):
        if await rig.ask.step(spec, "lookup", "dh_kit_none") is not None:
            raise Broken(
                f"{spec.name}: finds what was never done", where=_step_class(bench, spec).lookup
            )
        rig.fault("timeout_after", match="POST *", times=1)
        try:
            await rig.ask.step(spec, "run", "dh_kit_lost")
        except OutcomeUnknown:
            pass
        except AdapterError as error:
            raise Broken(
                f"{spec.name}: a lost answer is {type(error).__name__}",
                where=_step_class(bench, spec).run,
            ) from error
        rig.mend()
        if await rig.ask.step(spec, "lookup", "dh_kit_lost") is None:
            raise Broken(
                f"{spec.name}: does not find what was done",
                where=_step_class(bench, spec).lookup,
            )


async def _webhooks(rig: Rig, count: int) -> list[Hook]:
    """Let the system send *count* webhooks, and catch them."""
    if rig.simulator.trigger() is None:
        raise Broken(
            "the simulator sends no webhook",
            where=type(rig.simulator),
            fix="implement Simulator.trigger()",
        )
    rig.simulator.caught = []
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for _ in range(count):
            path, body = rig.simulator.trigger() or ("", {})
            async with http.post(rig.simulator.url + path, json=body) as answer:
                if answer.status >= 400:
                    raise Broken(f"{path} answered {answer.status}", where=type(rig.simulator))
    async with asyncio.timeout(5):
        while len(rig.simulator.caught) < count:  # noqa: ASYNC110  the system tells nobody
            await asyncio.sleep(0.01)
    return rig.simulator.caught


def _request(rig: Rig, hook: Hook, **changed: Any) -> WebhookRequest:  # noqa: ANN401
    plain = {name.lower(): value for name, value in hook.headers.items()}
    request = WebhookRequest(
        instance=rig.ctx.instance,
        headers=plain,
        body=hook.body,
        received_at=rig.ctx.clock.now(),
    )
    return msgspec.structs.replace(request, **changed)


@rule("gold", "Forged, changed and late webhooks are refused.")
async def webhooks_verified(bench: Bench) -> None:
    """Deliver a real one, then the same with each part spoilt."""
    bench.needs(hook="receive_webhook")
    where = bench.cls.receive_webhook  # type: ignore[attr-defined]  # `needs` saw it
    async with bench.rig() as rig:
        (hook, *_) = await _webhooks(rig, 1)
        good = _request(rig, hook)
        if not await rig.ask.hook("receive_webhook", request=good):
            raise Broken("a real webhook holds no signal", where=where)
        late = rig.ctx.clock.now() + timedelta(days=2)
        spoilt = {
            "unsigned": _request(rig, hook, headers={}),
            "changed": _request(rig, hook, body=hook.body[:-1] + b" " + hook.body[-1:]),
            "signed by somebody else": _request(
                rig, hook, headers={k: v[::-1] for k, v in good.headers.items()}
            ),
            "late": _request(rig, hook, received_at=late),
        }
        for kind, request in spoilt.items():
            try:
                await rig.ask.hook("receive_webhook", request=request)
            except Forged:
                continue
            except AdapterError as error:
                raise Broken(
                    f"a webhook that is {kind} is {type(error).__name__}, not Forged",
                    where=where,
                ) from error
            raise Broken(
                f"a webhook that is {kind} is believed",
                where=where,
                fix="verify signature and age over the raw bytes before parsing",
            )


@rule("gold", "A repeated webhook is one signal; versions put signals in order.")
async def converges(bench: Bench) -> None:
    """Read two webhooks of one object, the first one twice and last."""
    bench.needs(hook="receive_webhook")
    where = bench.cls.receive_webhook  # type: ignore[attr-defined]  # `needs` saw it
    async with bench.rig() as rig:
        hooks = await _webhooks(rig, 2)
        read: list[tuple[Signal, ...]] = [
            tuple(await rig.ask.hook("receive_webhook", request=_request(rig, hook)))
            for hook in (hooks[1], hooks[0], hooks[0])
        ]
    (newer, *_), (older, *_), (again, *_) = read
    if older.dedupe != again.dedupe or older.dedupe == newer.dedupe:
        raise Broken(
            "the same webhook has two dedupe ids, or two have one",
            where=where,
            fix="take the sender's own event id",
        )
    if newer.object == older.object and newer.version <= older.version:
        raise Broken(f"versions do not grow: {older.version} then {newer.version}", where=where)


@rule("gold", "diagnostics tells an admin something.")
async def diagnostics(bench: Bench) -> None:
    """Ask for a diagnosis."""
    if "diagnostics" not in bench.manifest.hooks:
        raise Broken("it has no diagnostics hook", where=bench.cls)
    async with bench.rig() as rig:
        told = await rig.ask.hook("diagnostics")
    if not told:
        raise Broken("its diagnosis is empty", where=bench.cls.diagnostics)  # type: ignore[attr-defined]


@rule("gold", "It works again after a new sign-in, without a restart.")
async def signs_in_again(bench: Bench) -> None:
    """Let the far side refuse the credentials for a while."""
    async with bench.rig() as rig:
        rig.fault("401")
        with suppress(AuthRequired):
            await rig.ask.check()
        rig.mend()
        health = await rig.ask.check()
    if not health.ok:
        raise Broken(f"after the sign-in it says: {health.text}", where=bench.cls)


@rule("gold", "Settings of the release before still work.")
async def upgrade(bench: Bench) -> None:
    """Settings may be added with a default, never required: compare with the file shipped."""
    from deskhub_sdk.manifest import FILE_NAME, decode_manifest  # noqa: PLC0415

    before = bench.folder / "releases"
    files = sorted(before.glob(f"*/{FILE_NAME}")) if before.is_dir() else []
    if not files:
        raise NotApplicable("there is no earlier release in releases/")
    old = decode_manifest(files[-1].read_bytes())
    needed = set(bench.manifest.config.get("required", ()))
    known = set(old.config.get("properties", {}))
    if needed - known:
        raise Broken(
            f"settings are required that were not there: {sorted(needed - known)}",
            where=bench.cls.config_model,
        )
