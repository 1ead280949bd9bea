"""Asks an adapter everything it declares, inline and in a process alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from deskhub_sdk.hooks import SPECS
from deskhub_sdk.manifest import Manifest
from deskhub_sdk.records import Health, SignInRequest
from deskhub_sdk.steps import Fact, Preview, Refusal, StepSpec
from deskhub_sdk.testing import samples
from deskhub_sdk.testing.world import WANG_FANG, World

# These change nothing and need nothing that only the far side can give.
READING = ("find_customer", "conversation_cards", "suggest_replies", "diagnostics")


class Answers(Protocol):
    """What can be asked: the adapter itself, or its stand-in."""

    async def check_connection(self) -> Health:
        """Say how the far side is."""
        ...


class Asking:
    """Calls by name with arguments of the demo world."""

    def __init__(self, manifest: Manifest, world: World, answers: Any) -> None:  # noqa: ANN401  an adapter or its stand-in
        """Ask *answers*, which is what *manifest* says."""
        self.manifest = manifest
        self.world = world
        self._answers = answers
        self._steps: dict[str, Any] = {}
        self._orders: dict[str, str] = {}

    async def check(self) -> Health:
        """Ask how the far side is."""
        health: Health = await self._answers.check_connection()
        return health

    async def hook(self, name: str, **given: object) -> Any:  # noqa: ANN401  the hook says
        """Ask the hook *name*, with *given* in place of the demo world's arguments."""
        offered = {**self.arguments(), **given}
        asked = [offered[argument] for argument in self.manifest.hooks[name]]
        return await getattr(self._answers, method_of(self._answers, name))(*asked)

    async def read(self, method: str, ids: Sequence[str]) -> Mapping[str, Any]:
        """Ask a capability's *method* for *ids*."""
        found: Mapping[str, Any] = await getattr(self._answers, method)(ids)
        return found

    async def everything(self) -> dict[str, Any]:
        """Return the answers of every hook and capability that only reads."""
        told: dict[str, Any] = {}
        for name in READING:
            if name in self.manifest.hooks:
                told[name] = await self.hook(name)
        for method, ids in (await self.ids()).items():
            told[method] = await self.read(method, ids[:20])
        for spec in self.manifest.steps:
            told[f"preview:{spec.name}"] = await self.step(spec, "preview")
        return told

    async def failures(self) -> list[str]:
        """Return the texts of whatever fails now: health, hooks, capabilities."""
        texts: list[str] = []
        asked: list[Callable[[], Awaitable[Any]]] = [self.check]
        asked += [partial(self.hook, name) for name in READING if name in self.manifest.hooks]
        asked += [
            partial(self.read, method, ["1042"])
            for methods in self.manifest.capabilities.values()
            for method in methods
        ]
        for ask in asked:
            try:
                texts.append(str(await ask()))
            except Exception as error:  # noqa: BLE001  its text is what is looked at
                texts.append(f"{error!r} {error.__cause__!r}")
        return texts

    async def ids(self) -> dict[str, list[str]]:
        """Return ids that exist for each method of a capability."""
        found: dict[str, list[str]] = {}
        methods = [one for many in self.manifest.capabilities.values() for one in many]
        for method in methods:
            found[method] = samples.ids_of(self.world, method)
        if "get_tickets" in methods and "tickets_of" in methods:
            people = list(self.world.people)
            by_person = await self.read("tickets_of", people)
            found["get_tickets"] = [str(one) for ids in by_person.values() for one in ids]
        return found

    async def step(
        self, spec: StepSpec, method: str, key: str = "", fact: Fact | None = None
    ) -> Any:  # noqa: ANN401  the step says
        """Call *method* of a step; a preview knows neither key nor facts."""
        facts = () if method == "preview" else spec.needs
        number = self._orders.get(spec.name, samples.ORDER)
        call = samples.step_call(self.world, spec.action, key, facts, number)
        function = getattr(self._step(spec), method)
        return await (function(call) if fact is None else function(call, fact))

    async def possible(self, spec: StepSpec) -> str | None:
        """Return why the step refuses every sample, or None when it would do one."""
        why = None
        for number in samples.candidates(self.world):
            self._orders[spec.name] = number
            preview: Preview | Refusal = await self.step(spec, "preview")
            if isinstance(preview, Preview):
                return None
            why = why or preview.text
        return why

    def arguments(self) -> dict[str, Any]:
        """Return an argument for every name a reading hook may ask for."""
        return {
            "identity": samples.identity(self.world),
            "conversation": samples.conversation(self.world),
            "customer": samples.customer(self.world),
            "draft": "",
            "limit": 3,
            "request": SignInRequest(
                redirect_uri="http://127.0.0.1/auth/sso/callback",
                state="s" * 20,
                nonce="n" * 20,
                code_verifier="v" * 43,
            ),
            "inbox": "shop",
            "number": WANG_FANG,
        }

    def _step(self, spec: StepSpec) -> Any:  # noqa: ANN401  a step or its stand-in
        if spec.name not in self._steps:
            if hasattr(self._answers, "step_named"):
                self._steps[spec.name] = self._answers.step_named(spec)
            else:
                kinds = {one.spec.name: one for one in type(self._answers).steps}
                self._steps[spec.name] = kinds[spec.name](self._answers)
        return self._steps[spec.name]


def method_of(answers: object, hook: str) -> str:
    """Return the name of the method that answers *hook*."""
    if hook in SPECS and hasattr(answers, hook):
        return hook
    from deskhub_sdk.manifest import hooks_in  # noqa: PLC0415

    return {name: one.__name__ for name, one in hooks_in(type(answers))}[hook]
