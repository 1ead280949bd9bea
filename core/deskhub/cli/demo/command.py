"""``deskhub demo``: what can be asked for, and what is said when it does not start."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer
import uvloop

from deskhub import log
from deskhub.cli.demo.systems import NAMES, DemoFailed
from deskhub.cli.options import JsonOption
from deskhub.cli.output import Exit, fail, hint

PortOption = Annotated[int, typer.Option(help="The hub's port; 0 takes a free one.")]
VerboseOption = Annotated[bool, typer.Option("-v", "--verbose", help="Show the hub's log.")]


def demo(
    port: PortOption = 8700,
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
    verbose: VerboseOption = False,  # noqa: FBT002
) -> None:
    """Start everything with demo data; Ctrl-C ends every process and leaves nothing."""
    missing = [f"deskhub-{name}" for name in NAMES if find_spec(f"deskhub_{name}") is None]
    if missing:
        fail("DH201", f"not installed here: {', '.join(missing)}", as_json=as_json,
             why="the demo runs every adapter against a simulated system",
             exit_code=Exit.CONFIGURATION, fix="pip install 'deskhub[demo]'")  # fmt: skip
    log.configure("info" if verbose else "error")
    # Importing the hub takes a second; what is missing was said before.
    from deskhub.cli.demo.play import play  # noqa: PLC0415

    try:
        uvloop.run(play(port, as_json=as_json))
    except* DemoFailed as failures:
        first = _first(failures)
        if first.lines:
            hint("\n".join(first.lines))
        fail("DH590", str(first), exit_code=Exit.UNREACHABLE, as_json=as_json,
             why="the demo is only whole with all of its parts",
             fix="try again; deskhub demo -v shows more")  # fmt: skip


def _first(failures: BaseExceptionGroup[DemoFailed]) -> DemoFailed:
    found: BaseException = failures
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    if not isinstance(found, DemoFailed):
        raise TypeError(f"a group of failed demos holds {found!r}")
    return found
