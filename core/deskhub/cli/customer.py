"""``deskhub customer``: what the hub knows of one person."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from deskhub.cli.checked import checked
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say
from deskhub.config import Config

if TYPE_CHECKING:
    from deskhub.errors import NotFound
    from deskhub.store.store import Store

customer_app = typer.Typer(help="Customers and their data.", no_args_is_help=True)


@customer_app.callback()
def customer() -> None:
    """Customers and their data."""


@customer_app.command("export")
def export(
    customer: Annotated[str, typer.Argument(help="Its id (cu_…), or its number in the shop.")],
    to: Annotated[Path | None, typer.Option(help="A file; else it goes to the output.")] = None,
    tenant: Annotated[str, typer.Option(help="Where there are several.")] = "",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Write everything known of a customer as one JSON document; the audit trail says so."""
    settings = checked(config, as_json=as_json)
    from deskhub.cli.opening import opening  # noqa: PLC0415  after hub.toml's mistakes
    from deskhub.errors import NotFound  # noqa: PLC0415  as above

    within = tenant or settings.tenants[0]
    with opening(as_json=as_json):
        done = asyncio.run(_export(settings, within, customer, to))
    if isinstance(done, NotFound):
        fail("DH171", f"{within} has no customer {customer}", exit_code=Exit.NOT_FOUND,
             as_json=as_json, why="it is another tenant's, or was erased and has no number now",
             fix="the id stands in the address of the customer's page in the console",
             )  # fmt: skip
    if isinstance(done, OSError):
        fail("DH172", f"the export cannot be written: {done.strerror}", as_json=as_json,
             exit_code=Exit.USAGE, why=f"{to} is no file that can be written here",
             fix="name another file: --to customer.json",
             )  # fmt: skip
    if to is None:
        return
    if as_json:
        document({"customer": customer, "file": str(to), "bytes": done})
    else:
        say(f"{to}  {done} bytes")
        hint("it holds personal data: keep it where only its receiver can read it")


async def _export(
    settings: Config, tenant: str, customer: str, to: Path | None
) -> int | NotFound | OSError:
    """Write the document and return its size, or why that was impossible."""
    from deskhub.errors import NotFound  # noqa: PLC0415
    from deskhub.identity.model import Principal  # noqa: PLC0415
    from deskhub.privacy import exported  # noqa: PLC0415
    from deskhub.store import people  # noqa: PLC0415

    operator = Principal(tenant, "agent", "operator", "operator", role="admin")
    async with _store(settings) as store:
        id_ = await store.read(lambda db: people.by_number(db, tenant, customer)) or customer
        # A task group would wrap what is raised in here.
        try:
            parts = await exported(store, operator, id_)
            if to is None:
                return await _write(sys.stdout.buffer, parts)
            return await _whole(to, parts)
        except (NotFound, OSError) as error:
            return error


async def _whole(to: Path, parts: AsyncIterator[bytes]) -> int:
    """Write *parts* to the file *to*, whole or not at all."""
    part = to.with_name(f"{to.name}.part")
    try:
        with part.open("wb") as file:
            part.chmod(0o600)
            count = await _write(file, parts)
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return count


async def _write(file: BinaryIO, parts: AsyncIterator[bytes]) -> int:
    count = 0
    async for part in parts:
        count += file.write(part)
    file.flush()
    return count


@contextlib.asynccontextmanager
async def _store(settings: Config) -> AsyncIterator[Store]:
    """Yield the database, beside a hub that may be running."""
    from deskhub.clock import SystemClock  # noqa: PLC0415
    from deskhub.services import run_all  # noqa: PLC0415
    from deskhub.store.store import Store  # noqa: PLC0415

    store = await Store.open(settings.store_url, SystemClock())
    done = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_all([("store", store)], done), name="store")
            try:
                yield store
            finally:
                done.set()
    finally:
        await store.close()
