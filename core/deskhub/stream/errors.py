"""How a stream ends, and what a frame can be refused for."""

from __future__ import annotations

from enum import IntEnum

from deskhub.errors import HubError


class Close(IntEnum):
    """Close codes: 4000–4499 come back, 4500–4999 do not."""

    RESTART = 1012
    DRAIN = 4400
    TOKEN_EXPIRED = 4401
    STUCK = 4408
    RATE = 4409
    PROTOCOL = 4500
    BAD_TOKEN = 4501
    SUBJECT_CHANGED = 4503
    REVOKED = 4504
    TOO_MANY = 4505
    ORIGIN = 4506
    FRAME_TOO_BIG = 4513


class Closed(Exception):
    """The session is over; *code* goes to the client."""

    def __init__(self, code: Close) -> None:
        """Keep the code."""
        super().__init__(code.name)
        self.code = code


class BadCursor(HubError):
    """A cursor that this server never gave out."""

    code = "bad_cursor"
    status = 422
    retry = "never"
    text = "This position is not known here. Load the snapshot."


class Draining(HubError):
    """The process is about to end; another one takes new connections."""

    code = "draining"
    status = 503
    retry = "later"
    text = "The server is restarting. Connect again in a moment."


class TooDeep(HubError):
    """JSON nested deeper than any real request."""

    code = "too_deep"
    status = 422
    retry = "never"
    text = "The request's JSON is nested more than 64 levels deep."
