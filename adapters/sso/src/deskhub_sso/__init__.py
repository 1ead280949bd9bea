"""Single sign-on for agents through any OpenID Connect provider."""

from deskhub_sso.adapter import Sso
from deskhub_sso.settings import SsoConfig

__all__ = ["Sso", "SsoConfig"]
