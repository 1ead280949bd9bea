"""Browsers come in: anonymous, with their token, or vouched for by the shop."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from deskhub.chat.commands import OpenConversation
from deskhub.errors import Unauthenticated
from deskhub.identity.records import Claim
from deskhub.identity.tokens import digest, sign_identity
from tests.edge.conftest import SECRETS, SHOP, World


async def arrive(world: World, **body: object) -> dict:
    answer = await (await world.client()).post("/api/v1/visitors", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def says(world: World, arrival: dict, text: str) -> str:
    principal = await world.hub.identity.authenticate(arrival["token"])
    (inbox,) = principal.inboxes or ()
    receipt = await world.hub.chat.do(principal, OpenConversation(inbox, text), cid="first")
    return receipt.conversation


async def test_an_anonymous_browser_gets_a_token_and_the_inbox_settings(world: World) -> None:
    await world.agent(name="Chen Hao")

    arrival = await arrive(world, inbox="key-web")

    assert arrival["visitor"].startswith("v_")
    assert len(arrival["token"]) >= 40
    assert arrival["conversation"] is None
    assert arrival["customer"] is None
    assert arrival["settings"] == {
        "inbox": "key-web", "name": "Web", "languages": ["en", "zh-CN"], "greeting": "Hello!",
        "team": [{"name": "Chen Hao"}], "accent": "#1d5c48", "mail": False,
        "rating": True, "push": False,
        "page": "/c/key-web",
        "away": True,
        "opens_at": None,
        "prechat": None,
    }  # fmt: skip


async def test_the_greeting_is_in_the_readers_language(world: World) -> None:
    client = await world.client(**{"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"})

    answer = await client.post("/api/v1/visitors", json={"inbox": "key-web"})

    assert answer.json()["settings"]["greeting"] == "你好！"


async def test_a_browser_that_returns_with_its_token_is_the_same_visitor(world: World) -> None:
    first = await arrive(world, inbox="key-web")
    conversation = await says(world, first, "Hello")

    second = await arrive(world, inbox="key-web", token=first["token"])

    assert second["visitor"] == first["visitor"]
    assert second["conversation"] == conversation


@pytest.mark.parametrize("token", ["dhv_" + "x" * 43, "nonsense", "dhr_" + "y" * 43])
async def test_a_token_that_is_not_ours_starts_a_new_visitor(world: World, token: str) -> None:
    first = await arrive(world, inbox="key-web")

    second = await arrive(world, inbox="key-web", token=token)

    assert second["visitor"] != first["visitor"]
    assert second["token"] != token


async def test_a_token_of_another_inbox_starts_a_new_visitor(world: World) -> None:
    first = await arrive(world, inbox="key-web")

    second = await arrive(world, inbox="key-second", token=first["token"])

    assert second["visitor"] != first["visitor"]


async def test_tokens_are_stored_as_hashes_only(world: World, tmp_path) -> None:
    arrival = await arrive(world, inbox="key-web")
    await world.agent()

    everything = b"".join(file.read_bytes() for file in tmp_path.glob("hub.db*"))

    assert arrival["visitor"].encode() in everything
    assert arrival["token"].encode() not in everything


async def test_a_person_on_another_device_continues_the_same_conversation(
    world: World,
) -> None:
    first = await arrive(world, inbox="key-web", identity=world.identity("C-1", name="Fang"))
    conversation = await says(world, first, "Where is my order?")

    second = await arrive(world, inbox="key-web", identity=world.identity("C-1"))

    assert second["conversation"] == conversation
    assert second["visitor"] == first["visitor"]
    assert second["token"] != first["token"]
    assert (await world.hub.identity.visitors.by_token(first["token"])).id == first["visitor"]


async def test_a_person_has_at_most_ten_devices_at_a_time(world: World) -> None:
    arrivals = [
        await arrive(world, inbox="key-web", identity=world.identity("C-1")) for _ in range(11)
    ]

    accounts = world.hub.identity.visitors._store
    found = [await accounts.visitor_by_digest(digest(one["token"])) for one in arrivals]

    assert sum(one is not None for one in found) == 10
    assert found[-1] is not None


async def test_an_anonymous_conversation_joins_the_person_with_the_old_token(
    world: World,
) -> None:
    before = await arrive(world, inbox="key-web")
    conversation = await says(world, before, "Where is my order?")

    after = await arrive(
        world,
        inbox="key-web",
        token=before["token"],
        identity=world.identity("C-1", name="Fang"),
    )

    assert after["visitor"] == before["visitor"]
    assert after["conversation"] == conversation
    assert after["token"] != before["token"]
    with pytest.raises(Unauthenticated):
        await world.hub.identity.authenticate(before["token"])
    agent = await world.client(await world.agent())
    visitor = await world.hub.identity.visitors.by_token(after["token"])
    found = await agent.get(f"/api/v1/customers/{visitor.customer}")
    assert [one["id"] for one in found.json()["conversations"]] == [conversation]


async def test_an_identity_without_the_old_token_does_not_get_the_conversation(
    world: World,
) -> None:
    before = await arrive(world, inbox="key-web")
    await says(world, before, "Where is my order?")

    after = await arrive(world, inbox="key-web", identity=world.identity("C-1"))

    assert after["visitor"] != before["visitor"]
    assert after["conversation"] is None


async def test_another_person_at_the_same_browser_starts_anew(world: World) -> None:
    fang = await arrive(world, inbox="key-web", identity=world.identity("C-1"))
    await says(world, fang, "My secret")

    ming = await arrive(
        world, inbox="key-web", token=fang["token"], identity=world.identity("C-2")
    )

    assert ming["visitor"] != fang["visitor"]
    assert ming["conversation"] is None


async def test_the_same_person_at_the_same_browser_continues(world: World) -> None:
    first = await arrive(world, inbox="key-web", identity=world.identity("C-1"))
    conversation = await says(world, first, "Hello")

    again = await arrive(
        world, inbox="key-web", token=first["token"], identity=world.identity("C-1")
    )

    assert again["visitor"] == first["visitor"]
    assert again["conversation"] == conversation


async def test_the_same_number_in_two_tenants_is_two_people(world: World) -> None:
    mine = await arrive(world, inbox="key-web", identity=world.identity("C-1"))
    theirs = await arrive(world, inbox="key-other", identity=world.identity("C-1", "other"))
    one = await world.hub.identity.visitors.by_token(mine["token"])
    two = await world.hub.identity.visitors.by_token(theirs["token"])

    assert one.tenant != two.tenant
    assert one.customer != two.customer


def forged(world: World) -> dict[str, str]:
    """Return identity tokens that must all be refused, by what is wrong with them."""
    now = world.hub.clock.now()
    claim = Claim(subject="C-1")
    good = sign_identity(SECRETS["web"], "web", claim, now)
    header, payload, signature = good.split(".")

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    def signed(secret: str = SECRETS["web"], algorithm: str = "HS256", **change: object) -> str:
        claims = {
            "sub": "C-1", "aud": "deskhub:web", "exp": now + timedelta(seconds=300), **change,
        }  # fmt: skip
        kept = {key: value for key, value in claims.items() if value is not None}
        return jwt.encode(kept, secret, algorithm=algorithm)

    return {
        "other secret": sign_identity("x" * 40, "web", claim, now),
        "other inbox": sign_identity(SECRETS["second"], "second", claim, now),
        "other audience": signed(aud="deskhub:second"),
        "audience list": signed(aud=["deskhub:web", "deskhub:second"]),
        "expired": signed(exp=now - timedelta(seconds=60)),
        "lives too long": signed(exp=now + timedelta(hours=1)),
        "not yet": signed(nbf=now + timedelta(seconds=120)),
        "no exp": signed(exp=None),
        "no sub": signed(sub=None),
        "no aud": signed(aud=None),
        "empty sub": signed(sub=""),
        "number sub": signed(sub=7),
        "list name": signed(name=["a"]),
        "alg none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "alg none, old signature": f"{part({'alg': 'none'})}.{payload}.{signature}",
        "alg HS512": signed(algorithm="HS512"),
        "alg RS256": f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{payload}.{signature}",
        "changed payload": f"{header}.{part({'sub': 'C-2'})}.{signature}",
        "kid path": f"{part({'alg': 'HS256', 'kid': '../../dev/null'})}.{payload}.{signature}",
        "key in header": f"{part({'alg': 'HS256', 'jwk': {'kty': 'oct'}})}.{payload}.x",
        "garbage": "a.b.c",
        "not a token": "hello",
        "huge": "a" * 4096,
    }


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_a_forged_identity_is_refused_and_stores_nothing(world: World) -> None:
    client = await world.client()

    codes = {}
    for name, token in forged(world).items():
        answer = await client.post(
            "/api/v1/visitors", json={"inbox": "key-web", "identity": token}
        )
        codes[name] = (answer.status_code, answer.json()["code"])

    assert set(codes.values()) == {(401, "identity_refused")}, codes


async def test_a_token_that_brings_its_own_public_key_is_refused(world: World) -> None:
    """Asymmetric and properly signed, but by whoever sent it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    claims = {
        "sub": "C-1",
        "aud": "deskhub:web",
        "exp": world.hub.clock.now() + timedelta(seconds=60),
    }
    own = jwt.encode(
        claims, key, algorithm="RS256", headers={"jwk": public, "jku": "https://x"}
    )

    answer = await (await world.client()).post(
        "/api/v1/visitors", json={"inbox": "key-web", "identity": own}
    )

    assert (answer.status_code, answer.json()["code"]) == (401, "identity_refused")


async def test_an_unknown_inbox_is_a_404(world: World) -> None:
    answer = await (await world.client()).post("/api/v1/visitors", json={"inbox": "nope"})

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_inbox")


async def test_only_the_inboxs_own_origins_may_open_its_chat(world: World) -> None:
    body = {"inbox": "key-web"}

    ours = await (await world.client(origin=SHOP)).post("/api/v1/visitors", json=body)
    foreign = await (await world.client(origin="https://second.example")).post(
        "/api/v1/visitors", json=body
    )
    own = await (await world.client(origin="http://127.0.0.1:8700")).post(
        "/api/v1/visitors", json=body
    )

    assert ours.status_code == 200
    assert own.status_code == 200
    assert (foreign.status_code, foreign.json()["code"]) == (403, "DH801")


async def test_a_visitor_token_works_only_from_its_inboxs_pages(world: World) -> None:
    token = (await arrive(world, inbox="key-web"))["token"]

    here = await (await world.client(token, origin=SHOP)).get("/api/v1/snapshot")
    there = await (await world.client(token, origin="https://rival.example")).get(
        "/api/v1/snapshot"
    )

    assert here.status_code == 200
    assert (there.status_code, there.json()["code"]) == (403, "DH801")
