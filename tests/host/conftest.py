"""Adapters made of a few lines, and a runner to ask them with."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

import pytest

from deskhub.host.asking import Listener
from deskhub.host.discovery import hooks_of
from deskhub.host.errors import NotRunning
from deskhub.host.guard import Guard
from deskhub.host.runner import HookRunner
from deskhub.host.tasks import TaskOwner


@pytest.fixture
async def owner() -> AsyncIterator[TaskOwner]:
    owner = TaskOwner()
    yield owner
    await owner.close(0.05)


@pytest.fixture
def runner(owner: TaskOwner) -> HookRunner:
    return HookRunner(owner, late_s=0.5)


Attach = Callable[..., Guard]


@pytest.fixture
def attach(runner: HookRunner) -> Attach:
    """Register an adapter object under a name, as a ready instance."""

    def put(
        name: str, adapter: object, tenant: str = "main", *, to: HookRunner = runner
    ) -> Guard:
        guard = Guard(time.monotonic)
        to.expect(
            Listener(
                name, tenant, guard, hooks_of(type(adapter)), NotRunning("starting", ""),
                lambda error: None,
            )
        )  # fmt: skip
        to.attach(name, adapter)
        return guard

    return put
