"""Sends what is due: intent on disk before the text leaves, and no guess about how it ended."""

from __future__ import annotations

from collections.abc import Callable

from deskhub.clock import Clock
from deskhub.figures import Tally
from deskhub.notify.compose import compose
from deskhub.notify.letters import Draft, Letters
from deskhub.notify.outbox import ATTEMPTS, FIRST_PAUSE_S, Outbox
from deskhub.notify.smtp import SmtpServer
from deskhub.store import mails
from deskhub.store.mails import OWN, MailRow
from deskhub.store.store import Store
from deskhub.store.tx import Tx

IsHere = Callable[[str, str], bool]


class Sender:
    """Takes what is due in one tenant, one mail after the other."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        server: SmtpServer,
        letters: Letters,
        is_here: IsHere,
        *,
        grace_s: float,
        first_pause_s: float = FIRST_PAUSE_S,
        attempts: int = ATTEMPTS,
    ) -> None:
        """Send through *server*; answers only to who is not connected, as *is_here* says."""
        self._store = store
        self._clock = clock
        self._server = server
        self._letters = letters
        self._is_here = is_here
        self._grace_s = grace_s
        self._outbox = Outbox(
            store, clock, OWN, self.take, first_pause_s=first_pause_s, attempts=attempts
        )
        self.wake = self._outbox.wake
        self.work = self._outbox.work

    @property
    def ended(self) -> Tally:
        """Return how mails ended in this process, by (kind, outcome)."""
        return self._outbox.ended

    async def take(self, row: MailRow) -> None:
        """Send one mail, or find out that it is not needed, or when to try again."""
        now = self._clock.now()
        drafted = await self._store.read(lambda db: self._letters.draft(db, row, now))
        if not isinstance(drafted, Draft):
            await self._outbox.drop(row, drafted)
            return
        if row.kind == "answers" and self._is_here(row.tenant, f"visitor:{drafted.visitor}"):
            await self._outbox.put_off(row, max(self._grace_s, 1.0))
            return
        await self._send(row, drafted)

    async def _send(self, row: MailRow, drafted: Draft) -> None:
        letter = drafted.letter

        async def leave() -> bool:
            return await self._store.transact(
                row.tenant,
                lambda tx: _still_needed(tx, row) and mails.hand_over(tx, row, letter.to),
            )

        sender = f"{letter.sender.username}@{letter.sender.domain}"
        verdict, why = await self._server.send(compose(letter), sender, letter.to, leave)
        await self._outbox.settle(row, verdict, why)


def _still_needed(tx: Tx, row: MailRow) -> bool:
    """Return whether the reader has not come by while the server was asked."""
    if row.kind != "answers":
        return True
    state = tx.conversation(row.conversation)
    return state is not None and state.visitor_read_seq < row.until_seq
