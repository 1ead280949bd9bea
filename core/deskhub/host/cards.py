"""A card on its way out of an adapter: encoded, checked, without any of the hub's secrets."""

from __future__ import annotations

from deskhub.log import without_secrets
from deskhub_sdk.cards import Card, CardError, encode_card


def sent_card(card: Card) -> bytes:
    """Return *card* as JSON. Raises `CardError`, also when a secret stands in it.

    An adapter that shows its token shows a mistake; the card is not shown at all.
    """
    data = encode_card(card)
    text = data.decode()
    if without_secrets(text) != text:
        raise CardError(f"a secret stands in it - at $ of card {without_secrets(card.id)}")
    return data
