"""The demo company's identity provider as a process: `python -m deskhub_sso.simulator`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import Any

from aiohttp import web

from deskhub_sdk.testing import Simulator, body_of, refuse
from deskhub_sso.simulator_people import PEOPLE, person
from deskhub_sso.simulator_provider import Provider

CLIENT_ID = "deskhub"
CLIENT_SECRET = "demo-client-secret"  # noqa: S105  known to everybody, as its name says


class SsoSimulator(Simulator):
    """An OpenID Connect provider with the demo's four colleagues and no passwords.

    ``POST /_sim/auto {"person"}`` signs that person in without the page (null: ask again),
    ``POST /_sim/rotate {"keep", "publish"}`` signs with a new key from now on.
    """

    name = "sso"
    # Clients and people prove themselves in the protocol, not by an API token.
    public = ("/",)

    def __init__(
        self,
        *,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        redirect_uris: tuple[str, ...] = (),
        **common: Any,  # noqa: ANN401  what every simulator takes
    ) -> None:
        """Know one client; without *redirect_uris* it may return to any loopback address."""
        self.provider = Provider(
            address=lambda: self.url,
            count=self.count,
            client_id=client_id,
            client_secret=client_secret,
            redirect_uris=redirect_uris,
        )
        super().__init__(**common)

    @classmethod
    def guarded(cls, secret: str) -> SsoSimulator:
        """Return a provider whose client has *secret*; browsers need none."""
        return cls(client_secret=secret)

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to know of this provider."""
        return {
            "issuer": self.url,
            "client_id": self.provider.client_id,
            "client_secret": self.provider.client_secret,
        }

    def reset(self) -> None:
        """Forget codes and tokens, and sign with a new key."""
        self.provider.forget()

    def routes(self, app: web.Application) -> None:
        """Add the provider's addresses and two control verbs."""
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self.provider.discovery),
                web.get("/authorize", self.provider.authorize),
                web.post("/sign-in", self.provider.sign_in),
                web.post("/token", self.provider.token),
                web.get("/jwks", self.provider.jwks),
                web.get("/userinfo", self.provider.userinfo),
                web.get("/end-session", self.provider.end_session),
                web.post("/_sim/auto", self.set_auto),
                web.post("/_sim/rotate", self.rotate),
            ]
        )

    def dump(self) -> dict[str, Any]:
        """Return who can sign in and which keys are published; no private key."""
        return {
            "people": [asdict(one) for one in PEOPLE],
            "keys": [key.kid for key in self.provider.keys],
            "auto": self.provider.auto.email if self.provider.auto else None,
        }

    async def set_auto(self, request: web.Request) -> web.Response:
        """Sign the named person in without asking, or ask again for null."""
        wanted = (await body_of(request)).get("person")
        found = person(str(wanted)) if wanted else None
        if wanted and found is None:
            refuse(404, "unknown_person", f"nobody is called {wanted}")
        self.provider.auto = found
        return web.json_response({"auto": found.email if found else None})

    async def rotate(self, request: web.Request) -> web.Response:
        """Sign with a new key; ``keep`` publishes the old one too, ``publish`` the new one."""
        given = await body_of(request)
        keep, publish = bool(given.get("keep", False)), bool(given.get("publish", True))
        return web.json_response({"kid": self.provider.rotate(keep=keep, publish=publish)})

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Take the client's credentials and where it may return to."""
        parser.add_argument("--hub", help="the hub's address (unused: it comes by itself)")
        parser.add_argument("--instance", default=cls.name, help="this instance's name there")
        parser.add_argument("--client-id", default=CLIENT_ID)
        parser.add_argument("--client-secret", default=CLIENT_SECRET)
        parser.add_argument("--redirect-uri", action="append", default=[])

    @classmethod
    def made(cls, options: Namespace) -> SsoSimulator:
        """Build the provider from its command line."""
        return cls(
            client_id=options.client_id,
            client_secret=options.client_secret,
            redirect_uris=tuple(options.redirect_uri),
            **cls.common(options),
        )


if __name__ == "__main__":
    sys.exit(SsoSimulator.main())
