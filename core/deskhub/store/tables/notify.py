"""Mail to customers, and notices to browsers: what is to be sent and was, and where to."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.metadata import UtcTime, metadata

# `state` goes waiting -> handing -> sent. What was refused ends as failed; what a server may or
# may not have taken, as unknown, and a person decides. An answers mail holds what was said from
# `from_seq` on, a transcript what was said up to `until_seq`. `address` is empty until the mail
# is handed over, unless somebody asked for it.
mail = sa.Table(
    "mail",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("from_seq", sa.BigInteger, nullable=False),
    sa.Column("until_seq", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcTime, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("sent_at", UtcTime),
    sa.Index("ix_mail_due", "tenant", "state", "next_at"),
    sa.Index("ix_mail_conversation", "tenant", "conversation"),
)

# Where a visitor wants answers that come while they are away. Nobody vouches for it.
mail_contact = sa.Table(
    "mail_contact",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("visitor", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

mail_stop = sa.Table(
    "mail_stop",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
)

# A browser that wants to be told. The id is made of the endpoint: one device is one row,
# whoever uses it now. `owner` is `visitor:…` or `agent:…`.
push_device = sa.Table(
    "push_device",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("p256dh", sa.Text, nullable=False),
    sa.Column("auth", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Index("ix_push_device_owner", "tenant", "owner"),
)

# `state` goes waiting -> handing -> sent. What the service refused ends as failed; what it may
# or may not have taken, as unknown, and is not sent again. `until_seq` is the last message that
# the notice is about.
push = sa.Table(
    "push",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("until_seq", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcTime, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("ix_push_due", "tenant", "state", "next_at"),
    sa.Index("ix_push_conversation", "tenant", "conversation"),
)

# Somebody who writes from outside: one visitor for each thread of a channel. `address` is where
# answers go and is proven by nobody; `first_key` and `last_key` name what came in.
channel_visitor = sa.Table(
    "channel_visitor",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("visitor", sa.Text, primary_key=True),
    sa.Column("instance", sa.Text, nullable=False),
    sa.Column("inbox", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("first_key", sa.Text, nullable=False),
    sa.Column("last_key", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)
