"""Single sign-on's side of the host: the providers that identity knows, as adapters' hooks."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from deskhub.errors import HubError
from deskhub.host.host import Host
from deskhub.host.running import Running
from deskhub.identity.errors import SsoFailed
from deskhub.identity.records import Account
from deskhub.identity.sso import Attempt, Departed, Provider
from deskhub_sdk import AdapterError, SignedOut, SignInRequest, SignInResult

log = logging.getLogger("deskhub.host")

HOOK = "sign_in_start"
HOOK_OUT = "sign_out_announced"


class SignInAdapters:
    """Implements `deskhub.identity.sso.Providers` with the hooks ``sign_in_*``."""

    def __init__(self, host: Host) -> None:
        """Ask the instances of *host*."""
        self._host = host

    def all(self) -> Sequence[Provider]:
        """Return the enabled instances that can sign people in, by name."""
        return [
            Provider(one.id, _button(one), one.tenant)
            for one in sorted(self._host.all_instances(), key=lambda one: one.id)
            if HOOK in one.hooks and one.state != "disabled"
        ]

    async def start(self, attempt: Attempt) -> str:
        """Return the provider's address for the browser. Raises `SsoFailed`."""
        address = await self._ask(attempt, HOOK, request=_request(attempt))
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            raise SsoFailed(f"{attempt.instance} gave no web address")
        return address

    async def finish(self, attempt: Attempt, parameters: Mapping[str, str]) -> Account:
        """Return the account that the provider vouches for. Raises `SsoFailed`."""
        result = await self._ask(
            attempt, "sign_in_finish", request=_request(attempt), parameters=parameters
        )
        if not isinstance(result, SignInResult) or not result.issuer or not result.subject:
            raise SsoFailed(f"{attempt.instance} vouches for nobody")
        return Account(
            issuer=result.issuer,
            subject=result.subject,
            email=result.email,
            email_verified=result.email_verified,
            name=result.name,
            tenant=result.tenant,
            groups=result.groups,
            session=result.session,
        )

    async def signed_out(self, instance: str, parameters: Mapping[str, str]) -> Departed:
        """Return whom the provider announces as signed out. Raises `SsoFailed`."""
        named = [one for one in self._host.all_instances() if one.id == instance]
        if not named or HOOK_OUT not in named[0].hooks or named[0].state == "disabled":
            raise SsoFailed(f"{instance} takes no announcements")
        told = await self._direct(instance, HOOK_OUT, parameters=parameters)
        if not isinstance(told, SignedOut) or not (told.subject or told.session):
            raise SsoFailed(f"{instance} announced nobody")
        return Departed(told.issuer, told.subject, told.session, told.token)

    async def _ask(self, attempt: Attempt, hook: str, **arguments: object) -> object:
        return await self._direct(attempt.instance, hook, **arguments)

    async def _direct(self, instance: str, hook: str, **arguments: object) -> object:
        try:
            return await self._host.direct(instance, hook, **arguments)
        except (AdapterError, HubError) as error:
            log.warning(
                "sign_in_failed",
                extra={"instance": instance, "hook": hook, "code": error.code},
            )
            raise SsoFailed(f"{instance}: {error.code}") from error


def _button(instance: Running) -> str:
    """Return the words on a button: what the admin set, else the adapter's name."""
    return str(getattr(instance.config, "name", "") or instance.name)


def _request(attempt: Attempt) -> SignInRequest:
    return SignInRequest(
        redirect_uri=attempt.redirect_uri,
        state=attempt.state,
        nonce=attempt.nonce,
        code_verifier=attempt.verifier,
    )
