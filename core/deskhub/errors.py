"""One tree of errors: a class for each decision a caller can take, with a stable code.

`HubError` subclasses register themselves in `CATALOGUE`; what a client is told comes from
there and never from an exception's own text.
"""

from __future__ import annotations

from typing import ClassVar, Literal

Retry = Literal["never", "same", "later"]

CATALOGUE: dict[str, type[HubError]] = {}


class ExtraMissing(Exception):
    """hub.toml asks for something whose packages are not installed; the text says which."""


class HubError(Exception):
    """A failure the caller can do something about.

    *code* is stable and on the wire, *status* its HTTP status, *retry* says whether the same
    request may be sent again: ``never``, ``same`` (at once, same id) or ``later`` (after
    *after_ms*). *text* is the sentence a person reads. *fields* binds problems to input
    fields: ``({"path", "code", "text"}, …)``.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = "later"
    text: ClassVar[str] = "Something went wrong here. It was logged and can be tried again."

    def __init_subclass__(cls) -> None:
        """Enter the class into the catalogue; a code has one class."""
        super().__init_subclass__()
        if "code" in cls.__dict__:
            if cls.code in CATALOGUE:
                raise TypeError(f"error code {cls.code!r} is taken by {CATALOGUE[cls.code]}")
            CATALOGUE[cls.code] = cls

    def __init__(
        self,
        detail: str = "",
        *,
        after_ms: int | None = None,
        fields: tuple[dict[str, str], ...] = (),
    ) -> None:
        """Keep *detail* for the log and *after_ms* and *fields* for the caller."""
        super().__init__(detail or self.text)
        self.after_ms = after_ms
        self.fields = fields


CATALOGUE["internal"] = HubError


class Invalid(HubError):
    """The request does not have the right shape; *fields* says where."""

    code = "invalid"
    status = 422
    retry = "never"
    text = "The request does not have the right shape."


class UnknownType(HubError):
    """A frame of a type that this server does not know."""

    code = "unknown_type"
    status = 422
    retry = "never"
    text = "This server does not know that kind of frame."


class Unauthenticated(HubError):
    """No token, or one that is wrong, expired or revoked."""

    code = "unauthenticated"
    status = 401
    retry = "never"
    text = "Please sign in again."


class Forbidden(HubError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403
    retry = "never"
    text = "You are not allowed to do this."


class NotFound(HubError):
    """There is no such thing for this caller; foreign things look the same as absent ones."""

    code = "not_found"
    status = 404
    retry = "never"
    text = "There is no such thing here."


class Conflict(HubError):
    """The thing is in a state that does not allow this."""

    code = "conflict"
    status = 409
    retry = "never"
    text = "This is not possible in the present state."


class CidReuse(HubError):
    """The same client id was used for two different commands."""

    code = "cid_reuse"
    status = 409
    retry = "never"
    text = "This id was already used for something else."


class TooLarge(HubError):
    """Over a limit of size."""

    code = "too_large"
    status = 413
    retry = "never"
    text = "This is larger than allowed."


class RateLimited(HubError):
    """Over a limit of rate."""

    code = "rate_limited"
    status = 429
    retry = "later"
    text = "Too many requests. Try again in a moment."


class TooManyConnections(HubError):
    """Over a limit of open connections."""

    code = "too_many_connections"
    status = 429
    retry = "later"
    text = "Too many open connections."


class Busy(HubError):
    """The server is at its limit; nothing was stored."""

    code = "busy"
    status = 503
    retry = "later"
    text = "The server is busy. Nothing was lost; it will be tried again."


class StoreDown(HubError):
    """The database cannot be written; nothing was acknowledged."""

    code = "store_down"
    status = 503
    retry = "later"
    text = "Messages cannot be stored right now. They are kept and sent later."
