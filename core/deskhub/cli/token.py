"""``deskhub token``: what programs sign in with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from deskhub.cli.checked import readable
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say, table
from deskhub.cli.user import TenantOption
from deskhub.config import near
from deskhub.errors import HubError, NotFound
from deskhub.identity.errors import TokenNameTaken
from deskhub.identity.policy import SCOPE_TABLE
from deskhub.identity.records import ApiToken

if TYPE_CHECKING:
    from deskhub.identity.service import Identity

token_app = typer.Typer(help="Give programs tokens, and take them back.", no_args_is_help=True)

T = TypeVar("T")
NameArgument = Annotated[str, typer.Argument(help="What it is for; yours to choose.")]
ScopeOption = Annotated[
    list[str] | None, typer.Option("--scope", help=f"{', '.join(SCOPE_TABLE)}; repeatable.")
]


@token_app.command("new")
def new(
    name: NameArgument,
    scope: ScopeOption = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="It ends after so many.")] = 90,
    tenant: TenantOption = "main",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Make a token that may do what its scopes say; it is shown this once."""
    scopes = scope or ["adapters.read"]
    for one in scopes:
        if one not in SCOPE_TABLE:
            guess = near(one, SCOPE_TABLE)
            fail("DH406", f"there is no scope '{one}'", exit_code=Exit.USAGE, as_json=as_json,
                 why=f"scopes: {', '.join(SCOPE_TABLE)}",
                 fix=f"did you mean '{guess}'?" if guess else "take one of them",
                 )  # fmt: skip

    async def work(identity: Identity) -> tuple[ApiToken, str]:
        return await identity.api_tokens.issue(tenant, name, scopes, days=days)

    token, text = _run(config, work, as_json=as_json)
    if as_json:
        document({**_told(token), "token": text})
        return
    say(text)
    hint(f"{name}: {', '.join(sorted(token.scopes))}, until {token.expires_at:%Y-%m-%d}."
         " It is not shown again; keep it as DESKHUB_TOKEN.")  # fmt: skip


@token_app.command("list")
def show(
    tenant: TenantOption = "main",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List the tokens; what they are cannot be read again."""

    async def work(identity: Identity) -> list[ApiToken]:
        return list(await identity.api_tokens.all(tenant))

    found = _run(config, work, as_json=as_json)
    if as_json:
        document([_told(one) for one in found])
    elif found:
        table(
            ("NAME", "UNTIL", "SCOPES"),
            [(one.name, f"{one.expires_at:%Y-%m-%d}", " ".join(sorted(one.scopes)))
             for one in found],
        )  # fmt: skip
    else:
        hint("none yet; make the first: deskhub token new monitoring --scope adapters.read")


@token_app.command("revoke")
def revoke(
    name: NameArgument,
    tenant: TenantOption = "main",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Take a token back; a running hub refuses it within seconds."""

    async def work(identity: Identity) -> ApiToken:
        return await identity.api_tokens.revoke(tenant, name)

    token = _run(config, work, as_json=as_json)
    if as_json:
        document(_told(token))
    else:
        say(f"{token.name} is revoked")


def _told(token: ApiToken) -> dict[str, object]:
    return {
        "name": token.name, "scopes": sorted(token.scopes),
        "expires_at": token.expires_at.isoformat(),
    }  # fmt: skip


def _run(config: Path, work: Callable[[Identity], Awaitable[T]], *, as_json: bool) -> T:
    """Run *work* with the identity service of the installation in *config*."""
    settings = readable(config, as_json=as_json)
    # Importing the hub takes longer than reading hub.toml, whose mistakes come first.
    from deskhub.cli.opening import opening  # noqa: PLC0415
    from deskhub.cli.running import with_identity  # noqa: PLC0415

    try:
        with opening(as_json=as_json):
            return asyncio.run(with_identity(settings, work))
    except TokenNameTaken:
        fail("DH407", "a token of this name is there already", exit_code=Exit.CONFLICT,
             as_json=as_json, why="a name says which program uses it",
             fix="take another name, or revoke that one first")  # fmt: skip
    except NotFound:
        fail("DH405", "there is no token of this name", exit_code=Exit.NOT_FOUND,
             as_json=as_json, fix="deskhub token list shows them")  # fmt: skip
    except HubError as error:
        fail(error.code, str(error), exit_code=Exit.BUG, as_json=as_json)
