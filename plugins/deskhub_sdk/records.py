"""The facts that travel between hub and adapters: frozen, serialisable, checked on creation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NewType

import msgspec

TenantId = NewType("TenantId", str)
CustomerId = NewType("CustomerId", str)
ConversationId = NewType("ConversationId", str)
OrderId = NewType("OrderId", str)
ProductId = NewType("ProductId", str)
TicketId = NewType("TicketId", str)

_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,4})?\Z")

# Currencies whose minor unit is not a hundredth (ISO 4217).
_EXPONENT = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "KWD": 3, "BHD": 3, "JOD": 3, "TND": 3}


def aware(name: str, value: datetime | None) -> None:
    """Refuse a *value* without a zone: it means something else on the next machine."""
    if value is not None and value.tzinfo is None:
        raise ValueError(f"{name} has no time zone: {value!r}; use datetime.now(UTC)")


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that crosses the contract."""

    def __post_init__(self) -> None:
        """Refuse naive times in any field."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, datetime):
                aware(f"{type(self).__name__}.{name}", value)


class Money(Record, frozen=True, kw_only=False):
    """An exact amount: a decimal string such as ``"428.00"`` and an ISO 4217 currency.

    Floats are refused because they lose cents.
    """

    amount: str
    currency: str

    def __post_init__(self) -> None:
        """Refuse floats, other types, too many digits and unknown currency shapes."""
        if not isinstance(self.amount, str) or not _AMOUNT.match(self.amount):
            raise ValueError(
                f"money must be a decimal string, got {self.amount!r};"
                ' write Money("428.00", "CNY")'
            )
        if not isinstance(self.currency, str) or not _CURRENCY.match(self.currency):
            raise ValueError(f"currency must be three capital letters, got {self.currency!r}")
        if self.places > self.exponent:
            raise ValueError(
                f"{self.currency} has {self.exponent} decimals, got {self.amount!r}"
            )

    @property
    def places(self) -> int:
        """Return how many decimals *amount* is written with."""
        return len(self.amount.partition(".")[2])

    @property
    def exponent(self) -> int:
        """Return how many decimals the currency has."""
        return _EXPONENT.get(self.currency, 2)

    @property
    def minor(self) -> int:
        """Return the amount in minor units (cents, fen); exact."""
        return int(Decimal(self.amount).scaleb(self.exponent))

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> Money:
        """Return *minor* units of *currency* as a decimal string with its full decimals."""
        exponent = _EXPONENT.get(currency, 2)
        try:
            value = Decimal(minor).scaleb(-exponent)
        except InvalidOperation as error:
            raise ValueError(f"not an amount in minor units: {minor!r}") from error
        return cls(f"{value:.{exponent}f}", currency)

    def __add__(self, other: Money) -> Money:
        """Return the sum; amounts of two currencies cannot be added."""
        self._same(other)
        return Money.from_minor(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Return the difference; amounts of two currencies cannot be subtracted."""
        self._same(other)
        return Money.from_minor(self.minor - other.minor, self.currency)

    def times(self, quantity: int) -> Money:
        """Return *quantity* times this amount."""
        return Money.from_minor(self.minor * quantity, self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")


class Identity(Record, frozen=True):
    """What is known about a visitor before anybody looked them up.

    *subject* is the shop's own customer number when its server signed it (*verified*).
    """

    inbox: str
    subject: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    language: str | None = None
    verified: bool = False


class Customer(Record, frozen=True):
    """The person behind one or more visitors, as the hub knows them.

    *external* maps an adapter instance or a well-known system name to that system's id of
    this person; *subject* is the shop's customer number.
    """

    id: CustomerId
    tenant: TenantId
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    subject: str | None = None
    external: Mapping[str, str] = {}
    tags: tuple[str, ...] = ()


class CustomerMatch(Record, frozen=True):
    """One adapter's candidate for an identity; *confidence* is between 0 and 1."""

    subject: str
    confidence: float
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    why: str = ""


class ErasedCustomer(Record, frozen=True):
    """What a system did when a customer was to be erased in it.

    *outcome*: ``erased``; ``absent`` when nobody was known; ``kept`` when a law demands it.
    *text* says what or why in a sentence that names nobody: it is kept with the erasure.
    """

    outcome: Literal["erased", "absent", "kept"]
    text: str = ""


class Conversation(Record, frozen=True):
    """A conversation as an adapter may see it."""

    id: ConversationId
    tenant: TenantId
    inbox: str
    state: Literal["open", "snoozed", "closed"]
    opened_at: datetime
    customer: CustomerId | None = None
    assignee: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    links: tuple[str, ...] = ()


class Message(Record, frozen=True):
    """One line of a conversation. *author* is ``visitor:…``, ``agent:…`` or ``adapter:…``."""

    conversation: ConversationId
    seq: int
    author: str
    text: str
    at: datetime


class OrderLine(Record, frozen=True):
    """One line of an order. *returnable* is how many pieces may still come back."""

    id: str
    sku: str
    title: str
    quantity: int
    unit_price: Money
    returnable: int = 0
    note: str | None = None
    product: ProductId | None = None


class TrackingEvent(Record, frozen=True):
    """One place an order passed on its way."""

    text: str
    state: Literal["done", "current", "todo", "failed", "skipped"]
    at: datetime | None = None
    detail: str | None = None


class Order(Record, frozen=True):
    """A shop's order. *version* grows with every change at the shop; older versions lose."""

    id: OrderId
    number: str
    customer: str
    status: Literal[
        "placed", "paid", "packed", "shipped", "delivered", "completed", "cancelled", "returned"
    ]
    placed_at: datetime
    updated_at: datetime
    version: int
    total: Money
    refunded: Money
    lines: tuple[OrderLine, ...]
    carrier: str | None = None
    tracking: str | None = None
    events: tuple[TrackingEvent, ...] = ()
    payment: str | None = None
    paid_with: str | None = None
    url: str | None = None


class OrderFacts(Record, frozen=True):
    """What one system says of an order, for comparing it with the others.

    None means that this system does not say, which is never a contradiction. *returned* are
    pieces on returns, *cases* the keys of open cases. *system* is the name agents read.
    """

    system: str
    status: str | None = None
    paid: Money | None = None
    refunded: Money | None = None
    credited: Money | None = None
    returned: int | None = None
    cases: tuple[str, ...] = ()


class Product(Record, frozen=True):
    """A product of the ERP with its stock (pieces that can be promised) and list price."""

    id: ProductId
    sku: str
    name: str
    price: Money
    stock: int
    location: str | None = None
    batch: str | None = None


class Payment(Record, frozen=True):
    """A captured payment and what of it went back."""

    id: str
    order: str
    method: str
    captured: Money
    refunded: Money
    at: datetime


class Ticket(Record, frozen=True):
    """A case in a ticket system."""

    id: TicketId
    key: str
    title: str
    status: Literal["open", "in_progress", "waiting", "done"]
    updated_at: datetime
    url: str | None = None
    assignee: str | None = None


class Signal(Record, frozen=True, omit_defaults=True):
    """A fact that arrived from a business system.

    *dedupe* is the sender's own event id: the hub applies a signal once per (instance,
    dedupe). *object* and *version* order signals about one thing: a stale version never
    overwrites a newer one. *rank* is how far the thing is on its way, for systems whose
    versions are times of a second: of two facts with one version the further one holds, and
    without versions (0) a thing only moves forward. *thin* says that the hub has to ask what
    is true now (`refetch_signals`) before anything is shown: the payload may be older or
    newer than the event. *subject* is the customer number it concerns, if the sender says.
    """

    kind: str
    dedupe: str
    object: str
    version: int
    at: datetime
    subject: str | None = None
    data: Mapping[str, Any] = {}
    rank: int = 0
    thin: bool = False


class Changes(Record, frozen=True):
    """What changed at a system, each *at* the system's time; *next* is the page after it."""

    signals: tuple[Signal, ...] = ()
    # "" when this is the last page.
    next: str = ""


class WebhookRequest(Record, frozen=True):
    """An inbound webhook exactly as it arrived. Header names are in lower case.

    Two more stand beside them: ``:method``, and ``:url``, the address that the sender was
    given, whatever a proxy made of it. Nobody can send a name with a colon.
    """

    instance: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class Target(Record, frozen=True):
    """Whom a signal concerns: a customer by the shop's number, or one conversation."""

    subject: str | None = None
    conversation: ConversationId | None = None


class Principal(Record, frozen=True):
    """Who asks, as an adapter may see it."""

    id: str
    kind: Literal["agent", "visitor", "adapter", "system"]
    role: str | None = None
    name: str | None = None


class SignInRequest(Record, frozen=True):
    """Where single sign-on has to come back to, and the browser's one-time state."""

    redirect_uri: str
    state: str
    nonce: str
    code_verifier: str


class SignInResult(Record, frozen=True):
    """An identity that a provider vouches for. (*issuer*, *subject*) is the account's key.

    *session* is the provider's name for this sign-in, if it may announce its end by it.
    """

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None
    tenant: str | None = None
    groups: tuple[str, ...] = ()
    session: str | None = None


class SignedOut(Record, frozen=True):
    """Who is signed out at the provider: an account, one *session* of it, or both.

    *token* is the announcement's own id, so that it counts once.
    """

    issuer: str
    token: str
    subject: str | None = None
    session: str | None = None


class SuggestedReply(Record, frozen=True):
    """A text an agent may send; it is never sent by itself."""

    text: str
    title: str = ""
    source: str = ""


class Health(Record, frozen=True):
    """How an adapter feels. *text* says what is wrong and who can fix it."""

    ok: bool
    text: str = ""
    checked_at: datetime = datetime.min.replace(tzinfo=UTC)
