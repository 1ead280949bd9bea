"""What asking for a mail can be refused for."""

from __future__ import annotations

from deskhub.errors import HubError


class MailOff(HubError):
    """The hub has no mail server: hub.toml has no [mail] server."""

    code = "mail_off"
    status = 409
    retry = "never"
    text = "This support desk does not send mail."


class MailNoAddress(HubError):
    """Nobody knows an address of this customer that may get what was asked for."""

    code = "mail_no_address"
    status = 409
    retry = "never"
    text = "No e-mail address of this customer is known."


class MailAddressRefused(HubError):
    """A text that is no e-mail address, or one that no server would take."""

    code = "mail_address_refused"
    status = 422
    retry = "never"
    text = "This is no e-mail address. Please check it."


class MailLinkUnknown(HubError):
    """An address of a mail's footer that was changed or cut off."""

    code = "mail_link_unknown"
    status = 404
    retry = "never"
    text = "This address is not complete. Copy all of it from the mail."


class PushOff(HubError):
    """The hub tells no browsers: hub.toml has no [push] with enabled = true."""

    code = "push_off"
    status = 409
    retry = "never"
    text = "This support desk does not send notices to browsers."


class PushEndpointRefused(HubError):
    """Where a browser wants to be told is no push service that the hub may ask."""

    code = "push_endpoint_refused"
    status = 422
    retry = "never"
    text = "This browser's push service cannot be used."
