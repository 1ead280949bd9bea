"""``deskhub secret``: what ``{ store = "name" }`` in hub.toml refers to, kept encrypted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from deskhub.cli.checked import readable
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say
from deskhub.cli.user import TenantOption
from deskhub.config import near
from deskhub.config.secret_store import SecretStore, SecretStoreError

secret_app = typer.Typer(
    help="Keep secrets in the hub's encrypted store.", no_args_is_help=True
)

NameArgument = Annotated[str, typer.Argument(help="What hub.toml calls it.")]


@secret_app.command("set")
def put(
    name: NameArgument,
    tenant: TenantOption = "main",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Keep a secret; it is read from stdin, or asked for without being shown."""
    if sys.stdin.isatty():
        value = typer.prompt(name, hide_input=True, err=True)
    else:
        value = sys.stdin.readline().rstrip("\n")
    if not value:
        fail("DH306", "there is nothing to keep", exit_code=Exit.USAGE, as_json=as_json,
             why="an empty secret opens every door",
             fix=f"printf %s … | deskhub secret set {name}")  # fmt: skip
    store = _store(config, as_json=as_json)
    try:
        store.put(tenant, name, value)
    except SecretStoreError as error:
        _refused(error, as_json=as_json)
    if as_json:
        document({"name": name})
    else:
        say(f"kept {name}")
        hint(f'write in hub.toml: {{ store = "{name}" }}')


@secret_app.command("list")
def show(
    tenant: TenantOption = "main",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List the names of what is kept; nothing shows a value again."""
    try:
        names = _store(config, as_json=as_json).names(tenant)
    except SecretStoreError as error:
        _refused(error, as_json=as_json)
    if as_json:
        document(names)
    elif not names:
        hint("none yet; keep the first: deskhub secret set shop-token")
    else:
        for name in names:
            say(name)


@secret_app.command("rm")
def remove(
    name: NameArgument,
    tenant: TenantOption = "main",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Forget a secret; what refers to it cannot start any more."""
    store = _store(config, as_json=as_json)
    try:
        known = store.names(tenant)
        done = store.remove(tenant, name)
    except SecretStoreError as error:
        _refused(error, as_json=as_json)
    if not done:
        guess = near(name, known)
        fail("DH307", f"there is no secret '{name}'", exit_code=Exit.NOT_FOUND, as_json=as_json,
             fix=f"did you mean '{guess}'?" if guess else "deskhub secret list shows them",
             )  # fmt: skip
    if as_json:
        document({"name": name})
    else:
        say(f"forgot {name}")


@secret_app.command("rotate")
def rotate(config: ConfigOption = Path("hub.toml"), as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Encrypt everything anew under new keys; safe to be killed at any moment."""
    try:
        count = _store(config, as_json=as_json).rotate()
    except SecretStoreError as error:
        _refused(error, as_json=as_json)
    if as_json:
        document({"secrets": count})
    else:
        say(f"encrypted anew: {count}")


def _store(config: Path, *, as_json: bool) -> SecretStore:
    return SecretStore(readable(config, as_json=as_json).data_dir)


def _refused(error: SecretStoreError, *, as_json: bool) -> NoReturn:
    fail("DH304", str(error), exit_code=Exit.CONFIGURATION, as_json=as_json,
         why="the store is encrypted in the hub's data folder",
         fix="check who may read and write there, and the key that opens it")  # fmt: skip
