"""An adapter that keeps every rule; the bad ones each spoil one thing of it."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from pydantic import Field, SecretStr

from deskhub_sdk import (
    Adapter,
    Change,
    Config,
    Forged,
    Health,
    Malformed,
    Meta,
    Order,
    OrderId,
    Permissions,
    Preview,
    Signal,
    Step,
    WebhookRequest,
    capability,
    hookimpl,
    step,
)
from deskhub_sdk.cards import Card, TextBlock

TEXTS = {"en": {"orders": "{count} orders"}, "zh-CN": {"orders": "{count} 个订单"}}


class GoodConfig(Config):
    base_url: str = Field(description="The system's address.")
    token: SecretStr = Field(description="What it lets us in with.")
    webhook_secret: SecretStr = Field(description="What it signs with.")


@step(
    "order.return@1", provides="noted", needs=("authorized",), kind="compensable",
    dedupe="key", system="Good",
)  # fmt: skip
class Note(Step):
    async def preview(self, call):
        return Preview(title="Note", changes=(Change("Note", None, "made"),), fingerprint="1")

    async def run(self, call):
        return await self.adapter.send("POST", "/notes", call.key)

    async def lookup(self, call):
        found = await self.adapter.read("/notes", [call.key])
        return found.get(call.key)

    async def undo(self, call, fact):
        await self.adapter.send("POST", "/notes/undo", call.key)


class Good(Adapter[GoodConfig]):
    """Orders, one step, one webhook."""

    meta = Meta(
        id="good", name="Good", sdk=">=1.0,<2", texts=TEXTS,
        permissions=Permissions(net=("{config.base_url}",)),
    )  # fmt: skip
    config_model = GoodConfig
    steps = (Note,)

    async def send(self, method: str, path: str, key: str) -> Any:
        token = self.config.token.get_secret_value()
        answer = await self.ctx.http.request(
            method, self.config.base_url + path, json={"key": key}, repeatable=True,
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
        )  # fmt: skip
        return answer.json()

    async def read(self, path: str, ids: Sequence[str] = (), kind: Any = dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.config.token.get_secret_value()}"}
        answer = await self.ctx.http.request(
            "GET", self.config.base_url + path, params={"ids": ",".join(ids)}, headers=headers
        )
        try:
            return msgspec.convert(answer.json(), kind)
        except msgspec.ValidationError as error:
            raise Malformed(str(error)) from error

    async def check_connection(self) -> Health:
        await self.read("/account")
        return await super().check_connection()

    @capability("orders@1")
    async def get_orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, Order]:
        found = await self.ctx.loader(self.read_orders).load_many(ids)
        return {key: value for key, value in found.items() if value is not None}

    async def read_orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, Order]:
        return await self.read("/orders", ids, dict[OrderId, Order])

    @capability("orders@1")
    async def orders_of(self, subjects: Sequence[str]) -> Mapping[str, Sequence[OrderId]]:
        found = await self.ctx.loader(self.read_of).load_many(subjects)
        return {key: value[:50] for key, value in found.items() if value is not None}

    async def read_of(self, ids: Sequence[str]) -> Mapping[str, Sequence[OrderId]]:
        return await self.read("/orders/of", ids, dict[str, list[OrderId]])

    @hookimpl
    async def conversation_cards(self, customer) -> Sequence[Card]:
        ids = (await self.orders_of([customer.subject])).get(customer.subject, ())
        return (Card(id="orders", title="Orders", blocks=(TextBlock(str(len(ids))),)),)

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        secret = self.config.webhook_secret.get_secret_value()
        good = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(good, request.headers.get("x-signature", "")):
            raise Forged("the signature does not hold")
        told = msgspec.json.decode(request.body)
        at = datetime.fromisoformat(told["at"])
        if abs(request.received_at - at) > timedelta(minutes=5):
            raise Forged("it was not sent just now")
        return (
            Signal(kind="order", dedupe=told["id"], object="o:1", version=told["v"], at=at),
        )

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        return {"loads": self.ctx.loader(self.read_orders).stats.loads}
