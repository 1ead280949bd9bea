"""Plans, runs, their steps and attempts, and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.metadata import UtcTime, metadata

_ID = sa.String(64)

action_plan = sa.Table(
    "action_plan",
    metadata,
    sa.Column("tenant", _ID, primary_key=True),
    sa.Column("id", _ID, primary_key=True),
    sa.Column("type", sa.String(80), nullable=False),
    sa.Column("object", sa.String(200), nullable=False),
    sa.Column("conversation", _ID, nullable=False),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("digest", sa.String(80), nullable=False),
    sa.Column("basis", sa.String(80), nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("run", _ID),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
)

action_run = sa.Table(
    "action_run",
    metadata,
    sa.Column("tenant", _ID, primary_key=True),
    sa.Column("id", _ID, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("type", sa.String(80), nullable=False),
    sa.Column("object", sa.String(200), nullable=False),
    sa.Column("conversation", _ID, nullable=False),
    sa.Column("inbox", _ID, nullable=False),
    sa.Column("visitor", _ID),
    sa.Column("language", sa.String(20), nullable=False),
    sa.Column("plan", _ID, nullable=False),
    sa.Column("digest", sa.String(80), nullable=False),
    sa.Column("basis", sa.String(80), nullable=False),
    sa.Column("input", sa.JSON, nullable=False),
    sa.Column("subject", sa.JSON, nullable=False),
    sa.Column("customer", sa.JSON),
    sa.Column("customer_id", _ID),
    sa.Column("actor", sa.JSON, nullable=False),
    sa.Column("approver", sa.JSON),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("direction", sa.String(10), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("cause", sa.Text, nullable=False, default=""),
    sa.Column("fence", sa.Integer, nullable=False, default=0),
    sa.Column("owner", sa.String(80), nullable=False, default=""),
    sa.Column("lease_until", UtcTime, nullable=False),
    sa.Column("rev", sa.Integer, nullable=False, default=0),
    sa.Column("card_digest", sa.String(80), nullable=False, default=""),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Column("wake_on", sa.String(200)),
    sa.Column("wake_instance", _ID),
    sa.Column("wake_at", UtcTime),
    sa.Column("waiting_since", UtcTime),
    sa.UniqueConstraint("tenant", "number"),
)

# Twenty clicks by two agents are one run: the database keeps it, not a lock in one process.
sa.Index(
    "uq_action_run_active_object",
    action_run.c.tenant,
    action_run.c.type,
    action_run.c.object,
    unique=True,
    sqlite_where=action_run.c.active.is_(True),
    postgresql_where=action_run.c.active.is_(True),
)
sa.Index("ix_action_run_state_lease_until", action_run.c.state, action_run.c.lease_until)
sa.Index("ix_action_run_conversation", action_run.c.tenant, action_run.c.conversation)
sa.Index("ix_action_run_customer_id", action_run.c.tenant, action_run.c.customer_id)
sa.Index("ix_action_run_object", action_run.c.tenant, action_run.c.object)

# A second person's yes or no to exactly one digest; a plan has at most one request.
action_approval = sa.Table(
    "action_approval",
    metadata,
    sa.Column("tenant", _ID, primary_key=True),
    sa.Column("id", _ID, primary_key=True),
    sa.Column("plan", _ID, nullable=False),
    sa.Column("digest", sa.String(80), nullable=False),
    sa.Column("inbox", _ID, nullable=False),
    sa.Column("limit_text", sa.String(80), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("asker", sa.JSON, nullable=False),
    sa.Column("asked_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("approver", sa.JSON),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("decided_at", UtcTime),
    sa.Column("run", _ID),
    sa.UniqueConstraint("tenant", "plan"),
)

action_step = sa.Table(
    "action_step",
    metadata,
    sa.Column("tenant", _ID, primary_key=True),
    sa.Column("run", _ID, primary_key=True),
    sa.Column("id", _ID, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("wave", sa.Integer, nullable=False),
    sa.Column("instance", _ID, nullable=False),
    sa.Column("version", sa.String(40), nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("shown", sa.JSON, nullable=False),
    sa.Column("key", sa.String(80), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("fact", sa.JSON),
    sa.Column("result", sa.Text, nullable=False, default=""),
    sa.Column("started_at", UtcTime),
    sa.Column("ended_at", UtcTime),
)

action_attempt = sa.Table(
    "action_attempt",
    metadata,
    sa.Column("tenant", _ID, primary_key=True),
    sa.Column("run", _ID, primary_key=True),
    sa.Column("step", _ID, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("what", sa.String(10), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("ms", sa.Float, nullable=False),
    sa.Column("ok", sa.Boolean, nullable=False),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("tenant", _ID, primary_key=True),
    sa.Column("id", _ID, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("what", sa.String(80), nullable=False),
    sa.Column("object", sa.String(200), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("prev_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.UniqueConstraint("tenant", "seq"),
)
sa.Index("ix_audit_tenant_at", audit.c.tenant, audit.c.at)
