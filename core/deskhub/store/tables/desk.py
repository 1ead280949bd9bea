"""What agents keep for their own work, and what admins decide of an inbox."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.metadata import UtcTime, metadata

# `address` is the console's, after /inbox/: the view with its filters.
saved_view = sa.Table(
    "saved_view",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("is_shared", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("ix_saved_view_owner", "tenant", "owner"),
)

# What admins decide of an inbox while the hub runs; one without a row asks for ratings.
inbox_setting = sa.Table(
    "inbox_setting",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("inbox", sa.Text, primary_key=True),
    sa.Column("asks_rating", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("prechat", sa.JSON(none_as_null=True), nullable=True),
)

# What a visitor answered to the inbox's form; with their first message it goes into the log.
prechat_answer = sa.Table(
    "prechat_answer",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("visitor", sa.Text, primary_key=True),
    sa.Column("answers", sa.JSON, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)
