"""The part of `make docker-check` that takes no minutes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.tools.dockerfile_steps import Builder, context, runnable, steps

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_linter_finds_nothing() -> None:
    linter = Path(sys.prefix, "bin/hadolint")

    assert subprocess.run([linter, ROOT / "Dockerfile"], check=False).returncode == 0


def test_an_engine_is_sent_sources_and_nothing_else() -> None:
    sent = context()

    assert {"core/deskhub/app.py", "web/build.mjs", "requirements/run.txt", "hub.toml"} <= set(
        sent
    )
    assert not [
        path for path in sent if "/tests/" in path or path.startswith(("docs/", "tests/"))
    ]
    assert not [path for path in sent if "node_modules" in path or "edge/static/" in path]


def test_what_needs_a_container_is_left_out_and_named() -> None:
    assert runnable("apt-get update && echo a && useradd x && echo b") == (
        "echo a && echo b",
        ["apt-get update", "useradd x"],
    )


def test_every_step_is_one_that_the_check_knows() -> None:
    verbs = {verb for verb, _ in steps(DOCKERFILE)}

    assert {verb for verb in verbs if not hasattr(Builder, f"do_{verb.lower()}")} <= {
        "SHELL", "USER", "VOLUME", "EXPOSE",
    }  # fmt: skip


def test_a_step_that_fails_ends_the_check(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ended with 3"):
        Builder(tmp_path).build("FROM scratch\nRUN echo fine && exit 3\nRUN echo never")


def test_the_image_runs_as_somebody_and_every_command_knows_its_files() -> None:
    found = dict(steps(DOCKERFILE))

    assert found["USER"] == "10001"
    assert json.loads(found["CMD"])[0] == "serve"
    assert "DESKHUB_CONFIG=/etc/deskhub/hub.toml" in found["ENV"]
    assert "DESKHUB_DATA=/var/lib/deskhub" in found["ENV"]
