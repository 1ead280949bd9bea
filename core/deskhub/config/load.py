"""Read hub.toml: every problem at once, or a frozen `Config`."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from deskhub.config.located import ConfigProblems, Problem, near
from deskhub.config.located import Path as KeyPath
from deskhub.config.model import (
    ActionSettings,
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
from deskhub.config.secrets import Places, is_reference, resolve

TABLES = {
    "schema", "hub", "inboxes", "auth", "adapters", "bind", "order", "market", "actions",
    "files", "macros", "mail", "push", "retention", "webhooks",
}  # fmt: skip
M = TypeVar("M", bound=BaseModel)

_WHERE = re.compile(r"\(at line (\d+), column (\d+)\)")


def load(path: Path) -> Config:
    """Return the checked configuration in the file *path*.

    Raises `ConfigProblems` with every mistake in it, and `FileNotFoundError`.
    """
    return parse(path, path.read_text(encoding="utf-8"))


def parse(path: Path, source: str) -> Config:
    """Return the configuration that the text *source* would be at *path*, as `load` does."""
    reader = _Reader(path)
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigProblems([_broken(error, source)], source, path.name) from error
    config = reader.read(document)
    if reader.problems:
        raise ConfigProblems(reader.problems, source, path.name, config)
    return config


def _broken(error: tomllib.TOMLDecodeError, source: str) -> Problem:
    """Return the problem of a file that is no TOML."""
    lines = source.splitlines() or [""]
    where = _WHERE.search(str(error))
    line, column = (int(where[1]), int(where[2])) if where else (len(lines), len(lines[-1]) + 1)
    # tomllib stops behind the last line when a bracket is never closed.
    line = min(line, len(lines))
    what = _WHERE.sub("", str(error)).replace("(at end of document)", "").strip()
    return Problem(
        "DH101", (), f"not valid TOML at line {line}: {what[:1].lower()}{what[1:]}",
        fix='check brackets and quotes there; texts need "double quotes"', at=(line, column),
    )  # fmt: skip


class _Reader:
    """Collects the problems of one file while reading it."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.problems: list[Problem] = []
        self.places = Places(self.path.parent, self.path.parent)

    def read(self, document: dict[str, Any]) -> Config:
        for table in document:
            if table not in TABLES:
                self._unknown("DH102", (table,), f"unknown table [{table}]", table, TABLES)
        if document.get("schema", 1) != 1:
            what = f"schema {document['schema']!r} is not known, this version reads schema 1"
            self.problems.append(Problem("DH105", ("schema",), what, fix="write: schema = 1"))
        settings = self._table(document, "hub")
        # A container's data lie elsewhere than its hub.toml, for every command in it.
        root = Path(os.environ.get("DESKHUB_DATA") or self.path.parent).resolve()
        data = str(settings.get("data", HubSettings().data))
        self.places = Places(self.path.parent, root / data)
        hub = self._hub(settings)
        inboxes = {
            name: self._inbox(name, self._table(document, "inboxes", name))
            for name in self._table(document, "inboxes")
        }
        adapters = {
            name: self._instance(name, self._table(document, "adapters", name))
            for name in self._table(document, "adapters")
        }
        market = self._model(Market, self._table(document, "market"), ("market",))
        actions = self._model(ActionSettings, self._table(document, "actions"), ("actions",))
        files = self._files(self._table(document, "files"))
        retention = self._model(
            RetentionSettings, self._table(document, "retention"), ("retention",)
        )
        mail = self._mail(self._table(document, "mail"))
        push = self._model(PushSettings, self._table(document, "push"), ("push",))
        webhooks = self._model(
            WebhookSettings, self._table(document, "webhooks"), ("webhooks",)
        )
        auth = self._table(document, "auth")
        for key in auth:
            if key != "roles":
                self._unknown("DH103", ("auth", key), f"unknown key '{key}' in [auth]", key,
                              {"roles"})  # fmt: skip
        rest = {
            "roles": self._table(document, "auth", "roles"),
            "bind": self._table(document, "bind"),
            "order": self._table(document, "order"),
            "macros": self._table(document, "macros"),
        }
        checked = self._model(Config, {"path": self.path, **rest}, ())
        self._across(inboxes, adapters, rest["bind"])
        base = checked or Config(path=self.path)
        return base.model_copy(
            update={
                "root": root if os.environ.get("DESKHUB_DATA") else None,
                "hub": hub or HubSettings(),
                "market": market or Market(),
                "actions": actions or ActionSettings(),
                "files": files or FileSettings(),
                "retention": retention or RetentionSettings(),
                "mail": mail or MailSettings(),
                "push": push or PushSettings(),
                "webhooks": webhooks or WebhookSettings(),
                "inboxes": {name: one for name, one in inboxes.items() if one},
                "adapters": {name: one for name, one in adapters.items() if one},
            }
        )

    def _table(self, document: dict[str, Any], *path: str) -> dict[str, Any]:
        """Return the table at *path*; something else there is a problem."""
        found: Any = document
        for depth, key in enumerate(path):
            found = found.get(key, {})
            if not isinstance(found, dict):
                where = path[: depth + 1]
                what = f"[{'.'.join(where)}] must be a table, got {found!r}"
                problem = Problem("DH105", where, what, fix=f"write: [{'.'.join(where)}]")
                if problem not in self.problems:
                    self.problems.append(problem)
                return {}
        return dict(found)

    def _hub(self, table: dict[str, Any]) -> HubSettings | None:
        for key in ("store", "bus"):
            name = f"{key}_password"
            if name in table:
                value = self._secret(table.pop(name), ("hub", name))
                if value is not None:
                    table[name] = SecretStr(value)
            if has_password(table.get(key)):
                self.problems.append(
                    Problem("DH301", ("hub", key), f"'{key}' holds a password in plain text",
                            "hub.toml is committed, backed up and shown in diagnostics",
                            f'take it out and write: {name} = {{ env = "{name.upper()}" }}')
                )  # fmt: skip
        return self._model(HubSettings, table, ("hub",))

    def _files(self, table: dict[str, Any]) -> FileSettings | None:
        if "secret_key" in table:
            value = self._secret(table.pop("secret_key"), ("files", "secret_key"))
            if value is not None:
                table["secret_key"] = SecretStr(value)
        return self._model(FileSettings, table, ("files",))

    def _mail(self, table: dict[str, Any]) -> MailSettings | None:
        if "password" in table:
            value = self._secret(table.pop("password"), ("mail", "password"))
            if value is not None:
                table["password"] = SecretStr(value)
        if isinstance(table.get("ca"), str):
            table["ca"] = str(self.path.parent / table["ca"])
        mail = self._model(MailSettings, table, ("mail",))
        if mail is not None and mail.server is not None:
            self._mail_server(mail)
        return mail

    def _mail_server(self, mail: MailSettings) -> None:
        """Check what [mail] needs once it names a server."""
        if mail.sender is None:
            self.problems.append(
                Problem("DH106", ("mail",), "[mail] needs 'sender'",
                        "mail without a sender is taken by no server",
                        'add: sender = "support@example.com"')
            )  # fmt: skip
        inside = mail.host_port[0] in ("127.0.0.1", "localhost")
        if mail.tls == "none" and mail.password is not None and not inside:
            self.problems.append(
                Problem("DH105", ("mail", "tls"), "'tls' in [mail] is none, with a password",
                        "it would cross the network in the clear", 'write: tls = "starttls"')
            )  # fmt: skip

    def _inbox(self, name: str, table: dict[str, Any]) -> Inbox | None:
        path = ("inboxes", name)
        secret = table.pop("identity_secret", None)
        table = {"key": name, "name": name, **table, "id": name}
        if secret is not None:
            value = self._secret(secret, (*path, "identity_secret"), _tenant(table))
            if value is not None:
                table["identity_secret"] = SecretStr(value)
                if len(value) < 32:
                    what = "identity_secret has fewer than 32 characters"
                    self.problems.append(
                        Problem("DH305", (*path, "identity_secret"), what,
                                "a short secret can be guessed, and with it any customer",
                                "generate one: openssl rand -hex 32")
                    )  # fmt: skip
        return self._model(Inbox, table, path)

    def _instance(self, name: str, table: dict[str, Any]) -> Instance | None:
        path = ("adapters", name)
        limits = self._model(Limits, self._table(table, "limits"), (*path, "limits"))
        table["limits"] = limits or Limits()
        settings = self._table(table, "config")
        secrets = frozenset(key for key, value in settings.items() if is_reference(value))
        # A disabled instance may wait for its secrets.
        if table.get("enabled", True):
            for key in secrets:
                where = (*path, "config", key)
                settings[key] = self._secret(settings[key], where, _tenant(table)) or ""
        table |= {"id": name, "config": settings, "secret_keys": secrets}
        table.setdefault("use", name)
        return self._model(Instance, table, path)

    def _secret(self, value: object, path: KeyPath, tenant: str = "main") -> str | None:
        """Return a secret that stands elsewhere; a literal one is refused."""
        if is_reference(value) and isinstance(value, dict):
            found, problems = resolve(value, path, self.places, tenant)
            self.problems += problems
            return None if problems else found
        self.problems.append(literal_secret(path))
        return None

    def _model(self, model: type[M], table: dict[str, Any], path: KeyPath) -> M | None:
        try:
            return model.model_validate(table)
        except ValidationError as error:
            for mistake in error.errors():
                self._mistake(model, dict(mistake), path)
            return None

    def _mistake(self, model: type[BaseModel], mistake: dict[str, Any], path: KeyPath) -> None:
        """Turn one of pydantic's findings into a problem that says what to write."""
        where = (*path, *(str(part) for part in mistake["loc"]))
        key, table = where[-1], ".".join(where[:-1])
        if mistake["type"] == "extra_forbidden":
            known = set(model.model_fields) - {"id", "secret_keys", "path", "root"}
            what = f"unknown key '{key}' in [{table}]"
            self._unknown("DH103", where, what, key, known)
        elif mistake["type"] == "missing":
            what = f"[{table}] needs '{key}'"
            self.problems.append(Problem("DH106", where[:-1], what, fix=f"add: {key} = …"))
        elif mistake["type"] == "bool_type":
            given = mistake["input"]
            self.problems.append(
                Problem("DH104", where, f"'{key}' must be true or false, got {given!r}",
                        "booleans have no quotes", f"write: {key} = {_as_bool(given)}")
            )  # fmt: skip
        else:
            what = f"'{key}' in [{table}]: {_sentence(mistake)}"
            self.problems.append(Problem("DH105", where, what, fix=_example(mistake, key)))

    def _unknown(self, code: str, path: KeyPath, what: str, word: str, known: set[str]) -> None:
        guess = near(word, known)
        fix = f"did you mean '{guess}'?" if guess else "remove it"
        why = f"known: {', '.join(sorted(known))}"
        self.problems.append(Problem(code, path, what, why, fix))

    def _across(
        self,
        inboxes: dict[str, Inbox | None],
        adapters: dict[str, Instance | None],
        bind: dict[str, Any],
    ) -> None:
        """Check what concerns several tables."""
        seen: dict[str, str] = {}
        for name, box in inboxes.items():
            if box and seen.setdefault(box.key, name) != name:
                what = f"inboxes '{seen[box.key]}' and '{name}' have the same key"
                self.problems.append(
                    Problem("DH107", ("inboxes", name, "key"), what, fix="give each its own")
                )
        for slot, instance in bind.items():
            if isinstance(instance, str) and instance not in adapters:
                guess = near(instance, adapters)
                fix = f"did you mean '{guess}'?" if guess else "add [adapters.…] first"
                what = f"[bind] names '{instance}', which is no adapter here"
                self.problems.append(Problem("DH108", ("bind", slot), what, fix=fix))


def _tenant(table: Mapping[str, Any]) -> str:
    return str(table.get("tenant", "main"))


def has_password(url: object) -> bool:
    """Return whether a text is an address with a password in it."""
    try:
        return isinstance(url, str) and bool(urlsplit(url).password)
    except ValueError:
        return False


def literal_secret(path: KeyPath) -> Problem:
    """Return the problem of a secret that stands in hub.toml itself."""
    key = path[-1]
    return Problem(
        "DH301", path, f"'{key}' is a secret and stands in plain text",
        "hub.toml is committed, backed up and shown in diagnostics",
        f'write: {key} = {{ env = "{key.upper()}" }} or {{ file = "…" }}',
    )  # fmt: skip


def _as_bool(given: object) -> str:
    return "false" if str(given).lower() in ("false", "no", "0", "off") else "true"


def _sentence(mistake: dict[str, Any]) -> str:
    text = str(mistake["msg"]).removeprefix("Value error, ")
    given = mistake["input"]
    shown = f", got {given!r}" if isinstance(given, str | int | float | bool) else ""
    return f"{text[:1].lower()}{text[1:]}{'' if 'got' in text else shown}"


def _example(mistake: dict[str, Any], key: str) -> str:
    if mistake["type"] == "string_type" and isinstance(mistake["input"], int | float):
        return f'write: {key} = "{mistake["input"]}"'
    if mistake["type"] == "literal_error":
        return f"write one of {mistake['ctx']['expected']}"
    return "docs/reference/hub-toml.md lists every key with an example"
