"""What agents and admins read, in English and Chinese."""

from __future__ import annotations

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "sign_in.ready": "The provider answers and its keys can be used.",
        "sign_in.no_keys": "The provider publishes no key for RS256 or ES256.",
    },
    "zh-CN": {
        "sign_in.ready": "身份提供方应答正常，其密钥可用。",
        "sign_in.no_keys": "身份提供方没有发布 RS256 或 ES256 密钥。",
    },
}


def text(language: str, key: str) -> str:
    """Return the sentence *key* in *language*, or in English when there is none."""
    return TEXTS.get(language, TEXTS["en"])[key]
