"""Gives conversations to agents: the least busy within capacity, then the longest idle."""

from __future__ import annotations

from collections.abc import Sequence

from deskhub_sdk import (
    Adapter,
    AdapterError,
    Config,
    Conversation,
    ConversationId,
    Customer,
    Meta,
    Permissions,
    Rejected,
    Seat,
    hookimpl,
)


class RoutingConfig(Config):
    """Routing has no settings: inboxes and capacities belong to agents."""


class Routing(Adapter[RoutingConfig]):
    """Assigns what is opened, and what waits as soon as somebody has room.

    It remembers nothing: who waits is asked of the hub each time, so that a restart or a
    second process changes nothing. Two that choose at once cannot both win: the hub takes a
    routed assignment only while nobody holds the conversation.
    """

    meta = Meta(
        id="routing",
        name="Routing",
        sdk=">=1.0,<2",
        summary="Gives each conversation to the least busy agent who is there.",
        permissions=Permissions(reads=("agents",), writes=("assign",)),
    )
    config_model = RoutingConfig

    @hookimpl
    async def conversation_opened(self, conversation: Conversation) -> None:
        """Give a new conversation away, behind those that already wait."""
        if conversation.state == "open" and conversation.assignee is None:
            await self._fill(conversation.inbox)

    @hookimpl
    async def conversation_closed(
        self, conversation: Conversation, customer: Customer | None
    ) -> None:
        """Give the place that became free to who waits longest."""
        del customer
        await self._fill(conversation.inbox)

    @hookimpl
    async def agent_available(self, inbox: str) -> None:
        """Give waiting conversations to whoever has room now."""
        await self._fill(inbox)

    async def _fill(self, inbox: str) -> None:
        """Hand out what waits until nothing waits or nobody has room."""
        waiting = await self.ctx.seats.waiting(inbox)
        if not waiting:
            return
        seats = {seat.agent: seat for seat in await self.ctx.seats.online(inbox)}
        for conversation in waiting:
            chosen = pick_seat(list(seats.values()))
            if chosen is None:
                return
            if await self._assign(conversation, chosen):
                seats[chosen.agent] = Seat(
                    agent=chosen.agent,
                    load=chosen.load + 1,
                    capacity=chosen.capacity,
                    idle_since=self.ctx.clock.now(),
                )

    async def _assign(self, conversation: ConversationId, seat: Seat) -> bool:
        """Assign, unless somebody else just did; return whether it was this."""
        # The moment is part of the id: a conversation may come back to the same agent later.
        stamp = int(self.ctx.clock.now().timestamp() * 1000)
        cid = f"route-{conversation[-30:]}-{stamp}"[:64]
        try:
            await self.ctx.conversations.assign(conversation, seat.agent, cid=cid)
        except Rejected:
            return False
        except AdapterError as error:
            self.ctx.log.warning("routing_failed", extra={"code": error.code})
            raise
        return True


def pick_seat(seats: Sequence[Seat]) -> Seat | None:
    """Return the least busy seat with room, of equals the longest idle, or None."""
    free = [seat for seat in seats if seat.load < seat.capacity]
    return min(free, key=lambda seat: (seat.load, seat.idle_since, seat.agent), default=None)
