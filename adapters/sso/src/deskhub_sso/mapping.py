"""Claims of many providers become one `SignInResult`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deskhub_sdk import ConfigInvalid, Rejected, SignInResult
from deskhub_sso.settings import Preset

MAX_GROUPS = 500


def identity_of(
    claims: Mapping[str, Any], preset: Preset, tenants: Mapping[str, str]
) -> SignInResult:
    """Return whom *claims* name.

    Raises `ConfigInvalid` when groups were left out for their size, and `Rejected` when the
    person's company is none of *tenants* or more than one.

    An e-mail counts as verified only when the provider says so with a plain yes; a missing
    claim is a no, because anybody may type any address into many providers.
    """
    groups = _words(_find(claims, preset.groups_claim))
    if not groups and _is_overfull(claims, preset.groups_claim):
        raise ConfigInvalid(
            f"the provider leaves {preset.groups_claim!r} out of its token because there are"
            " too many; assign application roles and set groups_claim to 'roles'"
        )
    email = _text(claims.get("email"))
    return SignInResult(
        issuer=claims["iss"],
        subject=claims["sub"],
        email=email,
        email_verified=bool(email) and _is_yes(_find(claims, preset.email_verified_claim)),
        name=_text(claims.get("name")) or _text(claims.get("preferred_username")),
        tenant=_tenant(claims, preset, tenants),
        session=_text(claims.get("sid")),
        groups=tuple(
            group.removeprefix("/") if preset.strip_group_slash else group for group in groups
        ),
    )


def is_complete(claims: Mapping[str, Any], preset: Preset) -> bool:
    """Return whether *claims* hold all that is mapped, so that userinfo need not be asked."""
    names = (
        "email",
        preset.groups_claim,
        *((preset.tenant_claim,) if preset.tenant_claim else ()),
    )
    return all(_find(claims, name) is not None for name in names)


def _tenant(
    claims: Mapping[str, Any], preset: Preset, tenants: Mapping[str, str]
) -> str | None:
    """Return the tenant, None when the provider names no company at all."""
    named = _words(_find(claims, preset.tenant_claim)) if preset.tenant_claim else ()
    if len(named) > 1:
        raise Rejected("the account belongs to several companies; ask for one with scopes")
    if not named:
        return None
    if tenants and named[0] not in tenants:
        raise Rejected("the account's company is not one of this hub's")
    return tenants.get(named[0], named[0])


def _find(claims: Mapping[str, Any], name: str) -> object:
    """Return the claim *name*; its dots are part of the name first, then a path inside."""
    if name in claims:
        return claims[name]
    place: object = claims
    for part in name.split("."):
        if not isinstance(place, Mapping) or part not in place:
            return None
        place = place[part]
    return place


def _is_overfull(claims: Mapping[str, Any], name: str) -> bool:
    """Tell Entra's overage: over 200 groups the claim is replaced by a pointer."""
    pointers = claims.get("_claim_names")
    return claims.get("hasgroups") is True or (
        isinstance(pointers, Mapping) and name in pointers
    )


def _words(value: object) -> tuple[str, ...]:
    """Return the texts in *value*: one text, a list of them, or the keys of an object.

    Keycloak writes organisations as an object keyed by name.
    """
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, list | Mapping):
        return tuple(
            word for word in list(value)[:MAX_GROUPS] if isinstance(word, str) and word
        )
    return ()


def _text(value: object) -> str | None:
    return value.strip()[:320] or None if isinstance(value, str) else None


def _is_yes(value: object) -> bool:
    # Some providers write booleans as text, Entra also as a number.
    return (
        value is True or value in ("true", "1") or (value == 1 and not isinstance(value, str))
    )
