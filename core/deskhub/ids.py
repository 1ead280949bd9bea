"""Ids: time-ordered for rows, random for handles that must not be guessed."""

from __future__ import annotations

import secrets

import uuid_utils


def new_id(prefix: str) -> str:
    """Return a new id such as ``c_0198c5…``: UUIDv7, so that rows arrive in key order.

    It carries 74 random bits and is no secret: access is always checked beside it.
    """
    return f"{prefix}_{uuid_utils.uuid7().hex}"


def new_secret(bits: int = 256) -> str:
    """Return an unguessable URL-safe text of at least *bits* (≥ 128)."""
    return secrets.token_urlsafe(bits // 8)
