"""The tables, one module for each area."""

from deskhub.store.tables import actions, chat, desk, files, hub, identity, notify

__all__ = ["actions", "chat", "desk", "files", "hub", "identity", "notify"]
