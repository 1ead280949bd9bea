"""Open cases of a ticket system, pushed when they change."""

from deskhub_tickets.adapter import Tickets, TicketsConfig

__all__ = ["Tickets", "TicketsConfig"]
