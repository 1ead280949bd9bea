"""The frozen models that hub.toml becomes."""

from __future__ import annotations

import re
from email.headerregistry import Address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
)

from deskhub.config.hours import Hours, Sla
from deskhub.config.macros import Macro

Role = Literal["agent", "supervisor", "admin", "auditor"]
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)\Z")
_SIZE = re.compile(r"(\d+)(KB|MB|GB)\Z")
_ORIGIN = re.compile(r"https?://[^/\s]+\Z")
_LISTEN = re.compile(r"([^\s:]+|\[[0-9a-fA-F:]+\]):\d{1,5}\Z")
_STORE = re.compile(r"(sqlite:///|postgresql://).+")
_FILES = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z|s3://[a-z0-9][a-z0-9.-]+(/[A-Za-z0-9._-]+)*\Z")
_BUS = re.compile(r"memory\Z|nats://.+")
_ACCENT = re.compile(r"#[0-9a-fA-F]{6}\Z")
_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,3})? [A-Z]{3}\Z")
_MAIL_SERVER = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}\Z")
_SENDER = re.compile(
    r"(?:[^<>@\x00-\x1f]* )?<?([A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{3,190})>?\Z"
)
_CONTACT = re.compile(r"(mailto:[^@\s]+@|https://)[A-Za-z0-9.-]+(:\d+)?(/\S*)?\Z")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?\Z|[0-9a-f:]{2,45}\Z")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")


def shaped(pattern: re.Pattern[str], words: str) -> AfterValidator:
    """Return a check that a text matches *pattern*, which *words* describe to a person."""

    def check(value: str) -> str:
        if not pattern.match(value):
            raise ValueError(f"must be {words}, got {value!r}")
        return value

    return AfterValidator(check)


Name = Annotated[str, shaped(_NAME, "small letters, digits and dashes")]


def seconds(value: object) -> float:
    """Return a duration such as "800ms", "2s" or "1m" in seconds."""
    if isinstance(value, str) and (match := _DURATION.match(value)):
        return float(match[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[match[2]]
    raise ValueError('a duration is written like "800ms", "2s" or "1m"')


def size_bytes(value: object) -> int:
    """Return a size such as "256MB" in bytes."""
    if isinstance(value, str) and (match := _SIZE.match(value)):
        return int(match[1]) * {"KB": 1024, "MB": 1024**2, "GB": 1024**3}[match[2]]
    raise ValueError('a size is written like "256MB"')


Duration = Annotated[float, BeforeValidator(seconds)]
Size = Annotated[int, BeforeValidator(size_bytes)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class HubSettings(_Part):
    """``[hub]``: where the hub listens and keeps its data.

    *trust_proxy* lists the addresses whose X-Forwarded-* headers are believed; empty means
    none.
    """

    listen: Annotated[str, shaped(_LISTEN, "host:port, as in 127.0.0.1:8700")] = (
        "127.0.0.1:8700"
    )
    public_url: Annotated[str, shaped(_ORIGIN, "scheme and host without a path")] | None = None
    store: Annotated[str, shaped(_STORE, "sqlite:///file or postgresql://…")] = (
        "sqlite:///data/deskhub.db"
    )
    store_password: SecretStr | None = None
    bus: Annotated[str, shaped(_BUS, "memory or nats://host:port")] = "memory"
    bus_password: SecretStr | None = None
    data: str = "data"
    trust_proxy: tuple[str, ...] = ()
    log: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("trust_proxy", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @property
    def listen_host(self) -> str:
        """Return the address without its port."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def listen_port(self) -> int:
        """Return the port."""
        return int(self.listen.rpartition(":")[2])

    @property
    def url(self) -> str:
        """Return the address browsers use."""
        return self.public_url or f"http://{self.listen}"


class Inbox(_Part):
    """``[inboxes.NAME]``: one entrance for customers.

    *key* is public and stands in the page's snippet; *origins* are the exact sites that may
    use it. *identity_secret* is what the shop's server signs its visitors' identity with.
    """

    id: str
    key: str = ""
    tenant: Name = "main"
    name: str = ""
    origins: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en", "zh-CN")
    identity_secret: SecretStr | None = None
    greeting: dict[str, str] = {}
    accent: Annotated[str, shaped(_ACCENT, "a colour such as #1d5c48")] = "#1d5c48"
    hours: Hours | None = None
    sla: Sla | None = None

    @field_validator("origins", "languages", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("origins")
    @classmethod
    def _exact(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.match(origin):
                raise ValueError(f"an origin is scheme and host without a path, got {origin!r}")
        return value


class Limits(_Part):
    """How much of the hub one adapter instance may take."""

    timeout: Duration = 2.0
    concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    memory: Size = 256 * 1024**2

    @property
    def timeout_s(self) -> float:
        """Return the deadline of one call in seconds."""
        return self.timeout


class Instance(_Part):
    """``[adapters.NAME]``: one configured use of an adapter.

    *config* holds the adapter's own settings with secrets resolved; *secret_keys* are the
    settings that were references.
    """

    id: str
    use: str
    enabled: bool = True
    tenant: Name = "main"
    isolation: Literal["process", "inline"] = "process"
    limits: Limits = Limits()
    # Secrets in clear among them: no repr, and so no traceback, shows them.
    config: Annotated[dict[str, Any], Field(repr=False)] = {}
    secret_keys: frozenset[str] = frozenset()


class Market(_Part):
    """``[market]``: where adapters may be installed from."""

    catalogues: tuple[str, ...] = ()
    policy: Literal["official", "verified", "community", "any"] = "verified"
    console_install: bool = False

    @field_validator("catalogues", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class ActionSettings(_Part):
    """``[actions]``: what roles may do alone, and the order of a return.

    *limits* is the highest amount of each role (``agent = "300.00 CNY"``); above it a second
    person approves. *goods_in* says whether a return waits for its parcel. *lease* is how long
    a run waits for a process that fell silent before another one takes it over.
    """

    limits: dict[Role, Annotated[str, shaped(_AMOUNT, "an amount such as 300.00 CNY")]] = {}
    goods_in: Literal["never", "before_refund", "after_refund"] = "never"
    lease: Annotated[Duration, Field(ge=1.0, le=600.0)] = 30.0


class FileSettings(_Part):
    """``[files]``: where uploaded files lie, and how large one may be.

    *store* is a folder below the data folder, or ``s3://bucket/prefix``; the other settings
    are for a bucket, and what is not set comes from the environment (``AWS_…``).
    """

    store: Annotated[str, shaped(_FILES, "a folder such as files, or s3://bucket")] = "files"
    max: Size = 10 * 1024**2
    endpoint: Annotated[str, shaped(_ORIGIN, "scheme and host without a path")] | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: SecretStr | None = None


class RetentionSettings(_Part):
    """``[retention]``: how many days anything is kept; what is not set is kept for ever.

    *closed_conversations_days* counts from the last message of a closed conversation: its
    texts, names and files are then erased in place. *files_days* counts from a file's upload.
    *batch* is how much is erased at a time.
    """

    closed_conversations_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    files_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    batch: Annotated[int, Field(ge=1, le=1_000)] = 50


class MailSettings(_Part):
    """``[mail]``: the server that takes mail to customers; without *server* none is sent.

    *tls* is ``starttls`` (a port such as 587), ``tls`` (465) or ``none``, which sends texts
    in the clear; *ca* is a file of further authorities. *grace* is how long an answer waits
    for its reader before it goes out.
    """

    server: Annotated[str, shaped(_MAIL_SERVER, "host:port, as in mail.example.com:587")] | (
        None
    ) = None
    sender: Annotated[str, shaped(_SENDER, "an address such as support@example.com")] | (
        None
    ) = None
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: SecretStr | None = None
    ca: str | None = None
    answers: bool = True
    grace: Annotated[Duration, Field(ge=0.0, le=86_400.0)] = 120.0

    @property
    def host_port(self) -> tuple[str, int]:
        """Return the server's name and port."""
        host, _, port = (self.server or "").rpartition(":")
        return host, int(port or 0)

    @property
    def sender_address(self) -> Address:
        """Return the address that mail is sent from, without a name."""
        match = _SENDER.match(self.sender or "")
        user, _, domain = (match[1] if match else "").rpartition("@")
        return Address("", user, domain)


class PushSettings(_Part):
    """``[push]``: notices to browsers, also where no page is open; none unless *enabled*.

    *contact* is whom push services may ask, the hub's own address unless it is set. *grace* is
    how long a message waits for its reader. *snippet* puts the beginning of the message into
    the notice. *services* are origins that may lie inside the network or speak plain http:
    a push service of the house.
    """

    enabled: bool = False
    contact: Annotated[str, shaped(_CONTACT, "mailto:somebody@example.com or https://…")] | (
        None
    ) = None
    grace: Annotated[Duration, Field(ge=0.0, le=3_600.0)] = 10.0
    snippet: bool = False
    services: Annotated[
        tuple[Annotated[str, shaped(_ORIGIN, "scheme and host without a path")], ...],
        BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    ] = ()


class WebhookSettings(_Part):
    """``[webhooks]``: how the hub tells other systems of its events.

    *private_hosts* are names inside the network that may be told, also over http; every other
    endpoint must be https and public. *keep_days* is how long deliveries that ended are kept.
    """

    private_hosts: tuple[Annotated[str, shaped(_HOST, "a host such as crm.internal")], ...] = ()
    keep_days: Annotated[int, Field(ge=1, le=3_650)] = 30

    @field_validator("private_hosts", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class Config(_Part):
    """All of hub.toml, checked. Relative paths are relative to the file's folder."""

    path: Path
    root: Path | None = None
    hub: HubSettings = HubSettings()
    inboxes: dict[str, Inbox] = {}
    roles: dict[str, Role] = {}
    adapters: dict[str, Instance] = {}
    bind: dict[str, str] = {}
    order: dict[str, list[str]] = {}
    market: Market = Market()
    actions: ActionSettings = ActionSettings()
    macros: dict[str, Macro] = {}
    files: FileSettings = FileSettings()
    retention: RetentionSettings = RetentionSettings()
    mail: MailSettings = MailSettings()
    push: PushSettings = PushSettings()
    webhooks: WebhookSettings = WebhookSettings()

    @property
    def base(self) -> Path:
        """Return the folder that relative paths start from: *root*, or the file's own."""
        return self.root or self.path.parent

    @property
    def data_dir(self) -> Path:
        """Return the folder for keys, files and the embedded database."""
        return self.base / self.hub.data

    @property
    def store_url(self) -> str:
        """Return the store's address: an absolute path, or a server with its password."""
        scheme, sep, rest = self.hub.store.partition("sqlite:///")
        if sep and not scheme:
            return f"sqlite:///{self.base / rest}"
        if self.hub.store_password is None:
            return self.hub.store
        parts = urlsplit(self.hub.store)
        user, _, host = parts.netloc.rpartition("@")
        password = quote(self.hub.store_password.get_secret_value(), safe="")
        return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))

    @property
    def is_shared(self) -> bool:
        """Return whether several processes may run on the database."""
        return self.hub.store.startswith("postgresql:")

    @property
    def tenants(self) -> tuple[str, ...]:
        """Return every tenant that the file names, in order, at least "main"."""
        named = [box.tenant for box in self.inboxes.values()]
        named += [one.tenant for one in self.adapters.values()]
        return tuple(dict.fromkeys(named or ["main"]))

    def inbox_by_key(self, key: str) -> Inbox | None:
        """Return the inbox whose public key is *key*."""
        return next((box for box in self.inboxes.values() if box.key == key), None)
