"""Amounts as Stripe counts them, which is not ISO 4217 for every currency."""

from __future__ import annotations

from decimal import Decimal

from deskhub_sdk import Malformed, Money

# Stripe's list of zero-decimal currencies. UGX and ISK have no decimals either, and are sent
# in hundredths all the same: they once had them.
WHOLE = frozenset({
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
})  # fmt: skip
# Thousandths, of which the last digit has to be nought.
THOUSANDTHS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
HUNDREDS_ONLY = frozenset({"ISK", "UGX"})


def exponent(currency: str) -> int:
    """Return how many decimals Stripe counts of *currency*."""
    if currency in WHOLE:
        return 0
    return 3 if currency in THOUSANDTHS else 2


def amount_of(units: int, currency: str) -> Money:
    """Return *units* as Stripe counts them as money. Raises `Malformed` for none."""
    try:
        shape = Money("0", currency)
        value = Decimal(units).scaleb(-exponent(currency))
        places = min(shape.exponent, exponent(currency))
        shown = value.quantize(Decimal(1).scaleb(-places))
        if shown != value:
            raise ValueError(f"{units} has more decimals than {currency}")
        return Money(f"{shown:f}", currency)
    except (ValueError, ArithmeticError) as error:
        raise Malformed(f"Stripe's amount is not money: {error}") from error


def units_of(amount: Money) -> int:
    """Return *amount* as Stripe counts it. Raises `ValueError` for what Stripe cannot move."""
    units = Decimal(amount.amount).scaleb(exponent(amount.currency))
    step = _step(amount.currency)
    if units != units.to_integral_value() or units % step:
        raise ValueError(f"Stripe cannot move {amount.amount} {amount.currency}")
    return int(units)


def _step(currency: str) -> int:
    if currency in THOUSANDTHS:
        return 10
    return 100 if currency in HUNDREDS_ONLY else 1
