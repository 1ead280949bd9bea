"""Roundup for Deskhub: open cases in batches, followed by polling, opened exactly once."""

from deskhub_tickets_roundup.adapter import TicketsRoundup

__all__ = ["TicketsRoundup"]
