"""``deskhub adapter new``: a package of four files that passes bronze as it stands."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from deskhub.cli.options import JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say


class Kind(StrEnum):
    """What an adapter connects to."""

    ORDERS = "orders"
    CRM = "crm"
    TICKETS = "tickets"
    ERP = "erp"
    PAYMENTS = "payments"
    SSO = "sso"
    BLANK = "blank"


class Read(NamedTuple):
    """One method of a capability: where its records are read, and what they are."""

    capability: str
    method: str
    path: str
    key: str
    value: str


READS: dict[Kind, tuple[Read, ...]] = {
    Kind.ORDERS: (
        Read("orders@1", "get_orders", "/orders", "OrderId", "Order"),
        Read("orders@1", "orders_of", "/orders/of", "str", "Sequence[OrderId]"),
    ),
    Kind.CRM: (Read("customers@1", "get_customers", "/customers", "str", "CustomerMatch"),),
    Kind.TICKETS: (
        Read("tickets@1", "get_tickets", "/tickets", "TicketId", "Ticket"),
        Read("tickets@1", "tickets_of", "/tickets/of", "str", "Sequence[TicketId]"),
    ),
    Kind.ERP: (Read("products@1", "get_products", "/products", "ProductId", "Product"),),
    Kind.PAYMENTS: (Read("payments@1", "get_payments", "/payments", "OrderId", "Payment"),),
    Kind.SSO: (),
    Kind.BLANK: (),
}

PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.27", "deskhub-sdk>=1.0,<2"]
build-backend = "hatchling.build"
[project]
name = "{name}"
version = "0.1.0"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["deskhub-sdk>=1.0,<2"]
[project.entry-points."deskhub.adapters"]
{name} = "{package}:{cls}"
[tool.hatch.build.targets.wheel]
packages = ["src/{package}"]
hooks.deskhub = {{}}
[tool.deskhub]
simulator = "deskhub_sdk.testing.fake:Fake"  # replace it with one of your own system
"""
MODULE = '''\
"""{title} beside the conversation."""
from collections.abc import Mapping, Sequence
from typing import Any
import msgspec
from pydantic import Field, SecretStr
from deskhub_sdk import {names}
class {cls}Config(Config):
    base_url: str = Field(description="The system's address.")
    token: SecretStr = Field(description="What it lets us in with.")
class {cls}(Adapter[{cls}Config]):
    """{title}: reads from one system."""
    meta = Meta(id="{name}", name="{title}", sdk=">=1.0,<2",
                permissions=Permissions(net=("{{config.base_url}}",)))
    config_model = {cls}Config
    async def read(self, path: str, ids: Sequence[str] = (), kind: Any = dict[str, Any]) -> Any:
        headers = {{"Authorization": f"Bearer {{self.config.token.get_secret_value()}}"}}
        answer = await self.ctx.http.request("GET", self.config.base_url + path,
                                             params={{"ids": ",".join(ids)}}, headers=headers)
        try:
            return msgspec.convert(answer.json(), kind)
        except msgspec.ValidationError as error:
            raise Malformed(str(error)) from error
    async def check_connection(self) -> Health:
        await self.read("/account")
        return await super().check_connection()
'''
METHOD = """\
    @capability("{capability}")
    async def {method}(self, ids: Sequence[{key}]) -> Mapping[{key}, {value}]:
        found = await self.ctx.loader(self.read_{method}).load_many(ids)
        return {{key: {shown} for key, value in found.items() if value is not None}}
    async def read_{method}(self, ids: Sequence[{key}]) -> Mapping[{key}, {value}]:
        return await self.read("{path}", ids, dict[{key}, {value}])
"""
SSO = """\
    @hookimpl
    async def sign_in_start(self, request: SignInRequest) -> str:
        return f"{self.config.base_url}/authorize?state={request.state}"
    @hookimpl
    async def sign_in_finish(
        self, request: SignInRequest, parameters: Mapping[str, str]
    ) -> SignInResult:
        return await self.read("/me", [parameters.get("code", "")], SignInResult)
"""
TEST = '''\
"""Every rule of bronze as a test; ask for "silver" or "gold" as it grows."""
from deskhub_sdk.testing.kit.plugin import conformance
test_conformance = conformance(__file__, tier="bronze")
'''
README = """\
# {title}
An adapter for Deskhub. It reads from the address in `base_url` with `token`, and shows what it
finds beside the conversation. Test it with `deskhub adapter test .`; it needs no network.
"""
BASE = ("Adapter", "Config", "Health", "Malformed", "Meta", "Permissions")

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")


def new(
    name: Annotated[str, typer.Argument(help="Small letters, digits and dashes.")],
    kind: Annotated[Kind, typer.Option(help="What it connects to.")] = Kind.BLANK,
    into: Annotated[Path, typer.Option(help="Where the folder is made.")] = Path(),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Write a package that passes bronze as it stands; make it real from there."""
    if not _NAME.match(name):
        fail("DH540", f"'{name}' cannot be an adapter's name", exit_code=Exit.USAGE,
             as_json=as_json, why="it becomes a package and an entry point",
             fix="use small letters, digits and dashes, as in acme-orders")  # fmt: skip
    folder = into / name
    if folder.exists():
        fail("DH542", f"{folder} is there already", exit_code=Exit.CONFLICT, as_json=as_json,
             why="nothing is overwritten", fix="take another name, or remove it")  # fmt: skip
    files = package(name, kind)
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    lines = sum(text.count("\n") for text in files.values())
    if as_json:
        document({"folder": str(folder), "files": sorted(files), "lines": lines})
        return
    say(f"created {folder}/ ({len(files)} files, {lines} lines): {'  '.join(files)}")
    hint(f"next:  deskhub adapter test {folder}   (it passes now, against a made-up system)")


def package(name: str, kind: Kind) -> dict[str, str]:
    """Return the files of a new adapter, by path."""
    words = name.split("-")
    fields = {
        "name": name,
        "package": "_".join(words),
        "cls": "".join(word.capitalize() for word in words),
        "title": " ".join(words).capitalize(),
    }
    reads = READS[kind]
    body = "".join(METHOD.format(**read._asdict(), shown=_shown(read)) for read in reads)
    names = {*BASE}
    if reads:
        names |= {"capability", *(word for read in reads for word in _records(read))}
    if kind is Kind.SSO:
        names |= {"SignInRequest", "SignInResult", "hookimpl"}
        body = SSO
    module = MODULE.format(**fields, names=", ".join(sorted(names, key=str.lower)))
    if kind is Kind.BLANK:
        module = module.replace("import Mapping, Sequence", "import Sequence")
    return {
        "pyproject.toml": PYPROJECT.format(**fields),
        f"src/{fields['package']}/__init__.py": module + body,
        "tests/test_conformance.py": TEST,
        "README.md": README.format(**fields),
    }


def _shown(read: Read) -> str:
    """Return how a value is handed on: a customer's list has at most fifty entries."""
    return "value[:50]" if read.value.startswith("Sequence") else "value"


def _records(read: Read) -> set[str]:
    """Return the contract's names in the types of *read*."""
    return set(re.findall(r"\w+", f"{read.key} {read.value}")) - {"str", "Sequence"}
