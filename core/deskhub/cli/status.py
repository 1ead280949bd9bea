"""``deskhub status``: ask a running hub how it is."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated

import typer

from deskhub.cli.checked import readable
from deskhub.cli.options import ConfigOption, JsonOption
from deskhub.cli.output import Exit, document, fail, say

_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
WITHIN_S = 5.0

Samples = dict[str, list[tuple[dict[str, str], float]]]


def status(
    url: Annotated[str | None, typer.Option(help="Where it listens; hub.toml says it.")] = None,
    config: ConfigOption = Path("hub.toml"),
    as_json: JsonOption = False,  # noqa: FBT002  a command line option
) -> None:
    """Say how the running hub is: version, uptime, connections, adapters."""
    base = url or f"http://{readable(config, as_json=as_json).hub.listen}"
    ready, detail = _ready(base, as_json=as_json)
    found = _told(base, samples(_get(f"{base}/metrics")[1]))
    found |= {"url": base, "ready": ready, "why": detail}
    if as_json:
        document(found)
    else:
        _print(found)
    if not ready:
        raise SystemExit(Exit.UNREACHABLE)


def samples(text: str) -> Samples:
    """Return the samples of Prometheus *text* by name."""
    found: Samples = {}
    for line in text.splitlines():
        match = _SAMPLE.fullmatch(line)
        if match and not line.startswith("#"):
            labels = dict(_LABEL.findall(match[2] or ""))
            found.setdefault(match[1], []).append((labels, float(match[3])))
    return found


def _told(base: str, figures: Samples) -> dict[str, object]:
    def one(name: str) -> float:
        return sum(value for _, value in figures.get(name, []))

    def by(name: str, label: str) -> dict[str, int]:
        return {labels[label]: int(value) for labels, value in figures.get(name, [])}

    version = next((labels["version"] for labels, _ in figures.get("deskhub_info", [])), "")
    commits = one("deskhub_commit_seconds_count")
    return {
        "version": version,
        "uptime_s": int(time.time() - one("deskhub_start_time_seconds")),
        "sessions": by("deskhub_sessions", "kind"),
        "queue": int(one("deskhub_writer_queue")),
        "commit_ms": round(1000 * one("deskhub_commit_seconds_sum") / commits, 2)
        if commits
        else None,
        "refused": by("deskhub_writes_refused_total", "why"),
        "runs": by("deskhub_runs_open", "state"),
        "adapters": {
            labels["instance"]: labels["state"]
            for labels, _ in figures.get("deskhub_adapter_state", [])
        },
    }


def _print(found: dict[str, object]) -> None:
    mark = "✔ ready" if found["ready"] else f"✘ not ready: {found['why']}"
    uptime = int(str(found["uptime_s"]))
    say(f"{mark}   Deskhub {found['version']} at {found['url']}, up {_span(uptime)}")
    sessions, runs, adapters = found["sessions"], found["runs"], found["adapters"]
    assert isinstance(sessions, dict)  # noqa: S101  made above
    assert isinstance(runs, dict)  # noqa: S101
    assert isinstance(adapters, dict)  # noqa: S101
    agents, visitors = sessions.get("agent", 0), sessions.get("visitor", 0)
    say(f"  connected   {agents} agents, {visitors} visitors")
    commit = "" if found["commit_ms"] is None else f", a commit takes {found['commit_ms']} ms"
    say(f"  database    {found['queue']} writes wait{commit}")
    if runs.get("attention"):
        say(f"  actions     {runs['attention']} wait for a person")
    for name, state in sorted(adapters.items()):
        say(f"  {'✔' if state == 'ready' else '!'} {name:10} {state}")


def _span(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"


def _ready(base: str, *, as_json: bool) -> tuple[bool, str]:
    try:
        code, body = _get(f"{base}/readyz")
    except OSError as error:
        reason = getattr(error, "reason", error)
        fail("DH158", f"no hub answers at {base}: {reason}", exit_code=Exit.UNREACHABLE,
             as_json=as_json, why="it does not run, or listens elsewhere",
             fix="deskhub serve, or name the address: --url http://host:port")  # fmt: skip
    try:
        document_ = json.loads(body)
    except ValueError:
        document_ = {}
    return code == 200, "" if code == 200 else str(document_.get("detail", code))


def _get(url: str) -> tuple[int, str]:
    """Return status and body. Raises `OSError` when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=WITHIN_S) as answer:  # noqa: S310  the operator's own
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
