"""Payments and refunds of a Stripe account."""

from deskhub_payments_stripe.adapter import PaymentsStripe
from deskhub_payments_stripe.settings import StripeConfig

__all__ = ["PaymentsStripe", "StripeConfig"]
