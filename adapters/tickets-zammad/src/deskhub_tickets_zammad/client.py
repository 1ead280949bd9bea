"""The border to Zammad: conditions instead of search terms, and tickets opened with a mark.

A search term goes to an index that is seconds behind, or to none at all where no search server
runs; a condition goes to the database. Zammad answers a condition that it cannot read with
every ticket there is, so what comes back is compared with what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from deskhub_sdk import Context, HttpAnswer, Malformed, Rejected
from deskhub_sdk.rest import MAX_SAID, Rest
from deskhub_tickets_zammad.mapping import DONE, OURS, Case
from deskhub_tickets_zammad.settings import ZammadConfig

API = "/api/v1"
MAX_BATCH = 100
MAX_OPEN = 50
PAGE, MAX_PAGES = 100, 10
Condition = Mapping[str, tuple[str, Sequence[str]]]


class ZammadClient(Rest):
    """Zammad's REST interface with one agent's token."""

    def __init__(self, ctx: Context, config: ZammadConfig) -> None:
        """Call the Zammad of *config*."""
        super().__init__(ctx, config, "Zammad")
        self._headers = {"Authorization": f"Token token={config.token.get_secret_value()}"}
        self._write_s = config.write_timeout_s

    async def cases(self, ids: Sequence[str]) -> Mapping[str, Case]:
        """Return at most 100 tickets by id; what is not there or not ours to see is absent."""
        wanted = {one for one in ids if one.isascii() and one.isdigit() and len(one) < 19}
        if not wanted:
            return {}
        found = await self._page({"ticket.id": ("is", sorted(wanted))}, 1)
        return {str(one.id): one for one in found if str(one.id) in wanted}

    async def open_of(self, logins: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the ids of the open tickets of at most 100 customers, the latest first."""
        wanted = {"customer.login": ("is", [*logins])}
        found: dict[str, list[str]] = {}
        for page in range(1, MAX_PAGES + 1):
            cases = await self._page(
                {**wanted, "ticket_state.name": ("is not", sorted(DONE))}, page
            )
            for one in cases:
                own = found.setdefault(one.customer, [])
                if one.customer in logins and one.status != "done" and len(own) < MAX_OPEN:
                    own.append(str(one.id))
            if len(cases) < PAGE:
                break
        return {login: ids for login, ids in found.items() if ids}

    async def by_key(self, key: str) -> Case | None:
        """Return the ticket that was opened under *key*, by its tag and what was left at it."""
        found = await self._page({"ticket.tags": ("contains one", [key])}, 1)
        return next((one for one in found if one.left("key") == key), None)

    async def changed(self, since: datetime, page: int) -> Sequence[Case]:
        """Return a page of the tickets that changed after *since*, the earliest first."""
        at = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        wanted: Condition = {"ticket.updated_at": ("after (absolute)", [at])}
        return await self._page(wanted, page, ("sort_by", "updated_at"), ("order_by", "asc"))

    async def open(
        self, *, key: str, group: str, title: str, body: str, customer: str,
        conversation: str | None, tags: Sequence[str],
    ) -> Case:  # fmt: skip
        """Open a ticket with its first article, in one transaction of Zammad's.

        Zammad knows no keys and opens another one for each request: look up first. *customer*
        is a login, or ``guess:`` and an e-mail address, which makes a user of a stranger.
        Raises `Rejected` for a group or customer that is none, `OutcomeUnknown` when nobody
        can tell.
        """
        left = {"key": key, **({"conversation": conversation} if conversation else {})}
        who = "customer_id" if customer.startswith("guess:") else "customer"
        case = {
            "title": title[:250], "group": group, who: customer,
            "tags": ",".join(tag.replace(",", " ") for tag in (OURS, key, *tags)),
            "preferences": {OURS: left},
            "article": {
                "subject": title[:250], "body": body, "type": "note", "internal": True,
                "content_type": "text/plain",
            },
        }  # fmt: skip
        answer = await self.write(
            f"{API}/tickets?expand=true", case, repeatable=False, timeout_s=self._write_s
        )
        # A page before Zammad comes with 200 and is not its answer.
        return self.done(answer, Case, 200 if answer.status == 200 else 201)

    async def close(self, case: str, why: str) -> None:
        """Close a ticket and say why; a closed one may be closed again."""
        change: dict[str, Any] = {
            "state": "closed",
            "article": {
                "body": why, "type": "note", "internal": True, "content_type": "text/plain",
            },
        }  # fmt: skip
        answer = await self.write(
            f"{API}/tickets/{case}", change, method="PUT", repeatable=False,
            timeout_s=self._write_s,
        )  # fmt: skip
        if answer.status == 404:
            raise Rejected(f"Zammad has no ticket {case}")
        self.expect(answer, 200)

    def said(self, answer: HttpAnswer) -> str:
        """Return Zammad's own words, those for people before those for programs."""
        try:
            told = answer.json()
        except Malformed:
            return ""
        if not isinstance(told, dict):
            return ""
        return str(told.get("error_human") or told.get("error") or "")[:MAX_SAID]

    async def _page(
        self, condition: Condition, page: int, *more: tuple[str, str]
    ) -> Sequence[Case]:
        asked = [("expand", "true"), ("per_page", str(PAGE)), ("page", str(page)), *more]
        for name, (operator, values) in condition.items():
            asked.append((f"condition[{name}][operator]", operator))
            # Several values are a list; tags and times are one text.
            many = name not in ("ticket.tags", "ticket.updated_at")
            place = f"condition[{name}][value]{'[]' if many else ''}"
            asked += [(place, value) for value in values]
        answer = await self.read(f"{API}/tickets/search", asked)
        self.expect(answer, 200)
        try:
            return msgspec.json.decode(answer.body, type=list[Case])
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise Malformed(f"Zammad's answer is not as documented: {error}") from error
