"""Payments and refunds of a payment provider."""

from deskhub_payments.adapter import Payments
from deskhub_payments.settings import PaymentsConfig

__all__ = ["Payments", "PaymentsConfig"]
