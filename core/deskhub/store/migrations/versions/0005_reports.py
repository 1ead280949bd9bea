"""Ratings, and what reports count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
compat = "0001"


def upgrade() -> None:
    """Create the tables of ratings and reports; reports are filled from the log."""
    op.create_table(
        "rating",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "conversation", name=op.f("pk_rating")),
    )
    op.create_table(
        "stretch",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_seq", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("is_late_reply", sa.Boolean(), nullable=False),
        sa.Column("is_late_solution", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("rated_at", sa.BigInteger(), nullable=True),
        sa.Column("rated_seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "conversation", "seq", name=op.f("pk_stretch")),
    )
    for name in ("opened", "closed", "rated"):
        op.create_index(f"ix_stretch_{name}", "stretch", ["tenant", f"{name}_at"], unique=False)
    op.create_table(
        "report_place",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_report_place")),
    )
