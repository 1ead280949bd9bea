"""The border to Roundup: its REST interface with a user's name and password."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from urllib.parse import quote, urlsplit

from deskhub_sdk import (
    AdapterError,
    ConfigInvalid,
    Conflict,
    Context,
    HttpAnswer,
    Malformed,
    NotSent,
    OutcomeUnknown,
    Rejected,
)
from deskhub_sdk.rest import MAX_SAID, Rest, RestConfig
from deskhub_tickets_roundup.mapping import (
    Case,
    MadeAnswer,
    NamesAnswer,
    RowsAnswer,
    TokenAnswer,
    case_of,
    written,
)
from deskhub_tickets_roundup.settings import RoundupConfig

MAX_BATCH = 100
MOST_OF_ONE = 50
PAGE, MAX_PAGES = 200, 50
MOST_NAMES = 10_000
NAMES_S = 30.0
TOKEN_S = 3600
# How long a request that used a token may still be on its way into the database.
SETTLE_S = 2.0
PATCHES = 3
_ISSUE = "title,status.name,assignedto.realname,assignedto.username,activity,keyword"
Params = list[tuple[str, str]]


class RoundupClient(Rest):
    """Cases by id and by customer, opened once, closed under their entity tag."""

    def __init__(self, ctx: Context, config: RoundupConfig) -> None:
        """Call the tracker of *config*."""
        super().__init__(
            ctx, RestConfig(base_url=config.base_url, token=config.password), "Roundup"
        )
        self.config = config
        parts = urlsplit(config.base_url)
        shown = f"{config.user}:{config.password.get_secret_value()}".encode()
        # Without an origin that is its own, Roundup takes a call for a forged one.
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(shown).decode()}",
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "X-Requested-With": "deskhub",
        }
        self.closed = frozenset({*config.closed_statuses, config.closed_status})
        self._open: tuple[str, ...] = ()
        self._closed_id = ""
        self._me = ""
        self._keywords: dict[str, str] = {}
        self._named_at = 0.0

    async def learn(self) -> None:
        """Learn who the hub is there and which statuses there are; once is enough."""
        if self._open:
            return
        me = await self.found(MadeAnswer, self.account)
        found = await self.found(
            NamesAnswer, "/rest/data/status", [("@fields", "name"), ("@page_size", "100")]
        )
        by_name = {one.name: one.id for one in found.data.collection}
        if self.config.closed_status not in by_name:
            raise ConfigInvalid(f"Roundup has no status {self.config.closed_status}")
        self._me, self._closed_id = me.data.id, by_name[self.config.closed_status]
        self._open = tuple(id_ for name, id_ in by_name.items() if name not in self.closed)
        await self._names()

    @property
    def account(self) -> str:
        """Return where the hub's own user stands."""
        return f"/rest/data/user/username={quote(self.config.user, safe='')}"

    async def cases(self, ids: Sequence[str]) -> Mapping[str, Case]:
        """Return cases by id; unknown ones are absent.

        Each id is a parameter of its own: of ids with commas between them Roundup finds none
        and says nothing. Of what is no number it finds nothing either.
        """
        wanted: Params = [("id", id_) for id_ in ids if id_.isascii() and id_.isdigit()]
        if not wanted:
            return {}
        return {one.id: one for one in await self.found_rows(wanted, size=len(wanted))}

    async def open_of(self, customers: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the ids of each customer's open cases, the latest change first."""
        await self.learn()
        names = await self._names()
        marks = [names.get(self.config.customer_prefix + one, "") for one in customers]
        wanted: Params = [("keyword", id_) for id_ in marks if id_]
        if not wanted:
            return {}
        found = await self.found_rows(
            [*wanted, *(("status", id_) for id_ in self._open), ("@sort", "-activity")],
            size=min(MOST_OF_ONE * len(wanted), 1000),
        )
        by_customer: dict[str, list[str]] = {}
        for one in found:
            if one.customer is not None:
                by_customer.setdefault(one.customer, []).append(one.id)
        asked = {*customers}
        return {one: ids[:MOST_OF_ONE] for one, ids in by_customer.items() if one in asked}

    async def by_reference(self, reference: str) -> Case | None:
        """Return the case whose first message carries *reference*, if there is one."""
        messages = await self._messages(reference)
        if not messages:
            return None
        found = await self.found_rows([("messages", id_) for id_ in messages], size=10)
        return min(found, key=lambda one: int(one.id), default=None)

    async def changed(self, since: datetime) -> tuple[Sequence[Case], datetime]:
        """Return the cases that changed at *since* or later, and the tracker's own time.

        Roundup takes an absolute moment only: of a relative one it says nothing and sends
        everything. At most 10,000 cases.
        """
        wanted: Params = [("activity", f"{written(since)};"), ("@sort", "activity,id")]
        found: list[Case] = []
        at = self.ctx.clock.now()
        for page in range(1, MAX_PAGES + 1):
            answer = await self._page(wanted, PAGE, page)
            at = _date(answer, at) if page == 1 else at
            more = self._cases(answer)
            found += more
            if len(more) < PAGE:
                break
        return found, at

    async def now(self) -> datetime:
        """Return what time it is at the tracker."""
        answer = await self.read(self.account)
        self.expect(answer, 200)
        return _date(answer, self.ctx.clock.now())

    async def open(
        self, *, key: str, title: str, body: str, keywords: Sequence[str], priority: str
    ) -> str:
        """Open a case once under *key* and return its id.

        A post-once token is kept under the key before it is used, so that a request which
        was held up on its way and one that repeats it cannot both have their effect. Raises
        `OutcomeUnknown` when nobody can tell whether the case was opened.
        """
        await self.learn()
        found = await self.by_reference(key)
        if found is not None:
            return found.id
        issue = {
            "title": title, "priority": priority,
            "messages": [await self._message(key, body)],
            "keyword": [await self._keyword(name) for name in keywords],
        }  # fmt: skip
        token = await self._token(key)
        # Only the token is taken from Roundup's link: the password goes to base_url alone.
        path = f"/rest/data/issue/@poe/{quote(token, safe='')}"
        answer = await self.write(path, issue, repeatable=True)
        if answer.status == 201:
            made = self.done(answer, MadeAnswer)
            await self.ctx.kv.delete(_kept(key))
            return made.data.id
        # A token is spent also where the case was refused.
        await self.ctx.kv.delete(_kept(key))
        if answer.status == 400 and "POE token" in self.said(answer):
            found = await self.by_reference(key)
            if found is not None:
                return found.id
            raise NotSent("the post-once token was used or too old", retry_after_s=SETTLE_S)
        raise self.refusal(answer)

    async def close(self, case: str) -> None:
        """Close a case as it stands now; a closed one stays closed.

        Raises `Conflict` when people change it again and again meanwhile.
        """
        await self.learn()
        path = f"/rest/data/issue/{case}"
        for _ in range(PATCHES):
            seen = await self.read(path)
            self.expect(seen, 200)
            found = (await self.cases([case])).get(case)
            if found is None or found.kind == "done":
                return
            answer = await self.ctx.http.request(
                "PATCH", self._base + path, json={"status": self._closed_id},
                headers={**self._headers, "If-Match": seen.headers.get("etag", "")},
            )  # fmt: skip
            if answer.status == 200:
                return
            if answer.status != 412:
                raise self.refusal(answer)
        raise Conflict(f"issue{case} changes all the time; try again")

    def refusal(self, answer: HttpAnswer) -> AdapterError:
        """Return what an unexpected *answer* means; 409 is a mistake in a value here."""
        said = f"Roundup answered {answer.status} {self.said(answer)}".strip()
        if answer.status == 412:
            return Conflict(said)
        if answer.status == 409:
            return Rejected(said)
        if answer.status == 400 and "not allowed to use Rest" in said:
            return ConfigInvalid(f"{said}: base_url has to be the address in its config.ini")
        return super().refusal(answer)

    def said(self, answer: HttpAnswer) -> str:
        """Return Roundup's own words about a refusal."""
        try:
            told = answer.json()
        except Malformed:
            return ""
        error = told.get("error") if isinstance(told, dict) else None
        return str(error.get("msg", ""))[:MAX_SAID] if isinstance(error, dict) else ""

    async def found_rows(self, wanted: Params, *, size: int = 100) -> list[Case]:
        """Return at most *size* cases that fit the filters *wanted*, as Roundup takes them."""
        return self._cases(await self._page(wanted, size, 1))

    async def _page(self, wanted: Params, size: int, page: int) -> HttpAnswer:
        params: Params = [
            *wanted, ("@fields", _ISSUE), ("@verbose", "2"), ("@page_size", str(size)),
            ("@page_index", str(page)),
        ]  # fmt: skip
        answer = await self.read("/rest/data/issue", params)
        self.expect(answer, 200)
        return answer

    def _cases(self, answer: HttpAnswer) -> list[Case]:
        rows = self.parse(answer.body, RowsAnswer).data.collection
        prefix = self.config.customer_prefix
        return [case_of(row, self._base, prefix, self.closed) for row in rows]

    async def _messages(self, reference: str) -> list[str]:
        """Return the messages with exactly this message id; the colon says exactly."""
        found = await self.found(
            NamesAnswer, "/rest/data/msg",
            [("messageid:", reference), ("@fields", "id"), ("@page_size", "10")],
        )  # fmt: skip
        return [one.id for one in found.data.collection]

    async def _message(self, reference: str, body: str) -> str:
        """Return the message under *reference*; one too many would hang on no case.

        Without an author Roundup opens no case with it ("nosy" must contain strings).
        """
        known = await self._messages(reference)
        if known:
            return known[0]
        message = {
            "content": body, "messageid": reference, "author": self._me,
            "date": written(self.ctx.clock.now()),
        }  # fmt: skip
        return await self._created("msg", message)

    async def _keyword(self, name: str) -> str:
        """Return the keyword *name*, made where there was none."""
        known = (await self._names()).get(name)
        if known is None:
            self._named_at = 0.0
            known = (await self._names()).get(name)
        if known is None:
            known = await self._created("keyword", {"name": name})
            self._keywords[name] = known
        return known

    async def _created(self, kind: str, values: Mapping[str, str]) -> str:
        """Create what does no harm when it is there twice, or cannot be there twice."""
        answer = await self._safely(f"/rest/data/{kind}", values)
        if answer.status == 409 and kind == "keyword":
            answer = await self.read(
                f"/rest/data/keyword/name={quote(values['name'], safe='')}"
            )
            return self.done(answer, MadeAnswer, 200).data.id
        return self.done(answer, MadeAnswer).data.id

    async def _token(self, key: str) -> str:
        """Return the token of *key*, the one before if it was not used yet."""
        kept = await self.ctx.kv.get(_kept(key))
        if kept is not None:
            return kept.decode()
        answer = await self._safely("/rest/data/issue/@poe", {"lifetime": TOKEN_S})
        link = self.done(answer, TokenAnswer, 200).data.link
        token = link.rpartition("/")[2]
        await self.ctx.kv.put(_kept(key), token.encode())
        return token

    async def _safely(self, path: str, body: object) -> HttpAnswer:
        """Send a write that may be repeated; one lost answer is not worth a question."""
        try:
            return await self.write(path, body, repeatable=True)
        except OutcomeUnknown:
            return await self.write(path, body, repeatable=True)

    async def _names(self) -> Mapping[str, str]:
        """Return every keyword's id by name, at most half a minute old.

        A single unknown name would fail a whole search, so names are never sent.
        """
        if self._named_at and monotonic() - self._named_at < NAMES_S:
            return self._keywords
        found = await self.found(
            NamesAnswer, "/rest/data/keyword",
            [("@fields", "name"), ("@page_size", str(MOST_NAMES))],
        )  # fmt: skip
        self._keywords = {one.name: one.id for one in found.data.collection}
        self._named_at = monotonic()
        return self._keywords


def _kept(key: str) -> str:
    return f"once:{key}"


def _date(answer: HttpAnswer, otherwise: datetime) -> datetime:
    """Return when the tracker answered, by its own clock."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC)
    except (TypeError, ValueError):
        return otherwise
