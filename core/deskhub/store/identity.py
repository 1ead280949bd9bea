"""Queries of agents and sessions: the store's side of `deskhub.identity.ports`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from deskhub.clock import Clock
from deskhub.identity.errors import EmailTaken
from deskhub.identity.model import Role
from deskhub.identity.records import Agent, Session
from deskhub.store.identity_tokens import SqlApiTokens
from deskhub.store.identity_visitors import SqlVisitors
from deskhub.store.store import Store
from deskhub.store.tables import identity as t
from deskhub.store.tx import Tx

# What nobody can take any more is swept with the next write, a little at a time.
SWEEP = 100


class SqlIdentity(SqlVisitors, SqlApiTokens):
    """Agents, sessions, visitors, tokens and one-time codes in the hub's database."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Use *store*; *clock* decides which sessions are over."""
        super().__init__(store)
        self._clock = clock

    async def agents_by_email(self, email: str) -> Sequence[Agent]:
        """Return the agents with *email* (lower case) in any tenant, at most ten."""
        query = sa.select(t.agent).where(t.agent.c.email == email).limit(10)
        return await self._store.read(lambda db: [_agent(row) for row in db.execute(query)])

    async def agent(self, tenant: str, agent: str) -> Agent | None:
        """Return an agent, also a deactivated one."""
        return await self._store.read(lambda db: _get(db, tenant, agent))

    async def agents(self, tenant: str) -> Sequence[Agent]:
        """Return the tenant's active agents, by name."""
        query = (
            sa.select(t.agent)
            .where(t.agent.c.tenant == tenant, t.agent.c.active)
            .order_by(t.agent.c.name, t.agent.c.id)
        )
        return await self._store.read(lambda db: [_agent(row) for row in db.execute(query)])

    async def add_agent(self, agent: Agent) -> None:
        """Store a new agent. Raises `EmailTaken`."""

        def work(tx: Tx) -> None:
            same = sa.select(t.agent.c.id).where(
                t.agent.c.tenant == agent.tenant, t.agent.c.email == agent.email
            )
            if tx.connection.execute(same).first():
                raise EmailTaken
            tx.connection.execute(
                sa.insert(t.agent).values(
                    tenant=agent.tenant, id=agent.id, email=agent.email, name=agent.name,
                    role=agent.role, status=agent.status, capacity=agent.capacity,
                    inboxes=None if agent.inboxes is None else json.dumps(agent.inboxes),
                    active=agent.active, version=agent.version,
                    password_hash=agent.password_hash, created_at=tx.now,
                )
            )  # fmt: skip

        await self._store.transact(agent.tenant, work)

    async def set_profile(
        self, tenant: str, agent: str, *, name: str | None, status: str | None
    ) -> Agent | None:
        """Change what an agent may change about themselves; None leaves it."""
        values: dict[str, Any] = {"name": name, "status": status}
        return await self._change(tenant, agent, lambda _: _given(values))

    async def end_sessions(
        self,
        tenant: str,
        agent: str,
        *,
        active: bool | None = None,
        role: Role | None = None,
        password_hash: str | None = None,
    ) -> Agent | None:
        """Raise the agent's version and revoke all sessions, with the change that caused it."""
        values: dict[str, Any] = {
            "active": active,
            "role": role,
            "password_hash": password_hash,
        }

        def change(tx: Tx) -> dict[str, Any]:
            tx.connection.execute(
                sa.update(t.agent_session)
                .where(
                    t.agent_session.c.tenant == tenant,
                    t.agent_session.c.agent == agent,
                    t.agent_session.c.revoked_at.is_(None),
                )
                .values(revoked_at=tx.now)
            )
            return {"version": t.agent.c.version + 1} | _given(values)

        return await self._change(tenant, agent, change)

    async def linked_agent(self, tenant: str, issuer: str, subject: str) -> Agent | None:
        """Return the agent that (issuer, subject) signs in as."""
        link = sa.select(t.agent_link.c.agent).where(
            t.agent_link.c.tenant == tenant,
            t.agent_link.c.issuer == issuer,
            t.agent_link.c.subject == subject,
        )

        def query(db: sa.Connection) -> Agent | None:
            found = db.execute(link).scalar()
            return _get(db, tenant, found) if found else None

        return await self._store.read(query)

    async def link_agent(self, tenant: str, issuer: str, subject: str, agent: str) -> None:
        """Let (issuer, subject) sign in as *agent*; one account of an issuer for each agent."""

        def work(tx: Tx) -> None:
            other = sa.select(t.agent_link.c.subject).where(
                t.agent_link.c.tenant == tenant,
                t.agent_link.c.issuer == issuer,
                (t.agent_link.c.agent == agent) | (t.agent_link.c.subject == subject),
            )
            if tx.connection.execute(other).first():
                raise EmailTaken("the agent or the account is linked already")
            tx.connection.execute(
                sa.insert(t.agent_link).values(
                    tenant=tenant,
                    issuer=issuer,
                    subject=subject,
                    agent=agent,
                    created_at=tx.now,
                )
            )

        await self._store.transact(tenant, work)

    async def begin_session(self, session: Session, refresh_digest: str) -> None:
        """Store a session with its first refresh token; sweeps sessions that are over."""

        def work(tx: Tx) -> None:
            _sweep_sessions(tx, session.tenant)
            tx.connection.execute(
                sa.insert(t.agent_session).values(
                    tenant=session.tenant, id=session.id, agent=session.agent,
                    version=session.version, created_at=tx.now, expires_at=session.expires_at,
                )
            )  # fmt: skip
            _add_refresh(tx, session.tenant, session.id, refresh_digest)

        await self._store.transact(session.tenant, work)

    async def session_agent(self, tenant: str, session: str) -> Agent | None:
        """Return the agent of a session that is neither revoked nor expired."""

        def query(db: sa.Connection) -> Agent | None:
            row = _live_session(db, tenant, session, self._clock.now())
            agent = _get(db, tenant, row.agent) if row else None
            if row is None or agent is None or not agent.active:
                return None
            return agent if agent.version == row.version else None

        return await self._store.read(query)

    async def rotate(self, old_digest: str, new_digest: str) -> Session | None:
        """Use up a refresh token and store the next one; a reused one revokes the session."""
        find = sa.select(t.refresh_token).where(t.refresh_token.c.digest == old_digest)
        known = await self._store.read(lambda db: db.execute(find).first())
        if known is None:
            return None

        def work(tx: Tx) -> Session | None:
            token = tx.connection.execute(find).one()
            if token.used_at is not None:
                _revoke(tx, token.tenant, token.session)
                return None
            row = _live_session(tx.connection, token.tenant, token.session, tx.now)
            if row is None:
                return None
            tx.connection.execute(
                sa.update(t.refresh_token)
                .where(
                    t.refresh_token.c.tenant == token.tenant,
                    t.refresh_token.c.digest == old_digest,
                )
                .values(used_at=tx.now)
            )
            _add_refresh(tx, token.tenant, token.session, new_digest)
            return Session(row.tenant, row.id, row.agent, row.version, row.expires_at)

        return await self._store.transact(known.tenant, work)

    async def end_session(self, tenant: str, session: str) -> None:
        """Revoke one session."""
        await self._store.transact(tenant, lambda tx: _revoke(tx, tenant, session))

    async def put_once(
        self, tenant: str, purpose: str, digest: str, data: dict[str, str], expires_at: datetime
    ) -> None:
        """Store *data* that can be taken once; sweeps what is too old to be taken."""

        def work(tx: Tx) -> None:
            tx.connection.execute(
                sa.delete(t.once).where(t.once.c.tenant == tenant, t.once.c.expires_at < tx.now)
            )
            tx.connection.execute(
                sa.insert(t.once).values(
                    tenant=tenant, purpose=purpose, digest=digest, data=json.dumps(data),
                    expires_at=expires_at,
                )
            )  # fmt: skip

        await self._store.transact(tenant, work)

    async def take_once(self, purpose: str, digest: str) -> dict[str, str] | None:
        """Remove and return what was put, unless it is too old; with its ``tenant``."""
        find = sa.select(t.once).where(t.once.c.purpose == purpose, t.once.c.digest == digest)
        known = await self._store.read(lambda db: db.execute(find).first())
        if known is None:
            return None

        def work(tx: Tx) -> dict[str, str] | None:
            row = tx.connection.execute(find).first()
            if row is None:
                return None
            tx.connection.execute(
                sa.delete(t.once).where(
                    t.once.c.tenant == row.tenant,
                    t.once.c.purpose == purpose,
                    t.once.c.digest == digest,
                )
            )
            fresh = row.expires_at >= tx.now
            return {**json.loads(row.data), "tenant": row.tenant} if fresh else None

        return await self._store.transact(known.tenant, work)

    async def _change(
        self, tenant: str, agent: str, values: Callable[[Tx], dict[str, Any]]
    ) -> Agent | None:
        def work(tx: Tx) -> Agent | None:
            change = values(tx)
            if change:
                tx.connection.execute(
                    sa.update(t.agent)
                    .where(t.agent.c.tenant == tenant, t.agent.c.id == agent)
                    .values(**change)
                )
            return _get(tx.connection, tenant, agent)

        return await self._store.transact(tenant, work)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _get(db: sa.Connection, tenant: str, agent: str) -> Agent | None:
    query = sa.select(t.agent).where(t.agent.c.tenant == tenant, t.agent.c.id == agent)
    row = db.execute(query).first()
    return _agent(row) if row else None


def _agent(row: sa.Row[Any]) -> Agent:
    return Agent(
        tenant=row.tenant, id=row.id, email=row.email, name=row.name, role=row.role,
        status=row.status, capacity=row.capacity,
        inboxes=None if row.inboxes is None else tuple(json.loads(row.inboxes)),
        active=row.active, version=row.version, password_hash=row.password_hash,
    )  # fmt: skip


def _live_session(
    db: sa.Connection, tenant: str, session: str, now: datetime
) -> sa.Row[Any] | None:
    return db.execute(
        sa.select(t.agent_session).where(
            t.agent_session.c.tenant == tenant,
            t.agent_session.c.id == session,
            t.agent_session.c.revoked_at.is_(None),
            t.agent_session.c.expires_at > now,
        )
    ).first()


def _revoke(tx: Tx, tenant: str, session: str) -> None:
    tx.connection.execute(
        sa.update(t.agent_session)
        .where(
            t.agent_session.c.tenant == tenant,
            t.agent_session.c.id == session,
            t.agent_session.c.revoked_at.is_(None),
        )
        .values(revoked_at=tx.now)
    )


def _add_refresh(tx: Tx, tenant: str, session: str, digest: str) -> None:
    tx.connection.execute(
        sa.insert(t.refresh_token).values(
            tenant=tenant, digest=digest, session=session, created_at=tx.now
        )
    )


def _sweep_sessions(tx: Tx, tenant: str) -> None:
    """Remove sessions that ended by age, with their refresh tokens, at most `SWEEP`."""
    over = (
        tx.connection.execute(
            sa.select(t.agent_session.c.id)
            .where(t.agent_session.c.tenant == tenant, t.agent_session.c.expires_at < tx.now)
            .limit(SWEEP)
        )
        .scalars()
        .all()
    )
    if over:
        tx.connection.execute(
            sa.delete(t.refresh_token).where(
                t.refresh_token.c.tenant == tenant, t.refresh_token.c.session.in_(over)
            )
        )
        tx.connection.execute(
            sa.delete(t.agent_session).where(
                t.agent_session.c.tenant == tenant, t.agent_session.c.id.in_(over)
            )
        )
