"""The chat's tables: the log and its counter, conversations, customers, marks, drafts."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.metadata import UtcTime, metadata

# One row per tenant; locked by whoever writes the log, so that `head` has no gaps.
tenant = sa.Table(
    "tenant",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Text, nullable=False),
    sa.Column("head", sa.BigInteger, nullable=False),
)

# `inbox` and `visitor` repeat the conversation's, so that whether somebody may see an event is
# decided by the row alone. `digest` is the fingerprint of the command behind `cid`.
event = sa.Table(
    "event",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("cid", sa.Text),
    sa.Column("digest", sa.LargeBinary),
    sa.Column("inbox", sa.Text),
    sa.Column("visitor", sa.Text),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Index("ix_event_conversation", "tenant", "conversation", "seq"),
    sa.Index("uq_event_cid", "tenant", "by", "cid", unique=True),
)

conversation = sa.Table(
    "conversation",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("inbox", sa.Text, nullable=False),
    sa.Column("visitor", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("language", sa.Text),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("last_at", UtcTime, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("customer", sa.Text),
    sa.Column("assignee", sa.Text),
    sa.Column("assignee_name", sa.Text),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("links", sa.JSON, nullable=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("last_by", sa.Text, nullable=False),
    sa.Column("last_kind", sa.Text, nullable=False),
    sa.Column("last_text", sa.Text, nullable=False),
    sa.Column("waiting_since", UtcTime),
    sa.Column("snoozed_until", UtcTime),
    sa.Column("visitor_read_seq", sa.BigInteger, nullable=False),
    sa.Column("agent_read_seq", sa.BigInteger, nullable=False),
    sa.Column("visitor_messages", sa.BigInteger, nullable=False),
    sa.Column("visitor_last_seq", sa.BigInteger, nullable=False),
    sa.Column("head", sa.BigInteger, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Index("ix_conversation_state", "tenant", "state", "last_seq"),
    sa.Index("ix_conversation_last", "tenant", "last_seq"),
    sa.Index("ix_conversation_visitor", "tenant", "visitor"),
    sa.Index("ix_conversation_customer", "tenant", "customer"),
    sa.Index("ix_conversation_snoozed", "snoozed_until"),
)

customer = sa.Table(
    "customer",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("phone", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("external", sa.JSON, nullable=False),
    sa.Column("since", UtcTime, nullable=False),
    sa.Index("uq_customer_subject", "tenant", "subject", unique=True),
)

# Which customer a visitor's browser was proven to belong to.
customer_visitor = sa.Table(
    "customer_visitor",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("visitor", sa.Text, primary_key=True),
    sa.Column("customer", sa.Text, nullable=False),
    sa.Index("ix_customer_visitor_customer", "tenant", "customer"),
)

# Objects of business systems (`orders:1042`) and the conversations they concern.
conversation_object = sa.Table(
    "conversation_object",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("object", sa.Text, primary_key=True),
    sa.Column("conversation", sa.Text, primary_key=True),
)

mark = sa.Table(
    "mark",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("conversation", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("seen", sa.BigInteger, nullable=False),
)

draft = sa.Table(
    "draft",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("conversation", sa.Text, primary_key=True),
    sa.Column("mode", sa.Text, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

# The latest edit of the message or note `seq`: the event `edited_seq` holds its text.
message_edit = sa.Table(
    "message_edit",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("edited_seq", sa.BigInteger, nullable=False),
)
