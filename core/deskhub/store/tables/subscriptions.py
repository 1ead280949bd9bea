"""Outbound webhooks: who is told of what, each delivery, and every attempt at it."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.metadata import UtcTime, metadata

# `state` is active or disabled, and `why` says who disabled it: admin, gone (the far side
# answered 410) or full. `secret` and `old_secret` are encrypted; the old one signs too until
# `old_until`. Events after `from_seq` are told: where the log stood when it was switched on.
# `failing_since` is set by the first failure and cleared by a success.
subscription = sa.Table(
    "subscription",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kinds", sa.JSON, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("old_secret", sa.Text, nullable=False),
    sa.Column("old_until", UtcTime),
    sa.Column("from_seq", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("failing_since", UtcTime),
)

# `seq` is the event in the log, whose text is read at each attempt and kept nowhere else; a
# test has none. `state` is waiting, done or failed; `tries` counts since it last began anew,
# `attempts` all. `status` and `error` are the last attempt's.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("subscription", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcTime, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Column("ms", sa.Float),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.Text, nullable=False),
    sa.Index("ix_delivery_due", "tenant", "state", "subscription", "next_at"),
    sa.Index("ix_delivery_listed", "tenant", "subscription", "created_at"),
    sa.Index("ix_delivery_conversation", "tenant", "conversation"),
)

# What the far side answered, cut to a few kilobytes.
delivery_attempt = sa.Table(
    "delivery_attempt",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("delivery", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("ms", sa.Float, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
