"""[mail] in hub.toml, what doctor says of it, and what a restore makes of waiting mail."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deskhub.cli import app
from deskhub.clock import SystemClock
from deskhub.config import ConfigProblems, load
from deskhub.store import mails
from tests.notify.conftest import Desk
from tests.notify.office import office_beside

HUB = 'schema = 1\n[hub]\nlisten = "127.0.0.1:0"\n[mail]\n'


def written(folder: Path, lines: str) -> Path:
    path = folder / "hub.toml"
    path.write_text(HUB + lines, encoding="utf-8")
    return path


def problems(folder: Path, lines: str) -> list[tuple[str, tuple[str, ...]]]:
    with pytest.raises(ConfigProblems) as caught:
        load(written(folder, lines))
    return [(one.code, one.path) for one in caught.value.problems]


def test_mail_is_off_and_encrypted_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "s3cret")
    lines = 'server = "mail.example.com:587"\nsender = "Desk <s@example.com>"\nca = "ca.pem"\n'

    off = load(written(tmp_path, "")).mail
    on = load(written(tmp_path, lines + 'user = "u"\npassword = { env = "PW" }\n')).mail

    assert off.server is None
    assert (on.tls, on.grace, on.host_port) == ("starttls", 120.0, ("mail.example.com", 587))
    assert on.sender_address.addr_spec == "s@example.com"
    assert on.ca == str(tmp_path / "ca.pem")
    assert "s3cret" not in repr(on)


@pytest.mark.parametrize(
    ("lines", "code", "path"),
    [
        ('server = "mail.example.com:587"', "DH106", ("mail",)),
        ('server = "mail.example.com"\nsender = "a@b.de"', "DH105", ("mail", "server")),
        ('sender = "nobody"', "DH105", ("mail", "sender")),
        ('sender = "a@b.de\\r\\nBcc: c@d.de"', "DH105", ("mail", "sender")),
        ('password = "in the clear"', "DH301", ("mail", "password")),
        ('tls = "off"', "DH105", ("mail", "tls")),
        ('grace = "two"', "DH105", ("mail", "grace")),
        ('port = 25', "DH103", ("mail", "port")),
    ],
)  # fmt: skip
def test_a_mistake_is_named(
    tmp_path: Path, lines: str, code: str, path: tuple[str, ...]
) -> None:
    assert problems(tmp_path, lines + "\n") == [(code, path)]


def test_a_password_does_not_cross_the_network_in_the_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "s3cret")
    lines = 'server = "mail.example.com:25"\nsender = "a@b.de"\ntls = "none"\n'

    assert problems(tmp_path, lines + 'user = "u"\npassword = { env = "PW" }\n') == [
        ("DH105", ("mail", "tls"))
    ]


def examined(path: Path) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["doctor", "--json", "-c", str(path)])
    checks = json.loads(done.stdout)["data"]["checks"]
    return {one["check"]: one for one in checks}


def test_doctor_signs_in_to_the_mail_server_and_sends_nothing(tmp_path: Path) -> None:
    with office_beside() as office:
        lines = f'server = "127.0.0.1:{office.port}"\nsender = "a@b.de"\ntls = "none"\n'
        good = examined(written(tmp_path, lines))["mail"]
        plain = examined(written(tmp_path, lines.replace('"none"', '"starttls"')))["mail"]
        assert office.visits == 0
    gone = examined(written(tmp_path, lines))["mail"]

    assert good["verdict"] == "ok"
    assert (plain["verdict"], plain["code"]) == ("problem", "DH174")
    assert "refused" in gone["text"]
    assert "mail" not in examined(written(tmp_path, ""))


async def test_what_waited_in_a_backup_is_handed_to_a_person(desk: Desk) -> None:
    desk.build()
    conversation = await desk.open()
    due = SystemClock().now() + timedelta(hours=1)
    await desk.hub.store.transact(
        "main", lambda tx: mails.note_answer(tx, conversation, 3, due, timedelta(hours=2))
    )

    await desk.hub.store.transact("main", lambda tx: mails.restored(tx.connection))

    (row,) = await desk.rows("unknown")
    assert row.error == "restored"
    assert await desk.hub.store.read(mails.count_dead) == 1


async def test_a_conversation_that_is_erased_takes_its_mail_along(desk: Desk) -> None:
    async with desk.mailing(grace="60m"):
        conversation = await desk.open()
        await desk.answer(conversation, "Soon forgotten.")
        await desk.settled("waiting")
        await desk.hub.store.transact(
            "main",
            lambda tx: tx.append(
                "conversation.erased", conversation=conversation, audience="agents",
                by="system:test", data={},
            ),
        )  # fmt: skip
        await desk.settled(count=0)
