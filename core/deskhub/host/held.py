"""One adapter that was started and what it holds, from its start to its stop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deskhub.host.context import Contexts, InstanceContext
from deskhub.host.guard import Guard
from deskhub.host.isolation.process import WorkerEnded
from deskhub.host.isolation.proxy import RemoteAdapter
from deskhub.host.running import Running
from deskhub.host.tasks import TaskOwner
from deskhub_sdk import Adapter, Step

START_S = 10.0
STOP_S = 5.0

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Held:
    """A started adapter; *ended* says why its process is gone."""

    instance: str
    adapter: Adapter[Any]
    context: InstanceContext
    guard: Guard
    owner: TaskOwner
    steps: tuple[Step, ...] = ()
    layers: tuple[str, ...] = ()
    ended: WorkerEnded | None = None
    on_end: Callable[[Held], None] = field(default=lambda _: None)

    async def end(self) -> None:
        """Stop an adapter that nobody calls any more, and free what it held."""
        try:
            await self.owner.bounded(self.adapter.stop, STOP_S, name=f"stop:{self.instance}")
        except Exception as error:  # noqa: BLE001  it is going away anyhow
            log.warning(
                "instance_stop_failed",
                extra={"instance": self.instance, "error": type(error).__name__},
            )
        finally:
            await self.context.close()

    def gone(self, why: WorkerEnded) -> None:
        """Take note that the adapter's own process is gone."""
        self.ended = why
        self.on_end(self)


async def begin(
    what: Running,
    contexts: Contexts,
    owner: TaskOwner,
    *,
    on_end: Callable[[Held], None],
    on_fault: Callable[[str], None],
) -> Held:
    """Return the adapter of *what*, started. Raises what its start raises.

    *on_end* learns when its own process ended, *on_fault* what it tried and must not.
    """
    assert what.cls is not None and what.config is not None  # noqa: S101, PT018  it was validated
    context = contexts.open(what, owner)
    started = False
    try:
        adapter = what.cls(what.config)
        adapter.ctx = context
        held = Held(what.id, adapter, context, what.guard, owner, on_end=on_end)
        if isinstance(adapter, RemoteAdapter):
            adapter.on_end = held.gone
            adapter.on_fault = on_fault
        await owner.bounded(lambda: adapter.start(context), START_S, name=f"start:{what.id}")
        started = True
        held.steps = tuple(step(adapter) for step in what.cls.steps)
        held.layers = adapter.layers if isinstance(adapter, RemoteAdapter) else ()
        if held.ended is not None:
            raise held.ended
    except BaseException:
        await (held.end() if started else context.close())
        raise
    return held
