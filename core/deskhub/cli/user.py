"""``deskhub user``: who can sign in."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from deskhub.cli.checked import readable
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say
from deskhub.config import near
from deskhub.errors import HubError, NotFound
from deskhub.identity.errors import EmailTaken, PasswordTooWeak
from deskhub.identity.model import ROLES, Role
from deskhub.identity.records import Agent

if TYPE_CHECKING:
    from deskhub.identity.service import Identity

user_app = typer.Typer(help="Add, list and lock out people.", no_args_is_help=True)

T = TypeVar("T")
TenantOption = Annotated[str, typer.Option("--tenant", help="Whose person it is.")]
EmailArgument = Annotated[str, typer.Argument(help="Their e-mail.")]


@user_app.command("add")
def add(
    email: EmailArgument,
    name: Annotated[str, typer.Option(help="How customers see them.")] = "",
    role: Annotated[str, typer.Option(help="agent, supervisor, admin or auditor.")] = "agent",
    tenant: TenantOption = "main",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Add a person; the password is read from stdin, or made up and shown once."""
    if role not in ROLES:
        guess = near(role, ROLES)
        fail("DH105", f"there is no role '{role}'", exit_code=Exit.USAGE, as_json=as_json,
             fix=f"write one of {', '.join(ROLES)}"
             f"{f' (did you mean {guess}?)' if guess else ''}")  # fmt: skip
    password, made_up = _password()

    async def work(identity: Identity) -> Agent:
        chosen: Role = role
        return await identity.add_agent(
            tenant=tenant, email=email, name=name, role=chosen, password=password
        )

    agent = _run(config, work, as_json=as_json)
    if as_json:
        document(_told(agent) | ({"password": password} if made_up else {}))
        return
    say(f"added {agent.email} ({agent.role})")
    if made_up:
        say(f"password: {password}")


@user_app.command("list")
def show(
    tenant: TenantOption = "main",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """List everybody who can sign in."""

    async def work(identity: Identity) -> list[Agent]:
        return list(await identity.agents(tenant))

    people = _run(config, work, as_json=as_json)
    if as_json:
        document([_told(one) for one in people])
        return
    if not people:
        hint("nobody yet; add the first: deskhub user add you@example.com --role admin")
    for one in people:
        say(f"{one.email:32} {one.role:11} {one.name}")


@user_app.command("passwd")
def passwd(
    email: EmailArgument,
    tenant: TenantOption = "main",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Give a person a new password and end all their sessions."""
    password, made_up = _password()

    async def work(identity: Identity) -> Agent:
        return await identity.set_password(tenant, email, password)

    agent = _run(config, work, as_json=as_json)
    if as_json:
        document(_told(agent) | ({"password": password} if made_up else {}))
    else:
        say(f"new password: {password}" if made_up else "password changed; all sessions ended")


@user_app.command("deactivate")
def deactivate(
    email: EmailArgument,
    tenant: TenantOption = "main",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Lock a person out; a running hub drops them within 5 s."""

    async def work(identity: Identity) -> Agent:
        for one in await identity.agents(tenant):
            if one.email == email.strip().lower():
                return await identity.deactivate(tenant, one.id)
        raise NotFound(email)

    agent = _run(config, work, as_json=as_json)
    if as_json:
        document(_told(agent))
    else:
        say(f"{agent.email} is locked out")


def _told(agent: Agent) -> dict[str, str]:
    return {"email": agent.email, "name": agent.name, "role": agent.role}


def _password() -> tuple[str, bool]:
    """Return the password from stdin, or a made-up one when a person sits there."""
    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\n")
        if given:
            return given, False
    return secrets.token_urlsafe(12), True


def _run(config: Path, work: Callable[[Identity], Awaitable[T]], *, as_json: bool = False) -> T:
    """Run *work* with the identity service of the installation in *config*."""
    settings = readable(config, as_json=as_json)
    # Importing the hub takes longer than reading hub.toml, whose mistakes come first.
    from deskhub.cli.running import with_identity  # noqa: PLC0415

    try:
        return asyncio.run(with_identity(settings, work))
    except EmailTaken:
        fail("DH401", "this e-mail is taken", exit_code=Exit.CONFLICT, as_json=as_json,
             why="an e-mail signs in exactly one person",
             fix="deskhub user passwd gives them a new password")  # fmt: skip
    except PasswordTooWeak as error:
        fail("DH402", "this password is too weak", exit_code=Exit.USAGE, as_json=as_json,
             why="short and well-known passwords are tried first", fix=error.text)  # fmt: skip
    except NotFound:
        fail("DH404", "nobody has this e-mail", exit_code=Exit.NOT_FOUND, as_json=as_json,
             fix="deskhub user list shows everybody")  # fmt: skip
    except HubError as error:
        fail(error.code, str(error), exit_code=Exit.BUG, as_json=as_json)
