"""Structured logs: an event name in the past tense with fields, one JSON object a line.

Message text, tokens and addresses never enter a log call; `SECRET_KEYS` is the last net, not
the rule.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

import orjson

bound: ContextVar[dict[str, object] | None] = ContextVar("deskhub_log_fields", default=None)

SECRET_KEYS = frozenset(
    {"token", "password", "secret", "authorization", "cookie", "text", "email", "phone"}
)
# Shorter ones would hide ordinary words.
SECRET_CHARS = 6
HIDDEN = "••••"
_concealed: set[str] = set()
_QUOTED = re.compile(r"DETAIL: [^\n]*")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def conceal(secret: str) -> None:
    """Hide *secret* from now on, whoever writes it into a log line."""
    if len(secret) >= SECRET_CHARS:
        _concealed.add(secret)
        # As a line of JSON would show it.
        _concealed.add(orjson.dumps(secret).decode()[1:-1])


def without_secrets(text: str) -> str:
    """Return *text* with every concealed secret hidden."""
    for secret in _concealed:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what the caller added to *record*, without values of secret names."""
    own = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    joined = {**(bound.get() or {}), **own}
    return {key: "…" if key in SECRET_KEYS else value for key, value in joined.items()}


class JsonLines(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as JSON with ``at``, ``level``, ``event`` and its fields."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **fields_of(record),
        }
        if record.exc_info:
            line["error"] = _fault(record)[-4000:]
        text = orjson.dumps(line, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
        return without_secrets(text)


class PlainLines(logging.Formatter):
    """Short lines for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, event and fields on one line."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = " ".join(f"{key}={value}" for key, value in fields_of(record).items())
        line = f"{moment} {record.levelname.lower():7} {record.getMessage()} {fields}".rstrip()
        if record.exc_info:
            line += "\n" + _fault(record)
        return without_secrets(line)


def _fault(record: logging.LogRecord) -> str:
    """Return the traceback without the rows that a database quotes when it refuses them."""
    if not record.exc_info:
        return ""
    told = "".join(traceback.format_exception(*record.exc_info))
    return _QUOTED.sub("DETAIL: …", told)


def configure(level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send all logs to *stream* (stderr): JSON where a machine reads, plain on a terminal."""
    target = stream or sys.stderr
    handler = logging.StreamHandler(target)
    handler.setFormatter(PlainLines() if target.isatty() else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn", "uvicorn.error", "alembic", "aiohttp.access", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
