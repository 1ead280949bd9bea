"""``deskhub explain``: what a code means and what to do."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from deskhub.cli.codes import CODES
from deskhub.cli.options import JsonOption
from deskhub.cli.output import Exit, document, fail, say
from deskhub.config import near
from deskhub.errors import CATALOGUE, HubError

CodeArgument = Annotated[str, typer.Argument(help="DH301, or a code of the API.")]


def explain(code: CodeArgument, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Explain an error code."""
    known = CODES.get(code.upper())
    if known is not None:
        if as_json:
            document({"code": code.upper(), **known._asdict()})
        else:
            say(f"{code.upper()}  {known.what}\n\nwhy  {known.why}\nfix  {known.fix}")
        return
    catalogue = wire_codes()
    wire = catalogue.get(code.lower())
    if wire is not None:
        if as_json:
            document({"code": wire.code, "what": wire.text, "status": wire.status,
                      "retry": wire.retry})  # fmt: skip
        else:
            say(f"{wire.code}  {wire.text}\n\nstatus  {wire.status}\nretry   {wire.retry}")
        return
    guess = near(code.lower(), catalogue)
    fail("DH113", f"there is no code '{code}'", exit_code=Exit.NOT_FOUND, as_json=as_json,
         why="codes look like DH301 or not_found; docs/reference/errors.md lists them",
         fix=f"did you mean {guess}?" if guess else "copy it from the message")  # fmt: skip


def wire_codes() -> dict[str, type[HubError]]:
    """Return every code that the API can answer with; imports the whole hub to know them."""
    import_module("deskhub.app")
    return CATALOGUE
