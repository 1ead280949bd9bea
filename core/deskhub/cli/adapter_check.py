"""``deskhub adapter check``: an adapter's settings tried before they are written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from deskhub.cli.adapter_edit import NameArgument, SettingsArgument, UseOption, known, pair
from deskhub.cli.checked import source_of
from deskhub.cli.editing import cannot
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, fail_config, say
from deskhub.clock import SystemClock
from deskhub.config import Config, ConfigProblems
from deskhub.config.edit import Edit, NotEditable, edited
from deskhub.host.asked import AWAY, REFUSED
from deskhub.host.discovery import installed
from deskhub.host.examined import examine
from deskhub.host.form import form_of
from deskhub.host.manifests import manifest_at_hand
from deskhub.host.trial import Trials

_EXITS: Mapping[str, Exit] = {AWAY: Exit.UNREACHABLE, REFUSED: Exit.NOT_ALLOWED}


def check(
    name: NameArgument,
    settings: SettingsArgument = None,
    use: UseOption = "",
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Ask an adapter's far side with these settings in place of hub.toml's; nothing is kept.

    What is not given is as hub.toml says. No hub has to run: the adapter starts in a confined
    process of its own. Exits with 6 when the far side does not answer, 5 when it refuses.
    """
    point = known(use or name, config, as_json=as_json)
    fields = form_of(manifest_at_hand(installed()[point]))
    told = dict(pair(one, fields, name, as_json=as_json) for one in settings or [])
    edits = [Edit(("adapters", name, "enabled"), value=True)]
    edits += [Edit(("adapters", name, "use"), use)] if use and use != name else []
    edits += [Edit(("adapters", name, "config", key), value) for key, value in told.items()]
    wanted = _as_edited(config, name, edits, as_json=as_json)
    found = asyncio.run(Trials(wanted, SystemClock(), installed).run(wanted.adapters[name]))
    if not found.ok:
        code = _EXITS.get(found.code, Exit.CONFIGURATION)
        fail(found.code, found.text, fix=found.fix, exit_code=code, as_json=as_json)
    if as_json:
        document({"adapter": name, "ms": found.ms, "layers": found.layers})
    else:
        say(f"{name} answers, {found.ms:.0f} ms with its start; nothing was written")


def _as_edited(path: Path, name: str, edits: list[Edit], *, as_json: bool) -> Config:
    """Return hub.toml with *edits*; exits with 3 when *name* has mistakes in it then."""
    source = source_of(path, as_json=as_json)
    try:
        after = edited(source, edits)
    except NotEditable as error:
        cannot(str(error), as_json=as_json)
    except ValueError:
        # It is no TOML; what is wrong with it is found below.
        after = source
    config, found = examine(path, after)
    if config is None:
        fail_config(found, as_json=as_json, nothing="nothing was asked")
    own = [one for one in found.problems if one.path[:2] == ("adapters", name)]
    if own:
        problems = ConfigProblems(own, found.source, found.name)
        fail_config(problems, as_json=as_json, nothing="nothing was asked")
    return config
