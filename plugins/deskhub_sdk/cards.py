"""The card format ``deskhub.card/1``: what an adapter may show, as data and never as HTML.

12 block types and 5 verbs. The host draws, formats and translates; a card that breaks a rule
is replaced by its fallback line, and the adapter's author is told the exact path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from deskhub_sdk.records import Money, aware

MAX_CARD_BYTES = 32_768

Tone = Literal["neutral", "info", "success", "warning", "danger"]
Audience = Literal["agent", "customer", "both"]
Key = Annotated[str, Meta(pattern=r"^[a-z0-9_.-]+$", max_length=120)]
Plain = Annotated[str, Meta(max_length=2000)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}$")]
Icon = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
Url = Annotated[str, Meta(max_length=2000, pattern=r"^(https://|mailto:|tel:|/(?!/))")]
ImageUrl = Annotated[str, Meta(max_length=2000, pattern=r"^(https://|/files/)")]
Time = Annotated[datetime, Meta(tz=True)]
Verb = Annotated[str, Meta(pattern=r"^[a-z0-9_]+\.[a-z0-9_.@]+$")]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of everything inside a card."""


class T(_Part, frozen=True):
    """A key of the adapter's own message catalogue, with arguments for its placeholders."""

    t: Key
    args: Mapping[str, Any] = {}


Text = Plain | T


class Value(_Part, frozen=True, kw_only=True):
    """A typed value, formatted by the client in the reader's language, currency and zone.

    Exactly one of *money*, *time*, *seconds*, *number*, *link*, *copy*, *masked*, *t* or
    *text* is set; the other fields qualify it. Build it with the functions below.
    """

    money: str | None = None
    currency: str | None = None
    time: Time | None = None
    style: (
        Literal["relative", "date", "time", "datetime", "decimal", "percent", "bytes"] | None
    ) = None
    seconds: float | None = None
    number: float | None = None
    unit: str | None = None
    link: Url | None = None
    copy: Annotated[str, Meta(max_length=200)] | None = None
    masked: str | None = None
    reveal: str | None = None
    t: Key | None = None
    args: Mapping[str, Any] | None = None
    text: Text | None = None
    tone: Tone | None = None

    def __post_init__(self) -> None:
        """Refuse values that say nothing, or two things at once."""
        if self.money is not None:
            Money(self.money, self.currency or "")
        aware("time", self.time)
        main = (
            self.money, self.time, self.seconds, self.number, self.link, self.copy,
            self.masked, self.t,
        )  # fmt: skip
        count = sum(part is not None for part in main)
        if count > 1 or (count == 0 and self.text is None):
            raise ValueError("a value is exactly one of money, time, seconds, number, link,"
                             " copy, masked, t or text")  # fmt: skip


AnyValue = Value | str | int | float | bool | None


def money(amount: Money) -> Value:
    """Return *amount* as a card value."""
    return Value(money=amount.amount, currency=amount.currency)


def when(
    time: datetime, style: Literal["relative", "date", "time", "datetime"] = "relative"
) -> Value:
    """Return an aware *time* as a card value."""
    return Value(time=time, style=style)


def number(value: float, unit: str | None = None) -> Value:
    """Return *value* with a unit of Intl.NumberFormat ("kilogram") or none."""
    return Value(number=value, unit=unit)


def percent(share: float) -> Value:
    """Return *share* (0.08) to be shown as a percentage (8 %)."""
    return Value(number=share, style="percent")


def copyable(text: str) -> Value:
    """Return a text that is copied with one click (a tracking number)."""
    return Value(copy=text)


def link(url: str, text: Text | None = None) -> Value:
    """Return a link that opens in a new tab."""
    return Value(link=url, text=text)


def masked(shown: str, reveal: str) -> Value:
    """Return a hidden value; *reveal* names the field that an audited call can show."""
    return Value(masked=shown, reveal=reveal)


class Badge(_Part, frozen=True):
    """A short state word with a tone."""

    text: Text
    tone: Tone = "neutral"


class Do(_Part, frozen=True, kw_only=True):
    """What a button does: exactly one of the five verbs.

    *invoke* opens a declared action (``order.return``), *load* fetches another card, *open*
    follows a link, *copy* copies, *insert* puts text into the reply box and never sends it.
    """

    invoke: Verb | None = None
    load: str | None = None
    open: Url | None = None
    copy: str | None = None
    insert: Text | None = None
    args: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse buttons that do nothing, or two things."""
        verbs = (self.invoke, self.load, self.open, self.copy, self.insert)
        if sum(verb is not None for verb in verbs) != 1:
            raise ValueError("an action does exactly one of invoke, load, open, copy, insert")


class Action(_Part, frozen=True, kw_only=True):
    """A button. *disabled* is the reason in words; a bare boolean is refused."""

    id: Name
    label: Text
    do: Do
    icon: Icon | None = None
    style: Literal["primary", "default", "danger", "link"] = "default"
    disabled: Text | None = None


class Image(_Part, frozen=True, kw_only=True):
    """A picture, fetched through the hub."""

    src: ImageUrl
    alt: Text
    w: int | None = None
    h: int | None = None


class Field(_Part, frozen=True):
    """A label with its value."""

    label: Text
    value: AnyValue
    hint: Text | None = None


class Metric(_Part, frozen=True, kw_only=True):
    """A figure people watch, with at most 60 points of its past."""

    label: Text
    value: AnyValue
    tone: Tone | None = None
    series: Annotated[tuple[float, ...], Meta(max_length=60)] = ()


class Item(_Part, frozen=True, kw_only=True):
    """One row of a list."""

    title: Text
    id: str | None = None
    subtitle: Text | None = None
    image: Image | None = None
    value: AnyValue = None
    badge: Badge | None = None
    action: Action | None = None


class Column(_Part, frozen=True):
    """A column's heading; numbers align at the end."""

    label: Text
    align: Literal["start", "end"] = "start"


class Moment(_Part, frozen=True, kw_only=True):
    """One place on a timeline."""

    text: Text
    state: Literal["done", "current", "todo", "failed", "skipped"]
    time: Time | None = None
    detail: Text | None = None

    def __post_init__(self) -> None:
        """Refuse a naive time."""
        aware("time", self.time)


class _Block(_Part, frozen=True, tag_field="type"):
    """Base of the blocks."""


class TextBlock(_Block, frozen=True, tag="text"):
    """A paragraph; ``**bold**`` and ```code``` are the only markup."""

    text: Text
    muted: bool = False


class NoticeBlock(_Block, frozen=True, kw_only=True, tag="notice"):
    """Something the reader has to know before the rest."""

    text: Text
    tone: Tone = "info"
    action: Action | None = None


class FieldsBlock(_Block, frozen=True, tag="fields"):
    """Labels with values, in one or two columns."""

    fields: Annotated[tuple[Field, ...], Meta(min_length=1, max_length=24)]
    columns: Literal[1, 2] = 1


class BadgesBlock(_Block, frozen=True, tag="badges"):
    """A row of badges."""

    badges: Annotated[tuple[Badge, ...], Meta(max_length=12)]


class MetricsBlock(_Block, frozen=True, tag="metrics"):
    """At most four figures."""

    metrics: Annotated[tuple[Metric, ...], Meta(max_length=4)]


class ListBlock(_Block, frozen=True, tag="list"):
    """Rows with title, value and badge."""

    items: Annotated[tuple[Item, ...], Meta(max_length=25)]
    more: Action | None = None


class TableBlock(_Block, frozen=True, kw_only=True, tag="table"):
    """At most 6 columns and 25 rows; *more* leads to the rest."""

    columns: Annotated[tuple[Column, ...], Meta(min_length=1, max_length=6)]
    rows: Annotated[tuple[tuple[AnyValue, ...], ...], Meta(max_length=25)]
    caption: Text | None = None
    more: Action | None = None


class TimelineBlock(_Block, frozen=True, tag="timeline"):
    """Steps of a way, done and ahead."""

    items: Annotated[tuple[Moment, ...], Meta(max_length=25)]


class ImageBlock(_Block, frozen=True, tag="image"):
    """One picture."""

    image: Image


class FormBlock(_Block, frozen=True, kw_only=True, tag="form"):
    """A small form in the JSON Schema subset of the format."""

    schema: Mapping[str, Any]
    submit: Action
    values: Mapping[str, Any] | None = None


class ActionsBlock(_Block, frozen=True, tag="actions"):
    """A row of buttons."""

    actions: Annotated[tuple[Action, ...], Meta(min_length=1, max_length=6)]


FlatBlock = (
    TextBlock | NoticeBlock | FieldsBlock | BadgesBlock | MetricsBlock | ListBlock | TableBlock
    | TimelineBlock | ImageBlock | FormBlock | ActionsBlock
)  # fmt: skip


class SectionBlock(_Block, frozen=True, kw_only=True, tag="section"):
    """A part that folds, one level deep."""

    title: Text
    blocks: Annotated[tuple[FlatBlock, ...], Meta(max_length=20)]
    open: bool = True


Block = FlatBlock | SectionBlock


class Card(_Part, frozen=True, kw_only=True):
    """What an adapter shows about one object.

    A later card with the same *id* and a higher *rev* replaces this one in place; a card
    whose *rev* is not higher is dropped. *as_of* is when the source system said so.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,127}$")]
    title: Text
    blocks: Annotated[tuple[Block, ...], Meta(max_length=40)]
    v: Literal[1] = 1
    rev: Annotated[int, Meta(ge=0)] = 0
    subtitle: Text | None = None
    icon: Icon | None = None
    badge: Badge | None = None
    href: Url | None = None
    as_of: Time | None = None
    audience: Audience = "agent"
    fallback: Annotated[str, Meta(max_length=500)] = ""
    summary: Annotated[str, Meta(max_length=120)] = ""
    actions: Annotated[tuple[Action, ...], Meta(max_length=8)] = ()

    def __post_init__(self) -> None:
        """Refuse a naive time."""
        aware("as_of", self.as_of)


class CardError(ValueError):
    """A card that breaks the format. The text ends in the path (``$.blocks[3].items``)."""

    code = "card_invalid"


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Card)


def encode_card(card: Card) -> bytes:
    """Return the card as JSON. Raises `CardError` over 32 KB or when a value breaks a rule."""
    data = _encoder.encode(card)
    if len(data) > MAX_CARD_BYTES:
        raise CardError(
            f"card {card.id} has {len(data)} bytes, at most {MAX_CARD_BYTES} - at $"
        )
    # Constructors check little for speed; one decode checks every pattern and bound.
    decode_card(data)
    return data


def decode_card(data: bytes | str) -> Card:
    """Parse and check a card. Raises `CardError` with the path of the first mistake."""
    try:
        return _decoder.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise CardError(str(error)) from error


def masked_phone(phone: str) -> str:
    """Return *phone* with its middle hidden: ``138****2211``."""
    digits = re.sub(r"[^0-9+]", "", phone)
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 9 else "****"
