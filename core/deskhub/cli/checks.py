"""What `deskhub doctor` looks at: one small function for each thing."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import socket
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from deskhub.cli.offline import dead_mails, state
from deskhub.config import Config
from deskhub.edge.server import pid_at
from deskhub.errors import HubError
from deskhub.host.discovery import installed, look_at
from deskhub.host.isolation.layers import LAYERS, layers_here
from deskhub.identity.errors import KeysUnsafe
from deskhub.identity.keys import FILE, open_keys
from deskhub.store.engine import path_of
from deskhub.store.hold import marker
from deskhub.store.schema import VERSION

Verdict = Literal["ok", "warning", "problem"]

WAL_BYTES = 256 * 1024 * 1024
FREE_PROBLEM = 256 * 1024 * 1024
FREE_WARNING = 2 * 1024**3
# Measured: a quick check reads the whole file, about 500 MB a second from a warm disk.
CHECK_BYTES = 4 * 1024**3
ANSWER_S = 3.0
# A connection, and what the rest of the process holds open.
SPARE_HANDLES = 256


class Finding(NamedTuple):
    """One line: what was looked at, how it is, and what to do about it."""

    name: str
    verdict: Verdict
    text: str
    fix: str = ""
    code: str = ""


def examine(settings: Config, connections: int) -> list[Finding]:
    """Return what every check found; a check that fails is itself a finding."""
    checks: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
        ("data folder", lambda: _folder(settings)),
        ("keys", lambda: _keys(settings)),
        ("database", lambda: _database(settings)),
        ("disk", lambda: _disk(settings)),
        ("clock", _clock),
        ("file handles", lambda: _handles(connections)),
        ("port", lambda: _port(settings)),
        ("addresses", lambda: _addresses(settings)),
        ("web pages", _pages),
        ("adapters", lambda: _adapters(settings)),
        ("isolation", lambda: _isolation(settings)),
        ("bus", lambda: _bus(settings)),
        ("mail", lambda: _mail(settings)),
    )
    found: list[Finding] = []
    for name, check in checks:
        try:
            found += check()
        except Exception as error:  # noqa: BLE001  one check must not hide the others
            found.append(Finding(name, "problem", f"could not be looked at: {error}"))
    return found


def _folder(settings: Config) -> Iterator[Finding]:
    data = settings.data_dir
    if not data.exists():
        parent = next(one for one in data.parents if one.exists())
        fine = os.access(parent, os.W_OK)
        yield Finding("data folder", "ok" if fine else "problem",
                      f"{data} will be made at the first start" if fine
                      else f"{data} cannot be made in {parent}",
                      "" if fine else f"let the server's user write to {parent}")  # fmt: skip
        return
    mode = stat.S_IMODE(data.stat().st_mode)
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield Finding("data folder", "problem", f"{data} cannot be written",
                      f"chown it to the server's user: {data}")  # fmt: skip
    elif mode & 0o002:
        yield Finding("data folder", "problem", f"{data} can be written by everybody",
                      f"chmod 750 {data}")  # fmt: skip
    else:
        yield Finding("data folder", "ok", f"{data}, mode {mode:03o}")


def _keys(settings: Config) -> Iterator[Finding]:
    if not (settings.data_dir / FILE).exists():
        yield Finding("keys", "ok", "will be made at the first start")
        return
    try:
        table = open_keys(settings.data_dir)
    except KeysUnsafe as error:
        yield Finding("keys", "problem", str(error),
                      f"chmod 600 {settings.data_dir / FILE}", "DH152")  # fmt: skip
    else:
        yield Finding("keys", "ok", f"{len(table.secrets)} signing keys, mode 600")


def _database(settings: Config) -> Iterator[Finding]:
    try:
        found = asyncio.run(state(settings))
    except HubError as error:
        yield Finding("database", "problem", f"does not answer: {error}",
                      "check [hub] store and the server")  # fmt: skip
        return
    version = f"schema {found.version:04}, code {VERSION:04}"
    if found.compat > VERSION:
        yield Finding("database", "problem", version, "start the newer version", "DH151")
        return
    path = path_of(settings.store_url) if settings.store_url.startswith("sqlite") else None
    if path is None:
        yield Finding("database", "ok", f"PostgreSQL answers, {version}")
        return
    if marker(path).exists():
        yield Finding("database", "problem", "a restore was interrupted",
                      "deskhub restore FILE", "DH154")  # fmt: skip
        return
    if not path.exists():
        yield Finding("database", "ok", "will be made at the first start")
        return
    yield from _file(path, version)


def _file(path: Path, version: str) -> Iterator[Finding]:
    log = path.with_name(path.name + "-wal")
    size, wal = path.stat().st_size, log.stat().st_size if log.exists() else 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2.0)) as raw:
        mode = raw.execute("PRAGMA journal_mode").fetchone()[0]
        verdict = "ok"
        if size <= CHECK_BYTES:
            verdict = raw.execute("PRAGMA quick_check(1)").fetchone()[0]
    text = f"sqlite {sqlite3.sqlite_version} {mode.upper()}, {_size(size)}, {version}"
    if verdict != "ok":
        yield Finding("database", "problem", f"{text}: {verdict}",
                      "stop the hub; deskhub restore the last backup")  # fmt: skip
    elif wal > WAL_BYTES:
        yield Finding("database", "warning", f"{text}; its write-ahead log has {_size(wal)}",
                      "something reads for very long: a shell, a backup")  # fmt: skip
    else:
        yield Finding("database", "ok", text)


def _disk(settings: Config) -> Iterator[Finding]:
    place = settings.data_dir
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < FREE_PROBLEM:
        yield Finding("disk", "problem", f"{_size(free)} free: storing will soon be refused",
                      f"make room on the disk of {place}")  # fmt: skip
    elif free < FREE_WARNING:
        yield Finding("disk", "warning", f"{_size(free)} free", "make room, or watch it")
    else:
        yield Finding("disk", "ok", f"{_size(free)} free")


def _clock() -> Iterator[Finding]:
    """Ask the system whether it keeps the time: no server elsewhere is asked."""
    for program in ("systemd-timesyncd", "chronyd", "ntpd"):
        for path in Path("/proc").glob("[0-9]*/comm"):
            try:
                if path.read_text().strip() == program[:15]:
                    yield Finding("clock", "ok", f"kept by {program}")
                    return
            except OSError:
                continue
    yield Finding("clock", "warning", "nothing here seems to keep it; tokens allow 5 s",
                  "enable NTP, or make sure that the host does")  # fmt: skip


def _handles(connections: int) -> Iterator[Finding]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + SPARE_HANDLES
    if soft >= needed or soft == resource.RLIM_INFINITY:
        yield Finding("file handles", "ok", f"{soft}, enough for {connections} connections")
        return
    fix = f"ulimit -n {needed}" if hard >= needed else f"systemd: LimitNOFILE={needed}"
    yield Finding("file handles", "warning",
                  f"{soft}; {connections} connections need {needed}", fix)  # fmt: skip


def _port(settings: Config) -> Iterator[Finding]:
    host, port = settings.hub.listen_host, settings.hub.listen_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            yield Finding("port", "problem", f"{host}:{port} needs more rights",
                          "take a port above 1023 and put a proxy before it")  # fmt: skip
            return
        except OSError:
            yield _occupied(host, port)
            return
    yield Finding("port", "ok", f"{host}:{port} is free")


def _occupied(host: str, port: int) -> Finding:
    pid = pid_at(port)
    told = Path(f"/proc/{pid}/cmdline")
    command = told.read_bytes().replace(b"\0", b" ").decode(errors="replace") if pid else ""
    if "deskhub" in command:
        return Finding("port", "ok", f"{host}:{port}, a hub listens (pid {pid})")
    by = f"pid {pid}" if pid else "another program"
    return Finding("port", "problem", f"{host}:{port} is used by {by}",
                   "stop it, or change [hub] listen", "DH110")  # fmt: skip


def _addresses(settings: Config) -> Iterator[Finding]:
    hub = settings.hub
    url = urlsplit(hub.url)
    is_open = hub.listen_host not in ("127.0.0.1", "::1", "localhost")
    inside = url.hostname in ("127.0.0.1", "::1", "localhost")
    if hub.public_url is None and is_open:
        yield Finding("public_url", "warning", "not set: browsers elsewhere cannot connect",
                      'set [hub] public_url = "https://…"')  # fmt: skip
    elif url.scheme == "http" and not inside:
        yield Finding("public_url", "problem", f"{hub.url} sends passwords in the clear",
                      "put a proxy with TLS before it, and write https://")  # fmt: skip
    else:
        yield Finding("public_url", "ok", hub.url)
    for box in settings.inboxes.values():
        plain = [one for one in box.origins if one.startswith("http://") and not inside]
        if not box.origins:
            yield Finding(f"inbox {box.id}", "warning", "only the hub's own pages may open it",
                          f'set [inboxes.{box.id}] origins = ["https://…"]')  # fmt: skip
        elif plain:
            yield Finding(f"inbox {box.id}", "warning", f"{plain[0]} is not encrypted",
                          "write https://")  # fmt: skip


def _pages() -> Iterator[Finding]:
    static = files("deskhub.edge").joinpath("static")
    names = ("console", "w")
    missing = [name for name in names if not static.joinpath(name).is_dir()]
    if missing:
        yield Finding("web pages", "problem", f"not built: {', '.join(missing)}",
                      "install a release, or run make serve in a checkout")  # fmt: skip
    else:
        yield Finding("web pages", "ok", "console and widget are there")


def _adapters(settings: Config) -> Iterator[Finding]:
    points = installed()
    for instance in settings.adapters.values():
        if not instance.enabled:
            continue
        problems = look_at(instance, points).problems
        if problems:
            first = problems[0]
            yield Finding(
                f"adapter {instance.id}", "problem", first.what, first.fix, first.code
            )
        else:
            yield Finding(f"adapter {instance.id}", "ok", f"{instance.use} can be loaded")


def _isolation(settings: Config) -> Iterator[Finding]:
    """Say which layers confine adapters' processes here, and whom nothing confines."""
    held = layers_here()
    missing = [name for name in LAYERS if name not in held]
    text = f"active: {', '.join(held) or 'none'}"
    if missing:
        risk = f"without {missing[0]}, {LAYERS[missing[0]]}"
        yield Finding("isolation", "warning", f"{text}; {risk}",
                      "run on Linux 6.7 or later with Landlock switched on")  # fmt: skip
    else:
        yield Finding("isolation", "ok", text)
    for one in settings.adapters.values():
        if one.enabled and one.isolation == "inline":
            yield Finding(f"adapter {one.id}", "warning", "runs inside the hub, unconfined",
                          f"deskhub config set adapters.{one.id}.isolation process",
                          )  # fmt: skip


def _bus(settings: Config) -> Iterator[Finding]:
    if settings.hub.bus == "memory":
        return
    url = urlsplit(settings.hub.bus)
    place = (url.hostname or "127.0.0.1", url.port or 4222)
    try:
        with socket.create_connection(place, timeout=ANSWER_S):
            yield Finding("bus", "ok", f"{place[0]}:{place[1]} answers")
    except OSError as error:
        yield Finding("bus", "warning", f"{place[0]}:{place[1]}: {error.strerror or error}",
                      "messages still arrive, up to a second late; start it")  # fmt: skip


def _mail(settings: Config) -> Iterator[Finding]:
    """Sign in to the mail server without sending, and look for mail that did not leave."""
    mail = settings.mail
    if mail.server is None:
        return
    # Only who sends mail pays for the library.
    from deskhub.notify.smtp import SmtpFailed, smtp_server  # noqa: PLC0415

    try:
        asyncio.run(smtp_server(mail).check())
    except SmtpFailed as failed:
        yield Finding("mail", "problem", f"{mail.server}: {failed}",
                      "check [mail] server, tls, user and password", "DH174")  # fmt: skip
    else:
        how = "unencrypted" if mail.tls == "none" else "encrypted"
        inside = mail.host_port[0] in ("127.0.0.1", "localhost")
        doubtful = mail.tls == "none" and not inside
        yield Finding("mail", "warning" if doubtful else "ok", f"{mail.server} answers, {how}",
                      'write: tls = "starttls"' if doubtful else "")  # fmt: skip
    waiting = asyncio.run(dead_mails(settings))
    if waiting:
        yield Finding("mail", "warning", f"{waiting} mails did not leave",
                      "GET /api/v1/mails says why; retry or remove each")  # fmt: skip


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
