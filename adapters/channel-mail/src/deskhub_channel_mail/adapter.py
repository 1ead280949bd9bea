"""A mailbox as a channel: customers write mail, agents answer in the console."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from deskhub_channel_mail.intake import Intake, show_undelivered
from deskhub_channel_mail.judging import Bounce
from deskhub_channel_mail.letters import compose, plus
from deskhub_channel_mail.mailbox import Box
from deskhub_channel_mail.settings import MailConfig
from deskhub_channel_mail.texts import TEXTS, text
from deskhub_sdk import (
    Adapter,
    AdapterError,
    AuthRequired,
    Context,
    Delivered,
    Health,
    Meta,
    Outgoing,
    Permissions,
    hookimpl,
)
from deskhub_sdk.smtp import SmtpFailed, SmtpServer

FILES_BYTES = 15 * 1024 * 1024


class ChannelMail(Adapter[MailConfig]):
    """Mail in by IMAP, answers out by SMTP, threads by signed addresses and ids."""

    meta = Meta(
        id="channel-mail",
        name="Mail",
        sdk=">=1.0,<2",
        summary="Customers write mail, agents answer it in the console.",
        permissions=Permissions(
            writes=("conversation", "note", "card"), sockets=True
        ),
        texts=TEXTS,
    )  # fmt: skip
    config_model = MailConfig

    async def start(self, ctx: Context) -> None:
        """Begin to read; a mailbox that is down is asked again later."""
        await super().start(ctx)
        self._smtp = SmtpServer(self.config.route)
        self._intake = Intake(ctx, self.config, lambda: Box(self.config))
        ctx.tasks.start(self._intake.run(), name="read")

    async def stop(self) -> None:
        """End the reading."""
        await self._intake.stop()

    async def check_connection(self) -> Health:
        """Sign in to both servers; nothing is read and nothing sent."""
        now = self.ctx.clock.now()
        try:
            async with asyncio.timeout(4.5):
                await self._both()
        except AuthRequired:
            raise
        except (AdapterError, SmtpFailed, TimeoutError) as error:
            return Health(ok=False, text=str(error) or "timeout", checked_at=now)
        ready = text(self.ctx.language, "health.ready")
        return Health(ok=True, text=ready, checked_at=now)

    @hookimpl
    async def deliver(self, outgoing: Outgoing) -> Delivered:
        """Hand an agent's answer to the mail server; the text leaves after all else is said."""
        files: list[tuple[str, str, bytes]] = []
        room, left_out = FILES_BYTES, []
        for one in outgoing.files:
            if one.bytes > room:
                left_out.append(f"[{one.name}]")
                continue
            room -= one.bytes
            data = await self.ctx.channel.read_file(outgoing.id, one.id)
            files.append((one.name, one.media, data))
        address = self.config.address
        made = compose(outgoing, address, self.config.name, files, left_out)

        async def leave() -> bool:
            return await self.ctx.channel.leaving(outgoing.id)

        state, why = await self._smtp.send(
            made, plus(outgoing, address), outgoing.address, leave
        )
        if state == "refused" or (state == "later" and outgoing.is_last):
            bounce = Bounce(outgoing.id, why[:60], is_final=True)
            await show_undelivered(self.ctx, outgoing.conversation, bounce)
        return Delivered(state=state, why=why)

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many mails of each kind were read."""
        return {"read": dict(self._intake.counts), "servers": 2}

    async def _both(self) -> None:
        box = Box(self.config)
        try:
            await box.open()
        finally:
            await box.close()
        await self._smtp.check()
