"""What reports count: ratings, and each stretch of a conversation from opening to closing."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.metadata import UtcTime, metadata

# The latest rating of a conversation; written with its event.
rating = sa.Table(
    "rating",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("conversation", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("score", sa.Integer, nullable=False),
)

# A stretch begins when a conversation is opened or reopened, at event `seq`, and ends when it
# is closed. It is made from the log alone, and made anew when the log is another one.
stretch = sa.Table(
    "stretch",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("conversation", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("inbox", sa.Text, nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("asked_at", UtcTime),
    sa.Column("answered_at", UtcTime),
    sa.Column("answered_by", sa.Text),
    sa.Column("assignee", sa.Text),
    sa.Column("closed_at", UtcTime),
    sa.Column("closed_seq", sa.BigInteger),
    sa.Column("closed_by", sa.Text),
    sa.Column("is_late_reply", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("is_late_solution", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("score", sa.Integer),
    sa.Column("rated_at", UtcTime),
    sa.Column("rated_seq", sa.BigInteger),
    sa.Index("ix_stretch_opened", "tenant", "opened_at"),
    sa.Index("ix_stretch_closed", "tenant", "closed_at"),
    sa.Index("ix_stretch_rated", "tenant", "rated_at"),
)

# How far the stretches are up with the tenant's log.
report_place = sa.Table(
    "report_place",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
)
