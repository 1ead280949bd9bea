"""Adapters' durable values, their places in the log, and what business systems signalled."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.metadata import UtcTime, metadata

adapter_value = sa.Table(
    "adapter_value",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

# How far an instance has been told of the log; the log itself is its queue.
hook_cursor = sa.Table(
    "hook_cursor",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
)

# Announcements that an instance did not take after every attempt; kept until it is told again.
hook_dead = sa.Table(
    "hook_dead",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hook", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

# `digest` tells a repetition from another fact under the same id. `state` is pending, done,
# stale or dead; a row stays as long as its sender may repeat it.
signal = sa.Table(
    "signal",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("dedupe", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcTime, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Index("ix_signal_due", "state", "next_at"),
    sa.Index("ix_signal_object", "tenant", "instance", "object"),
)

object_version = sa.Table(
    "object_version",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("object", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("rank", sa.BigInteger, nullable=False, server_default="0"),
)

# Cards for customers without an open conversation, by the shop's customer number: they are
# shown when one opens. One for each object, the newest.
kept_card = sa.Table(
    "kept_card",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("object", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("card", sa.LargeBinary, nullable=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)
