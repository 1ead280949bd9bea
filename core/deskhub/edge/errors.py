"""Errors that only exist because there is HTTP."""

from __future__ import annotations

from deskhub.errors import HubError


class BadRequest(HubError):
    """A request that HTTP itself does not allow here."""

    code = "bad_request"
    status = 400
    retry = "never"
    text = "The server does not understand this request."


class MethodNotAllowed(HubError):
    """The address exists, but not for this method."""

    code = "method_not_allowed"
    status = 405
    retry = "never"
    text = "This address does not answer this method."


class HeadersTooLarge(HubError):
    """More header bytes than the server reads."""

    code = "headers_too_large"
    status = 431
    retry = "never"
    text = "The request's headers are larger than 16 KiB."


class UnsupportedMedia(HubError):
    """A body of a type that this address does not read."""

    code = "unsupported_media_type"
    status = 415
    retry = "never"
    text = "Send the request's body as application/json."


class TokenInUrl(HubError):
    """A token in an address ends up in logs and histories; it is not accepted there."""

    code = "token_in_url"
    status = 400
    retry = "never"
    text = "Tokens belong into the Authorization header, never into the address."


class NotReady(HubError):
    """A part that this request needs is not there or is shutting down."""

    code = "not_ready"
    status = 503
    retry = "later"
    text = "The server is starting or stopping. Try again in a moment."


class PortInUse(HubError):
    """Another program listens where the hub should."""

    code = "DH110"
    status = 500
    retry = "never"
    text = "The address in hub.toml is used by another program."
