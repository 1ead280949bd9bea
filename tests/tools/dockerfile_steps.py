"""Run the Dockerfile's steps without an engine, then what it builds.

Every stage gets a folder that stands for its root, and absolute paths of the Dockerfile are
put below it. What needs a container (apt, users, volumes) is skipped and said. Then the image's
own command is started from the installed wheels, asked the way its health check asks, and
stopped the way an engine stops it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from tests.support.desk import answers, free_port, until

ROOT = Path(__file__).parents[2]
SKIPPED_COMMANDS = ("apt-get", "useradd", "rm -rf /var/lib/apt")
SKIPPED_STEPS = ("SHELL", "USER", "VOLUME", "EXPOSE")
STOP_S = 10


@dataclass
class Stage:
    """One FROM: its root, where it works, its environment, and how it starts."""

    name: str
    root: Path
    where: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    entry: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def put(self, path: str) -> Path:
        """Return where the absolute or relative *path* of the Dockerfile is."""
        return Path(f"{self.root}{path if path.startswith('/') else f'{self.where}/{path}'}")

    def text(self, words: str) -> str:
        """Return *words* with the paths of the image put below the root."""
        return re.sub(
            r"(?<![\w./-])/(opt|src|wheels|etc/deskhub|var/lib/deskhub)\b",
            rf"{self.root}/\1",
            words,
        )

    def env(self) -> dict[str, str]:
        """Return an environment with nothing of the checkout in it."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if key not in ("PYTHONPATH", "VIRTUAL_ENV")
        }
        return {**kept, **self.environment}


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction of a Dockerfile with what follows it, on one line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            verb, _, rest = line.strip().partition(" ")
            yield verb.upper(), rest.strip()


def runnable(commands: str) -> tuple[str, list[str]]:
    """Return *commands* without those that need a container, and those."""
    parts = [part.strip() for part in commands.split("&&")]
    skipped = [part for part in parts if part.startswith(SKIPPED_COMMANDS)]
    return " && ".join(part for part in parts if part not in skipped), skipped


def context() -> list[str]:
    """Return the files that an engine would be sent: tracked ones that .dockerignore lets in."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rules = (ROOT / ".dockerignore").read_text().split()
    return [
        path
        for path in listed.stdout.splitlines()
        if (ROOT / path).is_file() and lets_in(path, rules)
    ]


def lets_in(path: str, rules: list[str]) -> bool:
    """Return whether the last rule that matches *path* is not one that keeps it out."""
    verdict = True
    for rule in rules:
        pattern = rule.removeprefix("!")
        parts = path.split("/")
        if pattern.startswith("**/"):
            hit = any(fnmatchcase(part, pattern[3:]) for part in parts)
        else:
            heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
            hit = any(fnmatchcase(head, pattern) for head in heads)
        if hit:
            verdict = rule.startswith("!")
    return verdict


class Builder:
    """Goes through the steps; the last stage is the image."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.stages: list[Stage] = []

    @property
    def stage(self) -> Stage:
        """Return the stage that is being built."""
        return self.stages[-1]

    def build(self, text: str) -> Stage:
        """Run every step of *text*; return the last stage."""
        for verb, rest in steps(text):
            if verb in SKIPPED_STEPS:
                say(f"skipped  {verb} {rest}")
                continue
            say(f"{verb:8} {rest[:100]}")
            getattr(self, f"do_{verb.lower()}")(rest)
        return self.stage

    def do_from(self, rest: str) -> None:
        """Begin a stage. All use the same path in turn: environments hold absolute paths."""
        words = rest.split()
        here = self.scratch / "image"
        if self.stages:
            done = self.scratch / self.stage.name
            here.rename(done)
            self.stage.root = done
        here.mkdir()
        self.stages.append(
            Stage(words[2] if len(words) > 2 else f"stage{len(self.stages)}", here)
        )

    def do_workdir(self, rest: str) -> None:
        """Change to a folder of the image."""
        self.stage.where = rest
        self.stage.put(rest).mkdir(parents=True, exist_ok=True)

    def do_env(self, rest: str) -> None:
        """Set variables of the image."""
        for word in shlex.split(rest):
            key, _, value = word.partition("=")
            path = self.stage.environment.get(key, os.environ.get(key, ""))
            self.stage.environment[key] = self.stage.text(value).replace(f"${key}", path)

    def do_run(self, rest: str) -> None:
        """Run commands as the image's shell would."""
        commands, skipped = runnable(rest)
        for one in skipped:
            say(f"skipped  {one}")
        if not commands:
            return
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.stage.text(commands)],
            cwd=self.stage.put("."), env=self.stage.env(), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise SystemExit(
                f"RUN ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
            )

    def do_copy(self, rest: str) -> None:
        """Copy from the checkout or from an earlier stage."""
        words = shlex.split(rest)
        options = [word for word in words if word.startswith("--")]
        source, target = [word for word in words if not word.startswith("--")]
        to = self.stage.put(target)
        earlier = next(
            (one.removeprefix("--from=") for one in options if one.startswith("--from=")), None
        )
        if earlier is not None:
            stage = next(one for one in self.stages if one.name == earlier)
            shutil.copytree(stage.put(source), to, symlinks=True, dirs_exist_ok=True)
            return
        for path in context():
            if source not in (".", path) and not path.startswith(f"{source}/"):
                continue
            inside = "" if path == source else path.removeprefix(f"{source}/")
            there = to / inside if inside else to
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, there)

    def do_entrypoint(self, rest: str) -> None:
        """Keep how the image starts."""
        self.stage.entry = json.loads(rest)

    def do_cmd(self, rest: str) -> None:
        """Keep what the image starts with."""
        self.stage.command = json.loads(rest)

    def do_healthcheck(self, rest: str) -> None:
        """Keep how the image is asked whether it is well."""
        self.stage.health = json.loads(rest.partition("CMD ")[2])


def prove(image: Stage) -> None:
    """Start what was built, ask it, stop it."""
    python = image.put("/opt/deskhub/bin/python")
    found = ask(
        image,
        [
            str(python),
            "-c",
            "import deskhub, deskhub_orders; print(deskhub.__file__, deskhub_orders.__file__)",
        ],
    )
    if str(ROOT) in found or found.count("site-packages") != 2:
        raise SystemExit(f"not installed from wheels: {found}")
    say(f"version  {ask(image, [*image.entry, '--version'])}")
    say(ask(image, [*image.entry, "adapter", "list"]))
    port = free_port()
    with started(
        image, [word.replace("0.0.0.0:8700", f"127.0.0.1:{port}") for word in image.command]
    ) as hub:
        for path in ("/healthz", "/readyz", "/console/", "/w/v1/loader.js", "/w/v1/chat.js"):
            until(
                lambda path=path: answers(f"http://127.0.0.1:{port}{path}"), f"{path} answers"
            )
            say(f"answers  {path}")
        ask(image, [word.replace(":8700/", f":{port}/") for word in image.health])
        added = ask(
            image,
            [*image.entry, "user", "add", "you@example.com", "--role", "admin"],
            given="a long enough password\n",
        )
        say(f"beside   {added}")
        began = time.monotonic()
        hub.terminate()
        if hub.wait(timeout=STOP_S) != 0:
            raise SystemExit(f"stopped with {hub.returncode}")
        say(f"stopped  after {time.monotonic() - began:.1f} s")
    kept = sorted(
        str(one.relative_to(image.put("/var/lib/deskhub")))
        for one in image.put("/var/lib/deskhub").rglob("*")
        if one.is_file()
    )
    if "data/deskhub.db" not in kept:
        raise SystemExit(f"the volume holds {kept}")
    with started(image, ["demo", "--json", "--port", "0"]) as demo:
        told = json.loads(demo.stdout.readline())
        for address in (told["console"], told["shop"]):
            if not answers(address):
                raise SystemExit(f"{address} does not answer")
        say("answers  the demo's console and shop, from the wheels")


@contextmanager
def started(image: Stage, words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Run the image with *words*, and nothing of it afterwards."""
    process = subprocess.Popen(
        [shutil.which(image.entry[0], path=image.environment["PATH"]) or image.entry[0], *image.entry[1:], *words],
        cwd=image.put("."), env=image.env(), stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ask(image: Stage, words: list[str], given: str | None = None) -> str:
    """Return what a command in the image prints."""
    program = shutil.which(words[0], path=image.environment["PATH"]) or words[0]
    done = subprocess.run(
        [program, *words[1:]], cwd=image.put("."), env=image.env(), input=given,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(
            f"{' '.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout.strip()


def say(text: str) -> None:
    """Print progress."""
    print(text, flush=True)


def main() -> int:
    """Build in a scratch folder and prove what came out."""
    with tempfile.TemporaryDirectory(prefix="deskhub-image-") as scratch:
        prove(Builder(Path(scratch).resolve()).build((ROOT / "Dockerfile").read_text()))
    say("the image's steps work, and what they install runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
