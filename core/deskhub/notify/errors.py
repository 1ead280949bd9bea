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
