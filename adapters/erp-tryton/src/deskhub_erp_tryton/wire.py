"""Tryton's JSON: decimals and moments as objects, domains in an address, records by field."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from deskhub_sdk import Malformed, Money
from deskhub_sdk.rest import Wire

W = TypeVar("W", bound=Wire)
_EXPONENT_PROBE = "0"


class Number(Wire, frozen=True):
    """A decimal: ``{"__class__": "Decimal", "decimal": "12.50"}``."""

    decimal: str


class Moment(Wire, frozen=True):
    """A time stamp in UTC, part by part."""

    year: int
    month: int
    day: int
    hour: int = 0
    minute: int = 0
    second: int = 0
    microsecond: int = 0

    def at(self) -> datetime:
        """Return it as a time with a zone. Raises `Malformed` when there is no such day."""
        try:
            return datetime(
                self.year, self.month, self.day, self.hour, self.minute, self.second,
                self.microsecond, tzinfo=UTC,
            )  # fmt: skip
        except ValueError as error:
            raise Malformed(f"Tryton sent no possible moment: {error}") from error


def moment(value: datetime) -> dict[str, Any]:
    """Return *value* as Tryton writes moments in a domain."""
    at = value.astimezone(UTC)
    return {
        "__class__": "datetime", "year": at.year, "month": at.month, "day": at.day,
        "hour": at.hour, "minute": at.minute, "second": at.second,
        "microsecond": at.microsecond,
    }  # fmt: skip


def packed(value: object) -> str:
    """Return *value* as JSON in base64url, which is how domains and contexts travel."""
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode()


def money(number: Number | None, currency: str) -> Money:
    """Return *number* with as many decimals as *currency* has. Raises `Malformed`.

    Prices may have more decimals than money has; they are rounded half up, as invoices are.
    """
    exponent = Money(_EXPONENT_PROBE, currency).exponent
    try:
        value = Decimal(number.decimal if number is not None else "0")
        rounded = value.quantize(Decimal(1).scaleb(-exponent), ROUND_HALF_UP)
        return Money(f"{rounded:f}", currency)
    except (InvalidOperation, ValueError) as error:
        raise Malformed(f"Tryton sent an amount that is none: {error}") from error


def many(body: bytes, shape: type[W]) -> tuple[W, ...]:
    """Return a list of records. Raises `Malformed` with the path of the first mistake."""
    try:
        return msgspec.json.decode(body, type=tuple[shape, ...])  # type: ignore[valid-type]
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Malformed(f"Tryton's answer is not as documented: {error}") from error


def address_chars(key: str) -> int:
    """Return about what *key* takes in a domain in an address."""
    return (len(key.encode()) + 3) * 4 // 3


def fields(*names: str) -> Sequence[tuple[str, str]]:
    """Return the parameters that ask for fields; a dot reaches into the next record."""
    return [("f", name) for name in names]
