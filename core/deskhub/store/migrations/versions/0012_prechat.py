"""The form before a conversation, and what was answered before the first message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
compat = "0001"


def upgrade() -> None:
    """Give inboxes a form, and visitors' answers a place until they write."""
    op.add_column("inbox_setting", sa.Column("prechat", sa.JSON(), nullable=True))
    op.create_table(
        "prechat_answer",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("visitor", sa.Text(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "visitor", name=op.f("pk_prechat_answer")),
    )
