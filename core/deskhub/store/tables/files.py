"""Uploaded files: what is known of each; their bytes lie elsewhere, under the same id."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.metadata import UtcTime, metadata

# `state` goes receiving -> ready -> attached, and deleting before it is gone: whatever process
# dies in between, the row tells what is left to be removed. `visitor` is who may read it beside
# the inbox's agents; it and `conversation` are known once a message uses the file.
file = sa.Table(
    "file",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("media", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("thumb_width", sa.Integer),
    sa.Column("thumb_height", sa.Integer),
    sa.Column("conversation", sa.Text),
    sa.Column("inbox", sa.Text),
    sa.Column("visitor", sa.Text),
    sa.Index("ix_file_by", "tenant", "by", "state"),
    sa.Index("ix_file_conversation", "tenant", "conversation"),
    sa.Index("ix_file_state", "state", "at"),
)
