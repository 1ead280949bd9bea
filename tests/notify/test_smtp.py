"""The way to the mail server: encrypted unless somebody said otherwise, and honest words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from deskhub.config import MailSettings
from deskhub.notify.smtp import SmtpFailed, SmtpServer, smtp_server
from tests.notify.conftest import NOW_MESSAGE
from tests.notify.office import certificate, office


def server(port: int, **more: Any) -> SmtpServer:
    given = {"server": f"127.0.0.1:{port}", "sender": "support@desk.example"}
    return smtp_server(MailSettings(**(given | more)))


async def yes() -> bool:
    return True


@pytest.mark.parametrize("how", ["starttls", "tls"])
async def test_mail_travels_encrypted_and_signed_in(tmp_path: Path, how: str) -> None:
    context, ca = certificate(tmp_path)
    secret = ("desk", "pa55 wörd")
    async with office(context=context, starttls=how == "starttls", secret=secret) as there:
        known = server(
            there.port, tls=how, ca=str(ca), user="desk", password=SecretStr("pa55 wörd")
        )
        await known.check()
        ended = await known.send(NOW_MESSAGE, "support@desk.example", "anna@example.com", yes)

        assert ended == ("sent", "")
        assert len(there.arrived) == 1


async def test_a_wrong_password_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    context, ca = certificate(tmp_path)
    async with office(context=context, starttls=True, secret=("desk", "right")) as there:
        known = server(there.port, ca=str(ca), user="desk", password=SecretStr("wrong"))

        with pytest.raises(SmtpFailed, match="user and password"):
            await known.check()
        verdict, why = await known.send(NOW_MESSAGE, "s@desk.example", "a@example.com", yes)

    assert verdict == "later"
    assert "wrong" not in why


async def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    for how, starttls in (("starttls", True), ("tls", False)):
        async with office(context=context, starttls=starttls) as there:
            with pytest.raises(SmtpFailed, match="TLS"):
                await server(there.port, tls=how).check()


async def test_a_server_without_tls_gets_nothing_by_default() -> None:
    async with office() as there:
        verdict, _ = await server(there.port).send(
            NOW_MESSAGE, "s@desk.example", "a@example.com", yes
        )

    assert verdict == "later"
    assert there.visits == 0


async def test_a_server_that_is_not_there_is_said_in_words() -> None:
    async with office() as there:
        port = there.port

    with pytest.raises(SmtpFailed, match="refused"):
        await server(port, tls="none").check()
