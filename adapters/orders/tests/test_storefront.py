"""The simulated shop's website: sign-in for the chat, catalogue, own orders."""

from __future__ import annotations

import aiohttp
import jwt

from deskhub_orders.simulator import ShopSimulator


async def get(url: str):
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json()


async def test_the_shop_signs_who_its_visitor_is():
    shop = ShopSimulator(
        token="t", hub="http://127.0.0.1:8700", inbox="shop", inbox_key="pub_1",
        identity_secret="s" * 40,
    )  # fmt: skip
    async with shop.serving():
        _, told = await get(f"{shop.url}/session?customer=C-1001")

    claims = jwt.decode(
        told["identity"], "s" * 40, algorithms=["HS256"], audience="deskhub:shop"
    )
    assert (claims["sub"], claims["name"]) == ("C-1001", "Wang Fang 王芳")
    assert claims["exp"] - claims["iat"] == 600
    assert (told["hub"], told["inbox"]) == ("http://127.0.0.1:8700", "pub_1")


async def test_the_catalogue_and_own_orders_need_no_token(given):
    _, catalogue = await get(f"{given.shop.url}/catalogue")
    _, mine = await get(f"{given.shop.url}/orders/mine?customer=C-1001")

    assert len(catalogue["models"]) == 60
    assert catalogue["models"][0]["name"] == "Trail Shoe"
    assert mine["orders"][0]["number"] == "1042"


async def test_the_interface_needs_a_token(given):
    status, _ = await get(f"{given.shop.url}/api/orders?ids=1042")

    assert status == 401


async def test_an_unknown_customer_cannot_sign_in(given):
    status, _ = await get(f"{given.shop.url}/session?customer=C-9999")

    assert status == 404
