"""What an exception of a database says: it is away, two writers met, or the work is wrong."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa

# Classes of SQLSTATE: connection, resources (a full disk), operator (a restart, a time-out),
# system (I/O); a user or a database that is not known, or not let in, at this moment.
_REFUSED_CLASSES = ("28", "3D")
_DOWN_CLASSES = ("08", "53", "57", "58", *_REFUSED_CLASSES)
# This server has become a read-only replica; it takes no connections; a lock was not given
# in time.
_DOWN = frozenset({"25006", "55000", "55P03"})
# Serialisation failure and deadlock: the same transaction may succeed a moment later.
_CONFLICTS = frozenset({"40001", "40P01"})
# A character that a PostgreSQL text cannot hold.
_UNSTORABLE = frozenset({"22021", "22P05"})


def is_down(error: BaseException) -> bool:
    """Return whether the database could not be reached or refused for its own reasons."""
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | OSError):
        return True
    if isinstance(error, sa.exc.TimeoutError):
        return True
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    state = _state(error)
    return state[:2] in _DOWN_CLASSES or state in _DOWN


def is_conflict(error: BaseException) -> bool:
    """Return whether doing the same transaction again may help."""
    return _state(error) in _CONFLICTS


def is_refused(error: BaseException) -> bool:
    """Return whether the server knows no such user, password or database."""
    return _state(error)[:2] in _REFUSED_CLASSES


def is_locked(error: sa.exc.DBAPIError) -> bool:
    """Return whether another process holds SQLite's file, for now."""
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    # The low byte is the primary code; the others say in which moment (SQLite, Result Codes).
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_unstorable(error: BaseException) -> bool:
    """Return whether a text holds something that this database cannot keep."""
    return _state(error) in _UNSTORABLE


def _state(error: BaseException) -> str:
    """Return the SQLSTATE behind *error*, or an empty text where there is none."""
    for one in (error, getattr(error, "orig", None)):
        state = getattr(one, "sqlstate", None)
        if isinstance(state, str):
            return state
    return ""
