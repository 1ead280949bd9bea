"""Opens a conversation's panels: asks every adapter, shows each answer as it arrives."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from deskhub.clock import Clock
from deskhub.errors import NotFound
from deskhub.host.asking import Answer
from deskhub.host.host import Host
from deskhub.host.records import conversation_record, customer_record
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.panels.answers import Kept, panel_of
from deskhub.panels.kept import KeptCards
from deskhub.panels.model import Panel, summary_line
from deskhub.store.event import Event
from deskhub.store.store import Store
from deskhub.store.surroundings import Around, around
from deskhub.store.tombstones import ERASED

HOOK = "conversation_cards"
# Two agents who open the same conversation, or one who clicks twice, ask once.
REUSE_S = 2.0
# A visitor's page may load as often as it likes.
VISITOR_REUSE_S = 30.0
RECENT_MAX = 1_000

Push = Callable[[str, str, dict[str, Any]], None]


class Panels:
    """All panels of this process. *push* shows one to the agents who look at it."""

    def __init__(self, host: Host, store: Store, clock: Clock, push: Push) -> None:
        """Ask the adapters of *host*; *push* takes (tenant, conversation, panel)."""
        self._host = host
        self._store = store
        self._clock = clock
        self._push = push
        self._kept = KeptCards()
        self._recent: OrderedDict[tuple[str, str], tuple[float, list[Panel]]] = OrderedDict()
        store.tail.listen(self._forget_erased)

    async def open(
        self, principal: Principal, conversation: str, *, refresh: bool = False
    ) -> list[dict[str, Any]]:
        """Return the panels of *conversation* as *principal* may see them.

        Each is pushed as it arrives, those that miss the deadline when they come. *refresh*
        asks the systems anew instead of taking values that are still fresh. Raises
        `NotFound`, `Forbidden`.
        """
        found = await self._store.read(lambda db: around(db, principal.tenant, conversation))
        if found is None:
            raise NotFound(f"conversation {conversation}")
        state = found.conversation
        scope = Scope(state.tenant, state.inbox, state.visitor)
        authorize(principal, Permission.CARDS_READ, scope)
        if principal.kind == "visitor":
            panels = [panel.for_visitor() for panel in await self._ask(found, VISITOR_REUSE_S)]
            return [panel.to_json() for panel in panels if panel.cards]
        if refresh:
            self._host.forget_loaded(principal.tenant)
        panels = await self._ask(found, 0.0 if refresh else REUSE_S)
        await self._summarise(found, panels)
        return [panel.to_json() for panel in panels]

    async def _ask(self, found: Around, reuse_s: float) -> list[Panel]:
        tenant, conversation = found.conversation.tenant, found.conversation.id
        customer = customer_record(found.customer) if found.customer is not None else None
        gathering = self._host.gather(
            HOOK,
            tenant,
            on_late=partial(self._take_late, tenant, conversation),
            conversation=conversation_record(found.conversation),
            customer=customer,
        )
        recent = self._recent.get((tenant, conversation))
        # An adapter that came or went since then is no longer what was remembered.
        if (
            recent is not None
            and self._clock.monotonic() - recent[0] < reuse_s
            and {panel.instance for panel in recent[1]} == set(gathering.instances)
        ):
            return recent[1]
        panels = [self._take(tenant, conversation, answer) async for answer in gathering]
        places = {name: place for place, name in enumerate(gathering.instances)}
        panels.sort(key=lambda panel: places[panel.instance])
        self._remember(tenant, conversation, panels)
        return panels

    def _take_late(self, tenant: str, conversation: str, answer: Answer) -> None:
        self._take(tenant, conversation, answer)

    def _take(self, tenant: str, conversation: str, answer: Answer) -> Panel:
        """Make a panel of *answer*, keep it if it is good, and push it."""
        running = self._host.instance(answer.instance)
        kept = self._kept.get(tenant, conversation, answer.instance)
        panel = panel_of(running, answer, kept, self._clock.now())
        if panel.state in ("ok", "empty"):
            fresh = Kept(panel.cards, panel.at)
            self._kept.put(tenant, conversation, answer.instance, fresh)
        self._replace_recent(tenant, conversation, panel)
        self._push(tenant, conversation, panel.to_json())
        return panel

    def _forget_erased(self, tenant: str, events: Sequence[Event], _after: int) -> None:
        """Drop the cards of conversations that were erased, by whatever process."""
        for event in events:
            if event.kind == ERASED and event.conversation is not None:
                self._kept.forget(tenant, event.conversation)
                self._recent.pop((tenant, event.conversation), None)

    def _remember(self, tenant: str, conversation: str, panels: list[Panel]) -> None:
        # Failures are not worth remembering: the next look may find the system back.
        if all(panel.state in ("ok", "empty") for panel in panels):
            key = (tenant, conversation)
            self._recent[key] = (self._clock.monotonic(), panels)
            self._recent.move_to_end(key)
            if len(self._recent) > RECENT_MAX:
                self._recent.popitem(last=False)

    def _replace_recent(self, tenant: str, conversation: str, panel: Panel) -> None:
        recent = self._recent.get((tenant, conversation))
        if recent is None:
            return
        for place, one in enumerate(recent[1]):
            if one.instance == panel.instance:
                recent[1][place] = panel

    async def _summarise(self, found: Around, panels: Sequence[Panel]) -> None:
        """Keep one line for the lists, when it changed."""
        state, line = found.conversation, summary_line(panels)
        if line and line != state.summary:
            await self._store.transact(state.tenant, lambda tx: tx.set_summary(state.id, line))
