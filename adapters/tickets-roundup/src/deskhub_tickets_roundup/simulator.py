"""A small Roundup as a process, with the habits measured on 2.6: `python -m ….simulator`.

Ids with commas between them find nothing. One unknown keyword name fails a search. A relative
time is ignored and everything comes. A write needs an origin that is its own, a change needs
its entity tag. A post-once token is spent by whoever sends it first, refused cases included.
Messages without an author open no case. A new message brings a case back to "chatting".
"""

from __future__ import annotations

import base64
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import md5
from hmac import compare_digest
from secrets import token_urlsafe
from time import monotonic
from typing import Any, ClassVar

from aiohttp import web

from deskhub_sdk.testing.simulator import Handler, Simulator, body_of

Record = dict[str, Any]
USER = "deskhub"
STATUSES = (
    "unread", "deferred", "chatting", "need-eg", "in-progress", "testing", "done-cbb",
    "resolved",
)  # fmt: skip
PRIORITIES = ("critical", "urgent", "bug", "feature", "wish")
BY_WORLD = {
    "open": "unread",
    "in_progress": "in-progress",
    "waiting": "need-eg",
    "done": "resolved",
}
PREFIX = "customer:"


class Roundup(Simulator):
    """Roundup's REST interface over the demo world's cases.

    ``POST /_sim/update {"issue", "status", "message"}`` is a colleague at work. At most
    *calls_a_minute* are answered, as with Roundup's own limit; None is no limit.
    """

    name: ClassVar[str] = "tickets_roundup"
    # Names and passwords come as Basic, which `_checked` looks at.
    public: ClassVar[tuple[str, ...]] = ("/*",)

    def __init__(self, *, calls_a_minute: int | None = None, **common: Any) -> None:  # noqa: ANN401
        """Begin with the world's cases."""
        self.calls_a_minute = calls_a_minute
        self._answered: deque[float] = deque()
        super().__init__(**common)

    def reset(self) -> None:
        """Take the demo world's cases; nobody wrote yet."""
        self.tokens: dict[str, str] = {}
        self.kinds: dict[str, dict[str, Record]] = {
            name: {} for name in ("status", "priority", "keyword", "user", "msg", "issue")
        }
        for name in STATUSES:
            self.add("status", name=name)
        for name in PRIORITIES:
            self.add("priority", name=name)
        self.add("user", username=USER, realname=None)
        for case in self.world.cases.values():
            self.add(
                "issue", title=case.title, status=self.id_of("status", BY_WORLD[case.status]),
                priority="3", messages=[], activity=case.updated_at,
                keyword=[self._keyword(PREFIX + case.customer)],
                assignedto=self._user(case.assignee) if case.assignee else None,
            )  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this system."""
        return {"base_url": self.url, "user": USER, "password": self.token or ""}

    def dump(self) -> dict[str, Any]:
        """Return the cases and what hangs on them."""
        return {
            kind: [
                {**one, "activity": one["activity"].isoformat()} if "activity" in one else one
                for one in self.kinds[kind].values()
            ]
            for kind in ("issue", "msg", "keyword")
        }

    def routes(self, app: web.Application) -> None:
        """Add Roundup's addresses and the control verb."""
        app.middlewares.append(self._checked)
        data = "/rest/data"
        app.add_routes([
            web.get(f"{data}/issue", self._issues),
            web.get(f"{data}/{{kind:status|priority|keyword|msg|user}}", self._list),
            web.get(f"{data}/{{kind:keyword|user|issue}}/{{name}}", self._show),
            web.post(f"{data}/issue/@poe", self._token),
            web.post(f"{data}/issue/@poe/{{token}}", self._post_once),
            web.post(f"{data}/{{kind:keyword|msg|issue}}", self._post),
            web.patch(f"{data}/issue/{{name}}", self._patch),
            web.post("/_sim/update", self._update),
        ])  # fmt: skip

    def add(self, kind: str, **values: Any) -> Record:  # noqa: ANN401
        """Keep a new record and return it."""
        kept = self.kinds[kind]
        record: Record = {"id": str(len(kept) + 1), **values}
        kept[record["id"]] = record
        return record

    def id_of(self, kind: str, name: str) -> str:
        """Return the id of a record by its key, or nothing."""
        key = "username" if kind == "user" else "name"
        return next((one["id"] for one in self.kinds[kind].values() if one[key] == name), "")

    @web.middleware
    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Ask for name, password and origin, and count calls."""
        if request.path.startswith("/_sim/"):
            return await handler(request)
        shown = f"{USER}:{self.token}".encode()
        wanted = f"Basic {base64.b64encode(shown).decode()}"
        given = request.headers.get("Authorization", "")
        if self.token is not None and not compare_digest(given.encode(), wanted.encode()):
            return web.Response(text="Invalid Login - Invalid login", status=401)
        if request.method != "GET" and request.headers.get("Origin") != self.url:
            return _refused(400, "Client is not allowed to use Rest Interface.")
        if (wait_s := self._wait_s()) is not None:
            limit = {"Retry-After": str(wait_s), "X-RateLimit-Remaining": "0"}
            text = f"Api rate limits exceeded. Please wait: {wait_s} seconds."
            return _refused(429, text, limit)
        return await handler(request)

    def _wait_s(self) -> int | None:
        if self.calls_a_minute is None:
            return None
        now = monotonic()
        while self._answered and now - self._answered[0] > 60:
            self._answered.popleft()
        if len(self._answered) >= self.calls_a_minute:
            return max(1, int(60 - (now - self._answered[0])))
        self._answered.append(now)
        return None

    async def _issues(self, request: web.Request) -> web.Response:
        found = list(self.kinds["issue"].values())
        query = request.query
        for name in ("id", "status"):
            if name in query:
                wanted = set(query.getall(name))
                found = [one for one in found if one[name] in wanted]
        for name, kind in (("keyword", "keyword"), ("messages", "")):
            if name in query:
                asked = query.getall(name)
                if kind and (bad := [one for one in asked if not one.isdigit()]):
                    unknown = [one for one in bad if not self.id_of(kind, one)]
                    if unknown:
                        text = f'\'No key (name) value "{unknown[0]}" for "{kind}"\''
                        return _refused(400, text)
                found = [one for one in found if set(one[name]) & set(asked)]
        if "activity" in query and (since := _absolute(query["activity"])) is not None:
            found = [one for one in found if _second(one["activity"]) >= since]
        if query.get("@sort", "").startswith("-activity"):
            found.sort(key=lambda one: one["activity"], reverse=True)
        size, page = int(query.get("@page_size", 10**6)), int(query.get("@page_index", 1))
        return _listed([self._row(one) for one in found[(page - 1) * size : page * size]])

    async def _list(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        found = list(self.kinds[kind].values())
        if "messageid:" in request.query:
            wanted = request.query["messageid:"]
            found = [one for one in found if one.get("messageid") == wanted]
        rows = [{"id": one["id"], **_named(one)} for one in found]
        return _listed(rows[: int(request.query.get("@page_size", 10**6))])

    async def _show(self, request: web.Request) -> web.Response:
        kind, name = request.match_info["kind"], request.match_info["name"]
        by_key = name.partition("=")[2]
        record = self.kinds[kind].get(self.id_of(kind, by_key) if by_key else name)
        if record is None:
            return _refused(404, f"no such {kind} {name}")
        told = {"id": record["id"], "type": kind, "attributes": {}}
        return web.json_response({"data": told}, headers={"ETag": _tag(record)})

    async def _token(self, _: web.Request) -> web.Response:
        token = token_urlsafe(24)
        self.tokens[token] = "issue"
        link = f"{self.url}/rest/data/issue/@poe/{token}"
        return web.json_response({"data": {"link": link, "expires": 0}})

    async def _post_once(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        if self.tokens.pop(token, None) is None:
            return _refused(400, f"POE token '{token}' not valid.")
        return self._make("issue", await body_of(request))

    async def _post(self, request: web.Request) -> web.Response:
        return self._make(request.match_info["kind"], await body_of(request))

    def _make(self, kind: str, given: Record) -> web.Response:
        if kind == "keyword":
            if self.id_of("keyword", given["name"]):
                return _refused(409, f'node with key "{given["name"]}" exists')
            made = self.add("keyword", name=given["name"])
        elif kind == "msg":
            made = self.add("msg", **given)
        else:
            refusal, values = self._issue(given)
            if refusal is not None:
                return refusal
            made = self.add("issue", **values)
            first = self.kinds["msg"].get(next(iter(values["messages"]), ""), {})
            self.count("case_opened", str(first.get("messageid", "")))
        told = {"id": made["id"], "link": f"{self.url}/rest/data/{kind}/{made['id']}"}
        return web.json_response({"data": told}, status=201)

    def _issue(self, given: Record) -> tuple[web.Response | None, Record]:
        """Return a new issue's values, or why there is none."""
        status = given.get("status", "unread")
        priority = given.get("priority")
        if not given.get("title"):
            return _refused(400, "Required property title not supplied"), {}
        if not self.id_of("status", status):
            return _refused(400, f"property status: '{status}' is not a status."), {}
        if priority is not None and not self.id_of("priority", priority):
            return _refused(400, f"property priority: '{priority}' is not a priority."), {}
        messages = given.get("messages", [])
        if any(not self.kinds["msg"][one].get("author") for one in messages):
            return _refused(409, '"nosy" multilink value ([None]) must contain Strings'), {}
        return None, {
            "title": given["title"], "status": self.id_of("status", status),
            "priority": self.id_of("priority", priority or "bug"), "messages": messages,
            "keyword": given.get("keyword", []), "assignedto": None,
            "activity": datetime.now(UTC),
        }  # fmt: skip

    async def _patch(self, request: web.Request) -> web.Response:
        issue = self.kinds["issue"].get(request.match_info["name"])
        if issue is None:
            return _refused(404, f"no such issue {request.match_info['name']}")
        if request.headers.get("If-Match") != _tag(issue):
            return _refused(
                412,
                "If-Match is missing or does not match."
                " Retrieve asset and retry modification if valid.",
            )
        given = await body_of(request)
        issue.update(status=given.get("status", issue["status"]), activity=datetime.now(UTC))
        self.count("case_changed", issue["id"])
        return web.json_response({"data": {"id": issue["id"], "attribute": given}})

    async def _update(self, request: web.Request) -> web.Response:
        given = await body_of(request)
        issue = self.kinds["issue"][str(given["issue"])]
        if "message" in given:
            message = self.add("msg", content=given["message"], author="2", messageid=None)
            issue["messages"] = [*issue["messages"], message["id"]]
            if self.kinds["status"][issue["status"]]["name"] in ("unread", "resolved"):
                issue["status"] = self.id_of("status", "chatting")
        if "status" in given:
            issue["status"] = self.id_of("status", given["status"])
        issue["activity"] = datetime.now(UTC) - timedelta(seconds=given.get("ago_s", 0))
        return web.json_response(self._row(issue))

    def _row(self, issue: Mapping[str, Any]) -> Record:
        who = self.kinds["user"].get(issue["assignedto"] or "", {})
        return {
            "id": issue["id"], "title": issue["title"],
            "activity": issue["activity"].strftime("%Y-%m-%d.%H:%M:%S"),
            "status.name": self.kinds["status"][issue["status"]]["name"],
            "assignedto.realname": who.get("realname"),
            "assignedto.username": who.get("username"),
            "keyword": [
                {"id": one, "name": self.kinds["keyword"][one]["name"]}
                for one in issue["keyword"]
            ],
        }  # fmt: skip

    def _keyword(self, name: str) -> str:
        return self.id_of("keyword", name) or str(self.add("keyword", name=name)["id"])

    def _user(self, name: str) -> str:
        known = self.id_of("user", name)
        return known or str(self.add("user", username=name, realname=name)["id"])


def _named(record: Mapping[str, Any]) -> Record:
    return {"name": record["name"]} if "name" in record else {}


def _listed(rows: Sequence[Record]) -> web.Response:
    data = {"collection": rows, "@total_size": len(rows)}
    return web.json_response({"data": data}, headers={"X-Count-Total": str(len(rows))})


def _tag(record: Mapping[str, Any]) -> str:
    # Nothing is kept secret by it.
    return f'"{md5(repr(sorted(record.items())).encode(), usedforsecurity=False).hexdigest()}"'


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _absolute(value: str) -> datetime | None:
    """Return the beginning of a range; of a relative one nothing, as Roundup does."""
    try:
        begin = value.partition(";")[0]
        return datetime.strptime(begin, "%Y-%m-%d.%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _refused(
    status: int, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    told = {"error": {"status": status, "msg": message}}
    return web.json_response(told, status=status, headers=headers)


if __name__ == "__main__":
    sys.exit(Roundup.main())
