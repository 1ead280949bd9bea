"""Write the reference pages that code knows best: error codes, hooks, the command line.

``--write`` writes them, ``--check`` (the default) says which are not up to date.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/reference"
MADE = "<!-- Made by tests/tools/reference.py; change the code it names, then run it with --write. -->"

POLICIES = {
    "collect": "every answer, asked once at the start",
    "gather": "every answer, in the order of arrival, until the deadline",
    "first": "the first answer that is not None, in the order of `[order]`",
    "veto": "any reason refuses",
    "chain": "each answer goes into the next question",
    "notify": "no answer; each instance has its own queue",
    "direct": "one addressed instance",
}
PARTS = ("When", "Answer", "Deadline", "Several adapters", "Errors", "Since")


def errors() -> str:
    """Return the page of every code: on the wire, on the command line, of adapters."""
    import_module("deskhub.app")
    from deskhub.cli.codes import CODES
    from deskhub.errors import CATALOGUE
    from deskhub_sdk import AdapterError

    wire = table(
        ("code", "status", "retry", "what a person reads", "what it means"),
        ((f"`{code}`", one.status, one.retry, one.text, first_line(one))
         for code, one in sorted(CATALOGUE.items())),
    )  # fmt: skip
    adapters = table(
        ("code", "meaning"),
        ((f"`{one.code}`", first_line(one)) for one in sorted(below(AdapterError), key=lambda one: (one.code, first_line(one)))),
    )  # fmt: skip
    setup = "\n\n".join(
        f"### {code}\n{one.what}\n\n**Why it matters.** {one.why}\n\n**What to do.** {one.fix}"
        for code, one in sorted(CODES.items())
    )
    return f"""# Error codes

A code is stable; its sentence may be improved.
`deskhub explain CODE` prints the same in a terminal.

## On the wire
Every failed request is answered with an RFC 9457 problem that carries `code`, `status`, `retry`, `detail` and `request_id`.
`retry` says what the client may do: `never` (the same request will fail again), `same` (send it again at once, with the same id), `later` (wait, at least `after_ms` if it is given).

{wire}

## Of adapters
A panel or a step that failed carries one of these; the hub goes on without it.

{adapters}

## Of set-up
Printed by the command line, shown on the adapters page, and in sign-in pages.

{setup}
"""


def hooks() -> str:
    """Return the page of every hook with its contract, from the contract's own docstrings."""
    from deskhub_sdk.hooks import SPECS, Hooks

    overview = table(
        ("hook", "policy", "deadline"),
        ((f"[`{name}`](#{name})", one.policy.value, seconds(one.deadline_s)) for name, one in SPECS.items()),
    )  # fmt: skip
    used = {spec.policy.value for spec in SPECS.values()}
    policies = table(
        ("policy", "what becomes of several adapters' answers"),
        ((name, text) for name, text in POLICIES.items() if name in used),
    )
    each = "\n\n".join(hook(name, getattr(Hooks, name)) for name in SPECS)
    return f"""# Hooks

A hook is a question or an announcement of the hub to all adapters.
An adapter answers by defining a method of the same name with `@hookimpl`; arguments may be left out, never renamed.
A name that is no hook, an argument that is not offered and a method that is not `async` keep the adapter from starting, with a code that says so (DH503, DH504, DH505).

{overview}

{policies}

{each}
"""


def hook(name: str, function: Callable[..., Any]) -> str:
    """Return one hook's section."""
    from deskhub_sdk.hooks import SPECS

    spec = SPECS[name]
    text = inspect.getdoc(function) or ""
    summary, _, contract = text.partition("\n\n")
    pieces = re.split(rf"\b({'|'.join(PARTS)}): ", " ".join(contract.split()))
    if pieces[0].strip():
        raise SystemExit(
            f"{name}: the contract starts with '{pieces[0]}', not with a part's name"
        )
    parts = "\n".join(
        f"- **{key}**: {value.strip()}"
        for key, value in zip(pieces[1::2], pieces[2::2], strict=True)
    )
    durable = ", stored and repeated until it is taken" if spec.durable else ""
    signature = inspect.signature(function)
    shown = signature.replace(
        parameters=[one for one in signature.parameters.values() if one.name != "self"]
    )
    return f"""## {name}
```python
async def {name}{str(shown).replace("'", "")}
```
{" ".join(summary.split())}

Policy: {spec.policy.value}{durable}.

{parts}"""


def capabilities() -> str:
    """Return the page of every capability with its methods, from the contract's protocols."""
    from deskhub_sdk.capabilities import CAPABILITIES

    each = "\n\n".join(
        f"## `{name}`\n{after_colon(protocol)}\n\n{methods_of(protocol)}"
        for name, protocol in CAPABILITIES.items()
    )
    return f"""# Capabilities

A capability is a typed service of one adapter, addressed rather than broadcast; `[bind]` in hub.toml chooses where several could serve.
An adapter marks its methods with `@capability("orders@1")`; the number is the version, and a method may be missing.
Reads take many ids and answer a mapping: an id that is not there is absent, and what is unknown as a whole raises an error of the contract.

{each}
"""


def methods_of(protocol: type) -> str:
    """Return the methods of a capability as a table."""
    rows = (
        (f"`{name}{shown(one)}`", first_line(one))
        for name, one in vars(protocol).items()
        if inspect.isfunction(one) and not name.startswith("_")
    )
    return table(("method", "answer"), rows)


def shown(function: Callable[..., Any]) -> str:
    """Return a method's signature as its caller sees it."""
    signature = inspect.signature(function)
    own = [one for one in signature.parameters.values() if one.name != "self"]
    return str(signature.replace(parameters=own)).replace("'", "")


def after_colon(thing: Any) -> str:
    """Return the first sentence of a docstring that begins with its subject's name."""
    text = first_line(thing).partition(": ")[2]
    return f"{text[:1].upper()}{text[1:]}"


def manifest() -> str:
    """Return the page of ``deskhub-adapter.json``, from the records it is decoded to."""
    from deskhub_sdk.adapter import Permissions
    from deskhub_sdk.manifest import FILE_NAME, Limits, Manifest
    from deskhub_sdk.steps import StepSpec

    parts = "\n\n".join(
        f"## {title}\n{prose(kind)}\n\n{fields_of(kind)}"
        for title, kind in (
            ("`permissions`", Permissions), ("`limits`", Limits), ("`steps`", StepSpec),
        )
    )  # fmt: skip
    return f"""# The manifest

`{FILE_NAME}` stands beside the adapter's modules. The build hook `deskhub_sdk.hatch` writes it into the wheel, and `deskhub adapter info` shows it.
Discovery, forms, proxies and these pages read it and import nothing. A hub compares it with the class when the adapter starts; one that differs is not run.

{prose(Manifest)}

{fields_of(Manifest)}

{parts}
"""


def prose(thing: Any) -> str:
    """Return a whole docstring as one paragraph."""
    return " ".join((inspect.getdoc(thing) or "").split()).replace("``", "`")


def fields_of(kind: Any) -> str:
    """Return a record's fields as a table."""
    import msgspec

    rows = []
    for one in msgspec.structs.fields(kind):
        made = one.default
        if one.default_factory is not msgspec.NODEFAULT:
            made = one.default_factory()
        known = "required" if made is msgspec.NODEFAULT else short(made)
        rows.append((f"`{one.name}`", f"`{of_type(one.type)}`", known))
    return table(("field", "type", "default"), rows)


def of_type(kind: Any) -> str:
    """Return a type without its modules."""
    text = (
        kind.__name__ if inspect.isclass(kind) and not hasattr(kind, "__args__") else str(kind)
    )
    return re.sub(r"\b(?:\w+\.)+", "", text)


def short(value: Any) -> str:
    """Return a default as JSON would have it; a record stands for its own defaults."""
    if hasattr(value, "__struct_fields__"):
        return "its defaults"
    if value in ((), {}, [], ""):
        return "empty"
    return (
        "`null`"
        if value is None
        else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    )


def quality() -> str:
    """Return the page of the quality scale: every rule that the kit executes."""
    from deskhub_sdk.testing.kit.rules import TIERS
    from deskhub_sdk.testing.kit.run import RULES

    tiers = "\n\n".join(
        f"## {tier.capitalize()}\n"
        + table(
            ("rule", "what holds", "code when it does not"),
            (
                (f"`{one.id}`", one.text, f"[{one.code}](errors.md#{one.code.lower()})")
                for one in RULES
                if one.tier == tier
            ),
        )
        for tier in TIERS
    )
    return f"""# The quality scale

`deskhub adapter test FOLDER` runs every rule against the adapter's simulator, offline; no adapter says of itself which tier it has.
A tier is reached when no rule of it, and of those before it, is broken; rules about what an adapter does not have do not apply.
A broken rule is told with file, line and cure; `--rule NAME` runs one alone, `--tier silver` stops there.

{tiers}
"""


def command_line() -> str:
    """Return the page of every command with its options, and of the exit codes."""
    import typer

    from deskhub.cli import app
    from deskhub.cli.output import MEANINGS

    commands = "\n\n".join(
        section(" ".join(path), one) for path, one in leaves(typer.main.get_command(app), ("deskhub",))
    )  # fmt: skip
    codes = table(("code", "meaning"), ((int(one), text) for one, text in MEANINGS.items()))
    return f"""# Command line

The result goes to stdout; progress, hints and problems go to stderr.
With `--json` there is one document: `{{"ok": true, "data": …, "warnings": []}}`, or `{{"ok": false, "error": {{"code", "what", "why", "fix"}}}}`; `deskhub demo --json` prints its data alone.
A problem is at most eight lines: what, where, why, the fix, and where to read more.

{commands}

## Exit codes
{codes}
"""


def leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something, with its words."""
    for name, one in getattr(command, "commands", {}).items():
        yield from leaves(one, (*path, name))
    if not hasattr(command, "commands"):
        yield path, command


def section(words: str, command: Any) -> str:
    """Return one command's section."""
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [
        one
        for one in command.params
        if one.param_type_name == "option" and one.name != "help" and not one.hidden
    ]
    usage = " ".join(
        [
            words,
            *(
                one.name.upper() if one.required else f"[{one.name.upper()}]"
                for one in arguments
            ),
        ]
    )
    rows = [(f"`{one.name.upper()}`", one.help, default(one)) for one in arguments]
    rows += [
        (f"`{' '.join(sorted(one.opts, key=len, reverse=True))}`", one.help, default(one))
        for one in options
    ]
    listed = "\n\n" + table(("", "meaning", "default"), rows) if rows else ""
    return f"## {usage}\n{' '.join(command.help.split())}{listed}"


def default(parameter: Any) -> str:
    """Return a parameter's default as a reader writes it."""
    if parameter.required or parameter.default in (None, "", False):
        return ""
    return f"`{parameter.default}`"


def meaning(error: Any) -> str:
    """Return what an error of the catalogue means to whoever calls the API."""
    if error.code == "internal":
        return "Whatever no other code names; the log holds it under the request's id."
    return first_line(error)


def below(error: type) -> set[type]:
    """Return *error* and every class below it."""
    return {error}.union(*(below(one) for one in error.__subclasses__() if is_ours(one)))


def is_ours(error: type) -> bool:
    """Return whether *error* belongs to hub or contract, and not to a test or an adapter."""
    return error.__module__.partition(".")[0] in ("deskhub", "deskhub_sdk")


def first_line(thing: Any) -> str:
    """Return the first sentence of a docstring."""
    text = " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())
    return text.replace("``", "`")


def seconds(value: float) -> str:
    """Return a duration in the unit a person would use."""
    return f"{value:g} s" if value >= 1 else f"{value * 1000:g} ms"


def table(head: tuple[str, ...], rows: Any) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines)


PAGES_MADE: dict[str, Callable[[], str]] = {
    "errors.md": errors,
    "hooks.md": hooks,
    "capabilities.md": capabilities,
    "manifest.md": manifest,
    "cli.md": command_line,
    "quality.md": quality,
}


def made(name: str) -> str:
    """Return what the page *name* should hold."""
    return f"{MADE}\n{PAGES_MADE[name]()}"


def main(arguments: list[str]) -> int:
    """Write the pages, or say which are not up to date."""
    stale = []
    for name in PAGES_MADE:
        page = PAGES / name
        if not page.exists() or page.read_text(encoding="utf-8") != made(name):
            stale.append(name)
            if "--write" in arguments:
                page.write_text(made(name), encoding="utf-8")
    verb = (
        "written"
        if "--write" in arguments
        else "not up to date; run tests/tools/reference.py --write"
    )
    for name in stale:
        print(f"docs/reference/{name}: {verb}")
    return 0 if "--write" in arguments or not stale else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
