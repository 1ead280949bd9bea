"""What agents keep for their own work: views of the inbox."""

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
