"""What can go wrong when somebody says who they are."""

from __future__ import annotations

from deskhub.errors import HubError


class SignInRefused(HubError):
    """Wrong e-mail or password; which of the two is never said."""

    code = "sign_in_refused"
    status = 401
    retry = "never"
    text = "This e-mail and password do not belong together."


class SignInLocked(HubError):
    """Too many wrong passwords; nothing was checked this time."""

    code = "sign_in_locked"
    status = 429
    retry = "later"
    text = "Too many wrong attempts. Wait a few minutes and try again."


class PasswordTooWeak(HubError):
    """A new password that is too short, too long or the e-mail address itself."""

    code = "password_too_weak"
    status = 422
    retry = "never"
    text = "Choose a password of 10 to 200 characters that is not your e-mail address."


class EmailTaken(HubError):
    """Another agent of the tenant has this e-mail address."""

    code = "email_taken"
    status = 409
    retry = "never"
    text = "Another agent already uses this e-mail address."


class TokenNameTaken(HubError):
    """Another API token of the tenant has this name."""

    code = "token_name_taken"
    status = 409
    retry = "never"
    text = "Another API token already has this name."


class UnknownScope(HubError):
    """An API token was to have a scope that does not exist, or none."""

    code = "unknown_scope"
    status = 422
    retry = "never"
    text = "An API token needs at least one scope, and only known ones."


class IdentityRefused(HubError):
    """A shop's identity token is forged, expired, too long-lived or for another inbox."""

    code = "identity_refused"
    status = 401
    retry = "never"
    text = "The shop's signed identity is not valid here. Ask its server for a new one."


class UnknownInbox(HubError):
    """No inbox has this key."""

    code = "unknown_inbox"
    status = 404
    retry = "never"
    text = "No chat belongs to this key."


class OriginRefused(HubError):
    """A page asked for a chat that is not one of the inbox's origins."""

    code = "DH801"
    status = 403
    retry = "never"
    text = "This page may not open this chat. Add its origin to the inbox in hub.toml."


class SsoFailed(HubError):
    """The provider or the browser came back with something that does not hold."""

    code = "DH701"
    status = 401
    retry = "never"
    text = "Single sign-on did not succeed. Start again from the sign-in page."


class RoleUnmapped(HubError):
    """The provider knows the person, and no rule gives one of their groups a role."""

    code = "DH702"
    status = 403
    retry = "never"
    text = (
        "You signed in, but none of your groups has a role here."
        " Ask an admin to add one of them to [auth.roles] in hub.toml."
    )


class KeysUnsafe(HubError):
    """The key file can be read by others, or does not hold keys."""

    code = "DH152"
    status = 500
    retry = "never"
    text = "The key file in the data directory is not safe to use."
