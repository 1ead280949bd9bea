"""Reports: stretches of conversations made from the log, and the figures counted in them."""

from deskhub.store.reports.follower import Reports

__all__ = ["Reports"]
