"""What happened to customers: erasures that must end, mergers that can be undone."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.metadata import UtcTime, metadata

# The durable marker of an erasure: written first, `done` last, so that a process that is
# killed between is followed by one that goes on. `state` is running, written or done.
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("customer", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Column("conversations", sa.Integer, nullable=False),
    sa.Column("files", sa.Integer, nullable=False),
    sa.Index("ix_erasure_state", "state"),
)

# `seq` is the event that says so: whatever comes after it was said later.
erased_conversation = sa.Table(
    "erased_conversation",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("conversation", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

# Who a person turned out to be: such a customer is nobody any more, until that is undone.
merged_customer = sa.Table(
    "merged_customer",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("customer", sa.Text, primary_key=True),
    sa.Column("became", sa.Text, nullable=False),
    sa.Index("ix_merged_customer_became", "tenant", "became"),
)

# `moved` are the ids of what changed hands, `before` the facts that were written over.
customer_merge = sa.Table(
    "customer_merge",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kept", sa.Text, nullable=False),
    sa.Column("gone", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("moved", sa.JSON, nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("undone_at", UtcTime),
    sa.Index("ix_customer_merge_kept", "tenant", "kept"),
    sa.Index("ix_customer_merge_gone", "tenant", "gone"),
)
