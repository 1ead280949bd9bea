"""Tickets of a Zammad, followed live, opened once."""

from deskhub_tickets_zammad.adapter import TicketsZammad
from deskhub_tickets_zammad.settings import ZammadConfig

__all__ = ["TicketsZammad", "ZammadConfig"]
