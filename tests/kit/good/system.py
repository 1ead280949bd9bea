"""The system behind the good adapter: the fake one with notes and signed webhooks."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

from aiohttp import web

from deskhub_sdk.testing import Answer, Hook, body_of
from deskhub_sdk.testing.fake import Fake

SECRET = "signed-with-this-canary"


class System(Fake):
    name = "good"

    def reset(self):
        super().reset()
        self.notes = {}
        self.sent = 0

    def dump(self):
        return {"notes": self.notes}

    def settings(self):
        return {**super().settings(), "webhook_secret": SECRET}

    def routes(self, app):
        app.router.add_post("/notes", self.note)
        app.router.add_get("/notes", self.show)
        app.router.add_post("/notes/undo", self.undo)
        app.router.add_post("/_sim/push", self.push)
        super().routes(app)

    def trigger(self):
        return "/_sim/push", {}

    async def note(self, request):
        key = (await body_of(request))["key"]

        def work():
            self.notes[key] = {"id": key}
            self.count("note", key)
            return Answer(201, {"id": key})

        return self.once(request, key, work)

    async def show(self, request):
        return web.json_response(self.notes)

    async def undo(self, request):
        self.notes.pop((await body_of(request))["key"], None)
        return web.json_response({})

    async def push(self, request):
        self.sent += 1
        told = {"id": f"e{self.sent}", "v": self.sent, "at": datetime.now(UTC).isoformat()}
        body = json.dumps(told).encode()
        sign = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        await self.send(Hook("order", "", body, {"X-Signature": sign}))
        return web.json_response({})
