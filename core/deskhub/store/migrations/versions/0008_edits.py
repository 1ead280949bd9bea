"""Edited messages, and what admins decide of an inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
compat = "0001"


def upgrade() -> None:
    """Create the tables of edits and of inboxes' settings."""
    op.create_table(
        "message_edit",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("edited_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "seq", name=op.f("pk_message_edit")),
    )
    op.create_table(
        "inbox_setting",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.Column("asks_rating", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "inbox", name=op.f("pk_inbox_setting")),
    )
