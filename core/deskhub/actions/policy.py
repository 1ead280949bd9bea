"""The order of goods and money in a return: a policy, not a matter of the adapters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import msgspec

from deskhub.actions.planner import Offer

GoodsIn = Literal["never", "before_refund", "after_refund"]
GOODS = "goods_in"
MONEY = "refunded"


def ordered(offers: Sequence[Offer], goods_in: GoodsIn) -> list[Offer]:
    """Return *offers* as the policy wants them.

    ``before_refund``: the parcel is awaited like everything else before the money.
    ``after_refund``: the money goes at once, and the run still waits for the parcel.
    ``never``: nobody waits.
    """
    if not any(one.spec.provides == GOODS for one in offers):
        return list(offers)
    if goods_in == "never":
        return [one for one in offers if one.spec.provides != GOODS]
    return [_placed(one, goods_in) for one in offers]


def _placed(offer: Offer, goods_in: GoodsIn) -> Offer:
    spec = offer.spec
    waits = goods_in == "after_refund"
    if spec.provides == GOODS and waits:
        needs = (*spec.needs, MONEY)
        spec = msgspec.structs.replace(spec, kind="retriable", needs=needs)
    elif spec.provides == MONEY and not waits:
        spec = msgspec.structs.replace(spec, needs=(*spec.needs, GOODS))
    return replace(offer, spec=spec)
