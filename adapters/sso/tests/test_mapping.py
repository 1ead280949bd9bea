"""Claims of the known kinds of provider become the same identity."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from deskhub_sdk import ConfigInvalid, Rejected
from deskhub_sso.mapping import identity_of, is_complete
from deskhub_sso.settings import PRESETS, SsoConfig, origin_of

BASE: dict[str, Any] = {"iss": "https://i.example", "sub": "s", "email": "li@example.com"}


def config(**changes: Any) -> SsoConfig:
    settings: dict[str, Any] = {
        "issuer": "https://i.example", "client_id": "deskhub", "client_secret": SecretStr("s"),
    }  # fmt: skip
    return SsoConfig(**{**settings, **changes})


def test_a_missing_email_verified_is_a_no() -> None:
    assert identity_of(BASE, PRESETS["generic"], {}).email_verified is False


@pytest.mark.parametrize("yes", [True, "true", "1", 1])
def test_email_verified_is_read_in_the_ways_providers_write_it(yes: object) -> None:
    found = identity_of({**BASE, "email_verified": yes}, PRESETS["generic"], {})

    assert found.email_verified is True


@pytest.mark.parametrize("no", [False, "false", "False", "yes", 0, 2, None, [], ["true"], {}])
def test_anything_else_is_a_no(no: object) -> None:
    found = identity_of({**BASE, "email_verified": no}, PRESETS["generic"], {})

    assert found.email_verified is False


def test_entras_own_email_verified_counts_for_nothing() -> None:
    assert not identity_of(
        {**BASE, "email_verified": True}, PRESETS["azure"], {}
    ).email_verified
    assert identity_of({**BASE, "xms_edov": True}, PRESETS["azure"], {}).email_verified


def test_keycloaks_group_paths_lose_their_slash() -> None:
    found = identity_of({**BASE, "groups": ["/support-leads", "/eu/agents"]},
                        PRESETS["keycloak"], {})  # fmt: skip

    assert found.groups == ("support-leads", "eu/agents")


def test_a_claim_name_reaches_inside_with_dots_but_a_literal_name_wins() -> None:
    inside = config(groups_claim="realm_access.roles").claims
    literal = config(groups_claim="https://example.com/groups").claims

    assert identity_of({**BASE, "realm_access": {"roles": ["a"]}}, inside, {}).groups == ("a",)
    assert identity_of({**BASE, "https://example.com/groups": "b"}, literal, {}).groups == (
        "b",
    )


def test_too_many_groups_for_a_token_is_said_instead_of_signing_in_without_any() -> None:
    overfull = {**BASE, "_claim_names": {"groups": "src1"}}

    with pytest.raises(ConfigInvalid, match="roles"):
        identity_of(overfull, PRESETS["azure"], {})


def test_the_tenant_is_mapped_and_a_foreign_company_is_refused() -> None:
    preset = PRESETS["generic"]

    assert identity_of({**BASE, "tenant": "acme"}, preset, {}).tenant == "acme"
    assert identity_of({**BASE, "tenant": "acme"}, preset, {"acme": "main"}).tenant == "main"
    assert identity_of(BASE, preset, {"acme": "main"}).tenant is None
    with pytest.raises(Rejected):
        identity_of({**BASE, "tenant": "other"}, preset, {"acme": "main"})


def test_two_companies_are_refused_rather_than_guessed() -> None:
    with pytest.raises(Rejected):
        identity_of({**BASE, "organization": {"a": {}, "b": {}}}, PRESETS["keycloak"], {})


def test_userinfo_is_needed_only_when_something_is_missing() -> None:
    preset = PRESETS["okta"]

    assert is_complete({**BASE, "groups": []}, preset)
    assert not is_complete(BASE, preset)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"issuer": "http://login.example.com"}, "https"),
        ({"issuer": "ftp://login.example.com"}, "web address"),
        ({"issuer": "https://user@login.example.com"}, "user"),
        ({"issuer": "https://login.example.com?x=1"}, "query"),
        ({"scopes": ("profile",)}, "openid"),
        ({"extra_origins": ("http://keys.example.com",)}, "https"),
        ({"client_id": ""}, "client_id"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_settings_that_cannot_be_safe_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        config(**changes)


def test_the_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(config(client_secret=SecretStr("s3cret")))


def test_origins_are_compared_with_their_ports() -> None:
    assert origin_of("https://Login.Example.com/a") == "https://login.example.com:443"
    assert origin_of("http://127.0.0.1:9000") == "http://127.0.0.1:9000"
    assert origin_of("http://[::1]:9000/x") == "http://[::1]:9000"
