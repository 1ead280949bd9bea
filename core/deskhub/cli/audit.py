"""``deskhub audit``: whether the trail of decisions is what was written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deskhub.cli.checked import checked
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say
from deskhub.config import Config

audit_app = typer.Typer(help="Check the trail of decisions.", no_args_is_help=True)


@audit_app.callback()
def audit() -> None:
    """Check the trail of decisions."""


@audit_app.command("verify")
def verify(
    head: Annotated[
        str, typer.Option(help="A head that was written down before: it must still be there.")
    ] = "",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Find rows that were edited, removed or moved; a head kept elsewhere shows cut ends."""
    settings = checked(config, as_json=as_json)
    from deskhub.cli.opening import opening  # noqa: PLC0415  after hub.toml's mistakes

    with opening(as_json=as_json):
        found = asyncio.run(_read(settings, head))
    for tenant, (count, last, broken, _) in found.items():
        if broken is not None:
            fail("DH170", f"the audit trail of {tenant} is broken at row {broken}",
                 exit_code=Exit.TESTS_FAILED, as_json=as_json,
                 why="a row there was edited, removed or moved after it was written",
                 fix="compare with a backup: deskhub restore FILE --verify")  # fmt: skip
        if not as_json:
            say(f"{tenant:16} {count} rows, whole, head {last}")
    if head and not any(has for *_, has in found.values()):
        fail("DH170", f"no trail has the row {head}", exit_code=Exit.TESTS_FAILED,
             as_json=as_json, why="rows were cut off at the end since it was written down",
             fix="compare with a backup: deskhub restore FILE --verify")  # fmt: skip
    if as_json:
        document({t: {"rows": n, "head": last} for t, (n, last, *_) in found.items()})
    elif not head:
        hint("keep the head elsewhere, and give it to --head the next time")


async def _read(settings: Config, head: str) -> dict[str, tuple[int, str, int | None, bool]]:
    """Return rows, head, first broken row and whether *head* is there, by tenant."""
    from deskhub.clock import SystemClock  # noqa: PLC0415
    from deskhub.store import audit as trail  # noqa: PLC0415
    from deskhub.store.store import Store  # noqa: PLC0415

    store = await Store.open(settings.store_url, SystemClock())
    try:
        return {
            tenant: await store.read(
                lambda c, tenant=tenant: (  # type: ignore[misc]  # mypy cannot see the default
                    *trail.head(c, tenant),
                    trail.broken(c, tenant),
                    trail.has(c, tenant, head),
                )
            )
            for tenant in settings.tenants
        }
    finally:
        await store.close()
