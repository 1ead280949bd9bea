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
)

__all__ = [
    "actions", "chat", "customers", "desk", "files", "hub", "identity", "notify", "reports",
]  # fmt: skip
