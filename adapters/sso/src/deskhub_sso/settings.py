"""What an admin sets for single sign-on, and what each kind of provider is known to need."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from deskhub_sdk import Config

PresetName = Literal["generic", "keycloak", "azure", "okta"]

# A provider on the same machine (development, the demo) cannot have a certificate.
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Preset(Config):
    """The claims one kind of provider puts tenant, groups and a checked e-mail into."""

    tenant_claim: str | None
    groups_claim: str
    email_verified_claim: str
    strip_group_slash: bool = False


PRESETS: dict[PresetName, Preset] = {
    "generic": Preset(
        tenant_claim="tenant", groups_claim="groups", email_verified_claim="email_verified"
    ),
    # Keycloak writes groups as paths ("/support-leads").
    "keycloak": Preset(
        tenant_claim="organization", groups_claim="groups",
        email_verified_claim="email_verified", strip_group_slash=True,
    ),
    # Entra sends whatever the directory's owner typed as e-mail; only xms_edov says that the
    # domain's owner confirmed it.
    # Its issuer is one directory already; "tid" is for issuers that serve several.
    "azure": Preset(tenant_claim=None, groups_claim="groups", email_verified_claim="xms_edov"),
    "okta": Preset(
        tenant_claim=None, groups_claim="groups", email_verified_claim="email_verified"
    ),
}  # fmt: skip


class SsoConfig(Config):
    """Where the provider is, who we are to it, and where it keeps groups."""

    issuer: str = Field(
        description="The provider's issuer, exactly as it writes it (also a last slash)."
    )
    client_id: str = Field(min_length=1, description="The id the provider gave this hub.")
    client_secret: SecretStr = Field(description="The secret that belongs to the client id.")
    name: str = Field(
        default="Single sign-on", min_length=1, max_length=60,
        description="What the button on the sign-in page says.",
    )  # fmt: skip
    preset: PresetName = Field(default="generic", description="The kind of provider.")
    scopes: tuple[str, ...] = Field(
        default=("openid", "profile", "email"), description="What is asked for; needs openid."
    )
    tenant_claim: str | None = Field(
        default=None, description="The claim with the company; the preset's, if not set."
    )
    tenants: dict[str, str] = Field(
        default_factory=dict,
        description="Which tenant each value of the tenant claim is; others are refused.",
    )
    groups_claim: str | None = Field(
        default=None, description="The claim with groups or roles; a dot reaches inside."
    )
    client_auth: Literal["client_secret_basic", "client_secret_post"] = Field(
        default="client_secret_basic", description="How the secret is sent."
    )
    extra_origins: tuple[str, ...] = Field(
        default=(), description="Further origins of this provider that may be called."
    )

    @field_validator("issuer")
    @classmethod
    def _issuer_is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.query or parts.fragment or parts.username:
            raise ValueError("an issuer has no query, fragment or user")
        _ = origin_of(value)
        return value

    @field_validator("scopes")
    @classmethod
    def _asks_for_openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError('scopes must contain "openid", or no identity is sent')
        return value

    @field_validator("extra_origins")
    @classmethod
    def _origins_are_safe(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin_of(origin) for origin in value)

    @property
    def origins(self) -> frozenset[str]:
        """Return the origins that may be called: the issuer's own and the extra ones."""
        return frozenset({origin_of(self.issuer), *self.extra_origins})

    @property
    def claims(self) -> Preset:
        """Return the preset with the settings that replace parts of it."""
        own = {"tenant_claim": self.tenant_claim, "groups_claim": self.groups_claim}
        return PRESETS[self.preset].model_copy(update={k: v for k, v in own.items() if v})


def origin_of(url: str) -> str:
    """Return ``https://host:port`` of *url*. Raises `ValueError` unless it is safe to call.

    Plain http is refused except on loopback: a token read on the way is a stolen session.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if not host or parts.scheme not in ("https", "http"):
        raise ValueError(f"not a web address: {url!r}")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ValueError(f"must be https: {url!r}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port}"
