"""Tokens for programs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
compat = "0001"


def upgrade() -> None:
    """Create the table of API tokens."""
    op.create_table(
        "api_token",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("tenant", "name", name=op.f("uq_api_token_tenant_name")),
    )
    op.create_index("ix_api_token_digest", "api_token", ["digest"], unique=True)
