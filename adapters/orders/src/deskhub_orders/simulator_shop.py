"""The simulated shop's own website: its pages, its catalogue and the visitor's identity."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from deskhub_orders.simulator_records import ShopRecords
from deskhub_sdk.testing import World, refuse

SITE = Path(__file__).with_name("simulator_site")
IDENTITY_LIFE = timedelta(minutes=10)
WANG_FANG = "C-1001"
PUBLIC = ("/", "/assets/*", "/session", "/catalogue", "/orders/mine")


@dataclass(frozen=True, slots=True)
class Snippet:
    """What the shop's pages need for the chat: where the hub is, which inbox, its secret."""

    hub: str
    inbox: str
    key: str
    secret: str


class Storefront:
    """Serves the shop's pages; *records* and *world* are asked anew, as both can be reset."""

    def __init__(
        self,
        snippet: Snippet,
        records: Callable[[], ShopRecords],
        world: Callable[[], World],
        site: Path = SITE,
    ) -> None:
        """Serve the files in *site*."""
        self._snippet = snippet
        self._records = records
        self._world = world
        self._site = site

    def routes(self, app: web.Application) -> None:
        """Add the website's addresses."""
        app.add_routes(
            [
                web.get("/", self.page),
                web.get("/session", self.session),
                web.get("/catalogue", self.catalogue),
                web.get("/orders/mine", self.mine),
            ]
        )
        assets = self._site / "assets"
        if assets.is_dir():
            app.router.add_static("/assets", assets)

    async def page(self, _: web.Request) -> web.StreamResponse:
        """Serve the shop's front page."""
        file = self._site / "index.html"
        if not file.is_file():
            refuse(404, "no_site", "this build of the simulator has no storefront")
        return web.FileResponse(file)

    async def session(self, request: web.Request) -> web.Response:
        """Sign in as ``?customer=`` (default Wang Fang) and say what the chat needs."""
        number = request.query.get("customer", WANG_FANG)
        person = self._world().people.get(number)
        if person is None:
            refuse(404, "not_found", f"no customer {number}")
        now = datetime.now(UTC)
        claims = {
            "aud": f"deskhub:{self._snippet.inbox}",
            "sub": person.number,
            "name": person.name,
            "email": person.email,
            "phone": person.phone,
            "language": person.language,
            "iat": int(now.timestamp()),
            "exp": int((now + IDENTITY_LIFE).timestamp()),
        }
        return web.json_response(
            {
                "customer": {
                    "number": person.number,
                    "name": person.name,
                    "email": person.email,
                    "language": person.language,
                    "city": person.city,
                },
                "identity": signed(claims, self._snippet.secret),
                "hub": self._snippet.hub,
                "inbox": self._snippet.key,
            }
        )

    async def catalogue(self, _: web.Request) -> web.Response:
        """Answer every model with its price and variants, and the people one can sign in as."""
        models: dict[str, dict[str, Any]] = {}
        world = self._world()
        for item in world.items.values():
            model = models.setdefault(
                item.model,
                {
                    "name": item.model,
                    "category": item.category,
                    "price": {"money": item.price.amount, "currency": item.price.currency},
                    "final_sale": item.final_sale,
                    "variants": [],
                },
            )
            model["variants"].append(
                {"product": item.id, "sku": item.sku, "name": item.variant}
            )
        customers = [{"number": p.number, "name": p.name} for p in world.people.values()]
        return web.json_response({"models": list(models.values()), "customers": customers})

    async def mine(self, request: web.Request) -> web.Response:
        """Answer the orders of ``?customer=`` (default Wang Fang), newest first."""
        number = request.query.get("customer", WANG_FANG)
        return web.json_response({"orders": self._records().of_customer(number)})


def signed(claims: Mapping[str, object], secret: str) -> str:
    """Return *claims* as a JWT signed with HS256."""
    head = _part({"alg": "HS256", "typ": "JWT"})
    body = _part(claims)
    mac = hmac.new(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{_url(mac)}"


def _part(value: Mapping[str, object]) -> str:
    return _url(json.dumps(value, separators=(",", ":")).encode())


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
