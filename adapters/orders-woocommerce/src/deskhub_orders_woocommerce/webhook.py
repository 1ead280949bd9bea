"""What the shop pushes: base64 HMAC-SHA256 over the raw bytes, and no time under it.

The payload is made when it leaves, so it may be newer than what happened; the shop never sends
it again, and gives two deliveries of one second the same id. It says which order to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from deskhub_orders_woocommerce.mapping import CHANGED, WooOrder, moment
from deskhub_sdk import Forged, Signal, WebhookRequest, webhooks
from deskhub_sdk.rest import parsed

TOPIC = "x-wc-webhook-topic"


def signals_in(
    request: WebhookRequest, instance: str, secrets: Sequence[str], max_age_s: float
) -> Sequence[Signal]:
    """Return the order to be read again, if *request* is genuine. Raises `Forged`.

    The age is that of the order's last change, which stands in what is signed. A deletion
    holds nothing but the id and no age: it is left to polling.
    """
    dedupe = webhooks.verify(request, webhooks.WOOCOMMERCE, secrets)
    topic = request.headers.get(TOPIC, "")
    if not topic.startswith("order.") or topic == "order.deleted":
        return ()
    woo = parsed(request.body, WooOrder, "the shop's webhook")
    changed_at = moment(woo.date_modified_gmt)
    if abs(request.received_at - changed_at) > timedelta(seconds=max_age_s):
        raise Forged(f"order {woo.id} did not change just now")
    return (
        Signal(
            kind=CHANGED,
            dedupe=dedupe,
            object=f"{instance}:{woo.id}",
            version=woo.version,
            at=changed_at,
            thin=True,
        ),
    )
