"""The border to the ticket system: its calls, as this adapter's records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deskhub_sdk import Conflict
from deskhub_sdk.rest import Rest
from deskhub_tickets.mapping import Issue, IssueIds, Issues

MAX_BATCH = 100


class TicketsClient(Rest):
    """The ticket system's HTTP interface with one account's token."""

    async def issues(self, ids: Sequence[str]) -> Mapping[str, Issue]:
        """Return at most 100 cases by id; unknown ones are absent."""
        found = await self.found(Issues, "/api/issues", {"ids": ",".join(ids)})
        return {issue.id: issue for issue in found.issues}

    async def open_of(self, customers: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the ids of the open cases of at most 100 *customers*, newest first."""
        asked = {"customers": list(customers)}
        return (await self.found(IssueIds, "/api/issues/by-customer", json=asked)).customers

    async def by_reference(self, reference: str) -> Issue | None:
        """Return the case that was opened under *reference*, if there is one."""
        found = await self.found(Issues, "/api/issues", {"reference": reference})
        return next(iter(found.issues), None)

    async def open(
        self,
        *,
        key: str,
        queue: str,
        title: str,
        body: str,
        customer: str | None,
        order: str | None,
        conversation: str | None,
        labels: Sequence[str] = ("return",),
    ) -> Issue:
        """Open a case once under the idempotency *key*; a repetition answers the same case.

        Raises `OutcomeUnknown` when nobody can tell whether it was opened, `Conflict` when
        the key was used for something else.
        """
        case = {
            "queue": queue,
            "title": title,
            "body": body,
            "customer": customer,
            "links": [] if order is None else [{"kind": "order", "id": order}],
            "labels": list(labels),
            "reference": key,
            "conversation": conversation,
        }
        answer = await self.write("/api/issues", case, key=key, repeatable=True)
        if answer.status == 409:
            raise Conflict("the ticket system has another case under the same key")
        return self.done(answer, Issue)

    async def close(self, issue: str) -> None:
        """Close a case; a closed one stays closed."""
        change = {"status": "done"}
        answer = await self.write(
            f"/api/issues/{issue}", change, method="PATCH", repeatable=True
        )
        self.expect(answer, 200)
