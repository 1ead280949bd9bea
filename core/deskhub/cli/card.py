"""``deskhub card``: cards in files, as an adapter's author writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from deskhub.cli.options import JsonOption
from deskhub.cli.output import Exit, document, fail, hint, say
from deskhub.host.card_files import CardProblem, check_card
from deskhub.host.card_words import words_of

card_app = typer.Typer(help="Check cards and see what they say.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="A card as JSON.")]


@card_app.command("check")
def check(file: FileArgument, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Check a card as the hub would, with the line of each mistake; exits with 8 on any."""
    text = _read(file, as_json=as_json)
    problems = check_card(text)[1]
    if problems:
        _told(problems, file, text, as_json=as_json)
    if as_json:
        document({"file": str(file), "problems": []})
    else:
        say(f"{file}: 0 problems")


@card_app.command("preview")
def preview(
    file: FileArgument,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Print what a card says, line by line; its look is the console's and the widget's."""
    text = _read(file, as_json=as_json)
    card, problems = check_card(text)
    if card is None:
        _told(problems, file, text, as_json=as_json)
    lines = words_of(card)
    if as_json:
        document({"lines": lines})
    else:
        for line in lines:
            say(line)


def _told(problems: list[CardProblem], file: Path, text: str, *, as_json: bool) -> NoReturn:
    first = problems[0]
    if as_json:
        fail(first.code, first.what, why=first.why, fix=first.fix, as_json=True,
             exit_code=Exit.TESTS_FAILED, where=(file.name, first.line))  # fmt: skip
    for one in problems[1:]:
        hint(f"{one.code} {file.name}:{one.line} {one.what}")
    fail(first.code, f"{first.what} at {first.where}", why=first.why, fix=first.fix,
         exit_code=Exit.TESTS_FAILED, where=(file.name, first.line),
         line=text.splitlines()[first.line - 1].strip()[:90])  # fmt: skip


def _read(file: Path, *, as_json: bool) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        fail("DH523", f"{file} cannot be read: {reason}", exit_code=Exit.NOT_FOUND,
             as_json=as_json, fix="name a file with one card as JSON")  # fmt: skip
