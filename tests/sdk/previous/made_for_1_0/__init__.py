"""An adapter as it was written and built for SDK 1.0. It is not to be changed.

It is what an integrator has on the shelf: its code and its manifest stay as they are, and
every later hub of this major version has to run them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from deskhub_sdk import (
    Adapter,
    Config,
    Context,
    Conversation,
    Health,
    Meta,
    Order,
    OrderId,
    Permissions,
    SuggestedReply,
    capability,
    hookimpl,
)
from deskhub_sdk.cards import Card, TextBlock


class ShelfConfig(Config):
    """Settings of the time."""

    base_url: str = "https://shop.example"
    token: SecretStr = SecretStr("none")


class Shelf(Adapter[ShelfConfig]):
    """Answers a bit of everything."""

    meta = Meta(
        id="shelf", name="Shelf", sdk=">=1.0,<2", summary="As it was built for SDK 1.0.",
        permissions=Permissions(net=("{config.base_url}",), reads=("customer.email",)),
    )  # fmt: skip
    config_model = ShelfConfig

    async def start(self, ctx: Context) -> None:
        """Keep what the hub gives."""
        await super().start(ctx)
        await ctx.kv.put("started", b"yes")

    async def check_connection(self) -> Health:
        """Always well."""
        return Health(ok=True, text="", checked_at=self.ctx.clock.now())

    @hookimpl
    async def conversation_cards(self, conversation: Conversation) -> Sequence[Card]:
        """Show one card."""
        return [Card(id="one", title="One", blocks=(TextBlock(conversation.id),))]

    @hookimpl
    async def suggest_replies(self, draft: str, limit: int) -> Sequence[SuggestedReply]:
        """Suggest one text."""
        return [SuggestedReply(text=f"{draft}!")][:limit]

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Tell what the hub gave."""
        kept = await self.ctx.kv.get("started")
        return {"kept": (kept or b"").decode(), "token": bool(self.ctx.secret("token"))}

    @capability("orders@1")
    async def get_orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, Order]:
        """Know none."""
        return {}
