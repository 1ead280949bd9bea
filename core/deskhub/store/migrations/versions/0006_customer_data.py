"""Erasures, conversations that were erased, and mergers of customers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
compat = "0001"


def upgrade() -> None:
    """Create the tables of what happened to customers' records."""
    op.create_table(
        "erasure",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("conversations", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer", name=op.f("pk_erasure")),
    )
    op.create_index("ix_erasure_state", "erasure", ["state"], unique=False)
    op.create_table(
        "erased_conversation",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "conversation", name=op.f("pk_erased_conversation")),
    )
    op.create_table(
        "merged_customer",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("became", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer", name=op.f("pk_merged_customer")),
    )
    op.create_index(
        "ix_merged_customer_became", "merged_customer", ["tenant", "became"], unique=False
    )
    op.create_table(
        "customer_merge",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("gone", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_customer_merge")),
    )
    op.create_index(
        "ix_customer_merge_kept", "customer_merge", ["tenant", "kept"], unique=False
    )
    op.create_index(
        "ix_customer_merge_gone", "customer_merge", ["tenant", "gone"], unique=False
    )
