"""What an admin asks one instance: does the far side answer, and what does a read give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import msgspec

from deskhub.errors import NotFound
from deskhub.host.capability import Capability
from deskhub.host.host import Host
from deskhub.host.running import Running
from deskhub_sdk import AdapterError, AuthRequired

CHECK_S = 5.0
AWAY, REFUSED = "DH411", "DH412"


@dataclass(frozen=True, slots=True)
class Checked:
    """How a connection check went: *text* and *code* say what is wrong, *ms* how long it took.

    DH411: the far side does not answer; DH412: it refuses the credentials.
    """

    ok: bool
    text: str
    ms: float
    code: str = ""


async def check(host: Host, one: Running) -> Checked:
    """Ask *one* now whether its far side answers with these settings; raises nothing."""
    started = perf_counter()
    adapter = one.adapter
    if adapter is None or not one.ready.is_set():
        text = one.words or f"{one.name} does not run."
        return Checked(ok=False, text=text, ms=0.0, code=code_of(one))
    try:
        health = await host.call(one.id, adapter.check_connection, CHECK_S)
    except AdapterError as error:
        one.note(error)
        code = REFUSED if isinstance(error, AuthRequired) else AWAY
        return Checked(ok=False, text=f"{error}", ms=_since(started), code=code)
    one.checked(health)
    code = "" if health.ok else code_of(one)
    return Checked(ok=health.ok, text=health.text, ms=_since(started), code=code)


def code_of(one: Running) -> str:
    """Return the code of what keeps *one* from working, or nothing."""
    if one.problems:
        return one.problems[0].code
    if one.state == "auth_required":
        return REFUSED
    return AWAY if one.state in ("backoff", "degraded", "quarantined") else ""


async def read(host: Host, one: Running, method: str, ids: Sequence[str]) -> Any:  # noqa: ANN401  records as plain values
    """Return what the capability method *method* of *one* gives for *ids*, as plain values.

    Capabilities only read; what changes something is a step of an action. Raises `NotFound`
    and errors of the contract.
    """
    for methods in one.capabilities.values():
        if method in methods:
            service = Capability(one, methods, partial(host.call, one.id))
            found = await getattr(service, method)(list(ids))
            return msgspec.to_builtins(found, str_keys=True)
    raise NotFound(f"{one.id} has no {method}")


def methods_of(one: Running) -> list[str]:
    """Return what `read` can ask of *one*."""
    return sorted(name for methods in one.capabilities.values() for name in methods)


def _since(started: float) -> float:
    return round((perf_counter() - started) * 1000, 1)
