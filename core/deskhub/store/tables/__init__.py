"""The tables, one module for each area."""

from deskhub.store.tables import (
    actions,
    chat,
    customers,
    desk,
    files,
    hub,
    identity,
    notify,
    reports,
    subscriptions,
)

__all__ = [
    "actions", "chat", "customers", "desk", "files", "hub", "identity", "notify", "reports",
    "subscriptions",
]  # fmt: skip
