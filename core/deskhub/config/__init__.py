"""hub.toml as frozen models; all problems at once, each with file, line, cause and fix."""

from deskhub.config.load import literal_secret, load, parse
from deskhub.config.located import ConfigProblems, Problem, near, place_of
from deskhub.config.model import (
    Config,
    FileSettings,
    HubSettings,
    Inbox,
    Instance,
    Limits,
    MailSettings,
    Market,
    PushSettings,
    RetentionSettings,
    WebhookSettings,
)

__all__ = [
    "Config", "ConfigProblems", "FileSettings", "HubSettings", "Inbox", "Instance", "Limits",
    "MailSettings", "Market", "Problem", "PushSettings", "RetentionSettings", "WebhookSettings",
    "literal_secret", "load", "near", "parse", "place_of",
]  # fmt: skip
