"""Reads the mailbox: each mail once into its conversation, whatever breaks in between.

A mail is marked and the place in the mailbox moves only after the hub has stored it. Whoever
dies before that reads it again, and the hub knows its Message-ID.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable

from deskhub_channel_mail.judging import Bounce, bounce_of, kind_of, tokens_of
from deskhub_channel_mail.mailbox import Box
from deskhub_channel_mail.reading import Mail, read
from deskhub_channel_mail.settings import MailConfig
from deskhub_channel_mail.texts import text
from deskhub_sdk import (
    AdapterError,
    Context,
    ConversationId,
    Heard,
    Rejected,
    Said,
    SaidFile,
)
from deskhub_sdk.cards import Card, NoticeBlock, T

CURSOR = "place"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
NOTE_CHARS = 4_000


class Intake:
    """Reads one mailbox until it is stopped."""

    def __init__(self, ctx: Context, config: MailConfig, box: Callable[[], Box]) -> None:
        """Read what *box* connects to, and tell the hub through *ctx*."""
        self._ctx = ctx
        self._config = config
        self._new_box = box
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Read until cancelled; after a failure, begin anew with growing pauses."""
        self._task = asyncio.current_task()
        while True:
            try:
                await self._session()
            except (AdapterError, TimeoutError) as error:
                self._failures += 1
                if self._failures == 1:
                    code = getattr(error, "code", "timeout")
                    self._ctx.log.warning("mailbox_failed", extra={"code": code})
            grown = FIRST_PAUSE_S * 2.0 ** min(self._failures, 9)
            jitter = random.uniform(0.8, 1.2)  # noqa: S311  hubs must not knock in step
            await asyncio.sleep(min(LONGEST_PAUSE_S, self._config.poll_s, grown) * jitter)

    async def stop(self) -> None:
        """End, also in the middle of a mail: it is read again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def look(self, box: Box) -> bool:
        """Read what is there, at most 50 mails; return whether there may be more."""
        validity, last = await self._place()
        found = await box.look(last, validity)
        for uid in found.uids:
            data, is_whole = await box.fetch(uid)
            await self.take(data, is_whole=is_whole)
            await box.done(uid)
            if found.validity == validity:
                await self._keep(validity, uid)
        if found.validity != validity and found.is_all:
            # From here on the numbers say what is new; before, only what was not seen.
            most = max([found.next_uid - 1, *found.uids])
            await self._keep(found.validity, most)
        return not found.is_all

    async def take(self, data: bytes, *, is_whole: bool = True) -> None:
        """Do with one mail what it asks for. Raises what may go better later."""
        mail = await asyncio.to_thread(read, data)
        kind = kind_of(mail, self._config.address)
        try:
            if kind == "bounce":
                await self._bounced(mail)
            elif kind == "person":
                await self._hear(mail, is_whole=is_whole)
            elif kind == "automatic":
                await self._noted(mail)
            self.counts[kind] += 1
        except Rejected as refused:
            # For good: it stays in the mailbox, and the next one is read.
            self.counts["refused"] += 1
            self._ctx.log.warning("mail_refused", extra={"code": str(refused)[:60]})

    async def _session(self) -> None:
        box = self._new_box()
        try:
            await box.open()
            while True:
                while await self.look(box):
                    continue
                if self._failures:
                    self._ctx.log.info("mailbox_works_again")
                self._failures = 0
                await box.wait(self._config.poll_s)
        finally:
            await box.close()

    async def _hear(self, mail: Mail, *, is_whole: bool) -> None:
        tokens = tokens_of(mail, self._config.address)
        is_reply = await self._ctx.channel.find(tokens) is not None
        body = mail.text
        if mail.is_broken or not is_whole:
            body = f"{body}\n[…]".strip()
        if mail.subject and not is_reply and not mail.ids:
            body = f"{mail.subject}\n\n{body}".strip()
        files = [SaidFile(name=name, data=data) for name, data in mail.files if data]
        if mail.was_cut:
            files.append(SaidFile(name="mail.txt", data=mail.whole.encode()))
        said = Said(
            key=mail.key, address=mail.sender, inbox=self._config.inbox,
            text=body or mail.subject or "[…]", name=mail.name, title=mail.subject,
            tokens=tokens, follows=mail.ids,
        )  # fmt: skip
        heard = await self._ctx.channel.hear(said, files)
        self.counts["repeated"] += heard.dup
        await self._remarks(mail, heard)

    async def _remarks(self, mail: Mail, heard: Heard) -> None:
        """Tell agents who claims to have written, and what was not taken."""
        if heard.dup:
            return
        if heard.is_new or heard.is_verified:
            await self._note(heard.conversation, f"✉ {mail.name} <{mail.sender}>", mail, "from")
        if heard.refused:
            names = ", ".join(f"{name} ({code})" for name, code in heard.refused[:20])
            await self._note(heard.conversation, f"✗ {names}", mail, "files")

    async def _bounced(self, mail: Mail) -> None:
        found = bounce_of(mail)
        if found is None:
            return
        bounce, tokens = found
        conversation = await self._ctx.channel.find(tokens)
        if conversation is None or not bounce.is_final:
            return
        await self._ctx.channel.returned(tokens, bounce.answer, bounce.why)
        await show_undelivered(self._ctx, conversation, bounce)

    async def _noted(self, mail: Mail) -> None:
        """Show an automatic reply to agents; it opens nothing and wakes nobody."""
        conversation = await self._ctx.channel.find(tokens_of(mail, self._config.address))
        if conversation is not None and mail.text:
            said = f"⚙ {mail.subject}\n\n{mail.text}"[:NOTE_CHARS]
            await self._note(conversation, said, mail, "auto")

    async def _note(self, to: ConversationId, said: str, mail: Mail, what: str) -> None:
        await self._ctx.conversations.add_note(to, said, cid=f"{what}-{_digest(mail.key)}")

    async def _place(self) -> tuple[int, int]:
        kept = await self._ctx.kv.get(CURSOR)
        if kept is None:
            return 0, 0
        validity, uid = json.loads(kept)
        return int(validity), int(uid)

    async def _keep(self, validity: int, uid: int) -> None:
        await self._ctx.kv.put(CURSOR, json.dumps([validity, uid]).encode())


async def show_undelivered(ctx: Context, conversation: ConversationId, bounce: Bounce) -> None:
    """Show agents that an answer did not arrive; a repetition is the same card."""
    card = Card(
        id=f"mail.{bounce.answer}",
        title=T("bounce.title"),
        icon="warning",
        blocks=(NoticeBlock(text=T("bounce.text", {"why": bounce.why}), tone="danger"),),
        fallback=text(ctx.language, "bounce.text", why=bounce.why),
    )
    await ctx.conversations.show_card(conversation, card, cid=f"back-{_digest(bounce.answer)}")


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=16).hexdigest()
