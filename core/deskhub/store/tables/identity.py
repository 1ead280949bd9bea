"""Tables of identity: agents, their sessions, visitors, tokens, what can be taken once."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.metadata import UtcTime, metadata

agent = sa.Table(
    "agent",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="online"),
    sa.Column("capacity", sa.Integer, nullable=False),
    # A JSON list of inbox ids; null means all of the tenant.
    sa.Column("inboxes", sa.Text),
    sa.Column("active", sa.Boolean(create_constraint=False), nullable=False),
    # Raised by everything that must end the agent's sessions.
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.UniqueConstraint("tenant", "email"),
    sa.Index("ix_agent_email", "email"),
)

agent_link = sa.Table(
    "agent_link",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
)

agent_session = sa.Table(
    "agent_session",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Column("revoked_at", UtcTime),
    sa.Index("ix_agent_session_agent", "tenant", "agent"),
)

# Only hashes of tokens are stored. Their indices are global: a token is all there is to go by.
refresh_token = sa.Table(
    "refresh_token",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("session", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("used_at", UtcTime),
    sa.Index("ix_refresh_token_digest", "digest", unique=True),
    sa.Index("ix_refresh_token_session", "tenant", "session"),
)

visitor = sa.Table(
    "visitor",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("inbox", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("ix_visitor_subject", "tenant", "inbox", "subject"),
)

# A person on several devices is one visitor with several tokens.
visitor_token = sa.Table(
    "visitor_token",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("visitor", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Index("ix_visitor_token_digest", "digest", unique=True),
    sa.Index("ix_visitor_token_visitor", "tenant", "visitor", "created_at"),
)

# What programs present instead of a sign-in.
api_token = sa.Table(
    "api_token",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    # The names of its scopes, with spaces between them.
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.UniqueConstraint("tenant", "name"),
    sa.Index("ix_api_token_digest", "digest", unique=True),
)

once = sa.Table(
    "once",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Index("ix_once_digest", "purpose", "digest", unique=True),
    sa.Index("ix_once_expires", "tenant", "expires_at"),
)
