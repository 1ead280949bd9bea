"""One document to the shop and back: what answers 200 and is an error all the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from deskhub_orders_shopify.budget import Cost, PointBudget
from deskhub_orders_shopify.documents import VERSION, Document
from deskhub_orders_shopify.settings import ShopifyConfig
from deskhub_sdk import (
    AdapterError,
    AuthRequired,
    ConfigInvalid,
    Context,
    HttpAnswer,
    Malformed,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unavailable,
)
from deskhub_sdk.rest import Rest, Wire, parsed

PATH = f"/admin/api/{VERSION}/graphql.json"
MAX_SAID = 200
# Refused before anything was done, whatever the document was.
BEFORE = frozenset({
    "THROTTLED", "ACCESS_DENIED", "BAD_REQUEST", "MAX_COST_EXCEEDED", "undefinedField",
    "argumentLiteralsIncompatible", "variableMismatch", "missingRequiredArguments",
    "missingRequiredInputObjectAttribute", "INVALID_VARIABLE", "SHOP_INACTIVE",
})  # fmt: skip
# Nothing was done, and nothing will be until an admin has been there.
SETTINGS = (AuthRequired, ConfigInvalid, NotFound)
CONCURRENT = "IDEMPOTENCY_CONCURRENT_REQUEST"


class Code(Wire, frozen=True):
    """What stands beside an error."""

    code: str = ""


class Fault(Wire, frozen=True):
    """An error of the whole document."""

    message: str = ""
    extensions: Code = Code()


class Extensions(Wire, frozen=True):
    """What stands beside an answer."""

    cost: Cost | None = None


NULL = msgspec.Raw(b"null")


class Reply(Wire, frozen=True):
    """An answer; *errors* may stand beside *data*, both with status 200."""

    data: msgspec.Raw = NULL
    # A wrong token is told as a bare sentence.
    errors: tuple[Fault, ...] | str | None = None
    extensions: Extensions = Extensions()


class UserError(Wire, frozen=True):
    """Why a mutation was not done, in the shop's words."""

    message: str
    code: str | None = None
    field: tuple[str, ...] | None = None


W = TypeVar("W", bound=Wire)
Variables = Mapping[str, object]
NOTHING: Variables = {}


class GraphQL(Rest):
    """The Admin GraphQL interface with one app's token."""

    def __init__(self, ctx: Context, config: ShopifyConfig) -> None:
        """Call the shop of *config*."""
        super().__init__(ctx, config, "Shopify")
        self._headers = {"X-Shopify-Access-Token": config.token.get_secret_value()}
        self.budget = PointBudget()

    async def ask(
        self,
        document: Document,
        shape: type[W],
        variables: Variables = NOTHING,
        *,
        ids: int = 0,
    ) -> W:
        """Return the answer to a query as *shape*.

        A query that is refused for its cost is asked once more when the points come back
        soon. Raises `Throttled`, `AuthRequired`, `Unavailable` or `Malformed`.
        """
        points = document.costs(ids)
        await self.budget.spend(points)
        try:
            return await self._asked(document, shape, variables, points)
        except Throttled:
            # Another process of ours spends from the same bucket.
            await self.budget.spend(points)
        return await self._asked(document, shape, variables, points)

    async def surely(
        self,
        document: Document,
        shape: type[W],
        variables: Variables = NOTHING,
        *,
        ids: int = 0,
    ) -> W:
        """Return `ask`'s answer within a step, asking twice. Raises `NotSent`.

        What was only looked at leaves nothing in doubt, so the step may be run again.
        """
        last: AdapterError
        for _ in range(2):
            try:
                return await self.ask(document, shape, variables, ids=ids)
            except SETTINGS as error:
                raise Rejected(str(error)) from error
            except Throttled as error:
                raise NotSent(str(error), retry_after_s=error.retry_after_s) from error
            except (Unavailable, Malformed) as error:
                last = error
        raise NotSent(str(last), retry_after_s=last.retry_after_s) from last

    async def change(self, document: Document, shape: type[W], variables: Variables) -> W:
        """Return what a mutation answered as *shape*; it is sent once.

        Raises `OutcomeUnknown` where it may have had its effect, also when the answer cannot
        be read; `NotSent` or `Throttled` where it had none.
        """
        try:
            await self.budget.spend(document.cost)
        except Throttled as error:
            raise NotSent(str(error), retry_after_s=error.retry_after_s) from error
        try:
            answer = await self.write(PATH, _body(document, variables), repeatable=False)
            self.expect(answer, 200)
        except SETTINGS as error:
            raise Rejected(str(error)) from error
        try:
            reply = self._reply(answer, document.cost)
            self._raise_for(reply, reads=False)
            return self._data(reply, shape)
        except Malformed as error:
            raise OutcomeUnknown(str(error)) from error
        except AuthRequired as error:
            raise Rejected(str(error)) from error

    async def _asked(
        self, document: Document, shape: type[W], variables: Variables, points: float
    ) -> W:
        answer = await self.read(PATH, json=_body(document, variables))
        self.expect(answer, 200)
        reply = self._reply(answer, points)
        self._raise_for(reply, reads=True)
        return self._data(reply, shape)

    def _reply(self, answer: HttpAnswer, spent: float) -> Reply:
        reply = self.parse(answer.body, Reply)
        if reply.extensions.cost is not None:
            self.budget.learn(reply.extensions.cost, spent)
        return reply

    def _data(self, reply: Reply, shape: type[W]) -> W:
        if bytes(reply.data) == bytes(NULL):
            raise Malformed("Shopify answered neither data nor errors")
        return parsed(bytes(reply.data), shape, "Shopify's answer")

    def _raise_for(self, reply: Reply, *, reads: bool) -> None:
        if not reply.errors:
            return
        if isinstance(reply.errors, str):
            raise AuthRequired(f"Shopify answered {reply.errors[:MAX_SAID]}")
        first = reply.errors[0]
        code = first.extensions.code
        said = f"Shopify answered {code} {first.message}"[:MAX_SAID].strip()
        if code == "THROTTLED":
            cost = reply.extensions.cost
            points = cost.requested_query_cost if cost is not None else 0.0
            raise Throttled(said, retry_after_s=max(0.1, self.budget.wait_s(points)))
        raise _meant(code, said, reads=reads)


def refused(errors: tuple[UserError, ...]) -> None:
    """Raise what a mutation's own *errors* mean; return when there are none.

    Such an answer has status 200 and had no effect.
    """
    if not errors:
        return
    said = "; ".join(one.message for one in errors)[:MAX_SAID]
    if any(CONCURRENT in (one.code or "", one.message) for one in errors):
        raise OutcomeUnknown(f"Shopify is at it already: {said}")
    raise Rejected(f"Shopify refused: {said}")


def _meant(code: str, said: str, *, reads: bool) -> AdapterError:
    if code in {"ACCESS_DENIED", "SHOP_INACTIVE"}:
        return AuthRequired(said)
    if reads:
        # An error of theirs passes; one of the document's does not.
        return Malformed(said) if code in BEFORE else Unavailable(said)
    return Rejected(said) if code in BEFORE else OutcomeUnknown(said)


def _body(document: Document, variables: Variables) -> Mapping[str, Any]:
    return {
        "query": document.text, "operationName": document.name, "variables": variables,
    }  # fmt: skip
