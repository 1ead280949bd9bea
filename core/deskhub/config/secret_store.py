"""The secret store: what ``{ store = "name" }`` in hub.toml refers to, encrypted on disk.

Two files in the data folder. One holds the values, each encrypted under a data key that
stands beside them, encrypted itself under a key that does not: that one is in the other file,
or in DESKHUB_KEK, so that a backup of the values alone opens nothing. Every change replaces a
file in one step; whatever is killed in between, the next reader finds all of the old or all
of the new.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FILE, KEY_FILE, LOCK_FILE = "secrets.json", "secrets.key", ".secrets.lock"
KEY_BYTES, NONCE_BYTES = 32, 12
# The key that opens the data key, in base64; while it changes, the one before it beside it.
VARIABLE, BEFORE = "DESKHUB_KEK", "DESKHUB_KEK_BEFORE"
MAX_CHARS = 16_384
# A reader may come between the two files of a change; it looks again.
LOOKS = 3

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")


class SecretStoreError(Exception):
    """The store cannot give or take a secret; the text says why and never a value."""


class SecretMissing(SecretStoreError):
    """There is no secret of this name."""


@dataclass(frozen=True, slots=True)
class _Key:
    id: str
    bytes: bytes = field(repr=False)


@dataclass(slots=True)
class _Book:
    """The values' file: the encrypted data key and every secret, still encrypted."""

    key_id: str
    wrapped: str
    values: dict[str, str]


class SecretStore:
    """The secrets of one installation, by tenant and name. Cheap to make; opens no file."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        """Keep everything in *folder*, the hub's data folder."""
        self._folder = folder
        self._environ = environ

    def get(self, tenant: str, name: str) -> str:
        """Return a secret. Raises `SecretMissing` and `SecretStoreError`."""
        found = self._open()
        if found is None or _place(tenant, name) not in found[0].values:
            raise SecretMissing(f"there is no secret '{name}' in the store")
        book, key = found
        return _decrypted(key, book.values[_place(tenant, name)], _place(tenant, name)).decode()

    def names(self, tenant: str) -> list[str]:
        """Return the names of *tenant*'s secrets; no key is needed for that."""
        book = self._read()
        places = [] if book is None else sorted(book.values)
        return [one.partition("/")[2] for one in places if one.partition("/")[0] == tenant]

    def put(self, tenant: str, name: str, value: str) -> None:
        """Keep *value*, in place of the one that was there. Raises `SecretStoreError`."""
        if not _NAME.match(name):
            raise SecretStoreError("a name has letters, digits, dots, dashes and underscores")
        if not value or len(value) > MAX_CHARS:
            raise SecretStoreError(f"a secret has 1 to {MAX_CHARS} characters")
        place = _place(tenant, name)
        with self._locked():
            found = self._open()
            book, key = found if found is not None else self._fresh()
            book.values[place] = _encrypted(key, value.encode(), place)
            self._write(book)

    def remove(self, tenant: str, name: str) -> bool:
        """Forget a secret; return whether there was one."""
        with self._locked():
            book = self._read()
            if book is None or book.values.pop(_place(tenant, name), None) is None:
                return False
            self._write(book)
            return True

    def rotate(self) -> int:
        """Encrypt everything anew under new keys; return how many secrets there are.

        A key in DESKHUB_KEK is changed by whoever sets it: the new one there, the old one in
        DESKHUB_KEK_BEFORE until this was done. Killed in the middle, it is begun again.
        """
        with self._locked():
            found = self._open()
            if found is None:
                return 0
            book, data_key = found
            keys = self._keys()
            if VARIABLE not in self._environ:
                keys = [_new_key(), *keys]
                self._write_keys(keys)
            fresh_key = secrets.token_bytes(KEY_BYTES)
            values = {
                place: _encrypted(fresh_key, _decrypted(data_key, value, place), place)
                for place, value in book.values.items()
            }
            self._write(_Book(keys[0].id, _wrapped(keys[0], fresh_key), values))
            if VARIABLE not in self._environ:
                # Only now is nothing left that the older ones open.
                self._write_keys(keys[:1])
            return len(values)

    def _open(self) -> tuple[_Book, bytes] | None:
        """Return the values' file and its data key, or None when there is none yet."""
        for look in range(LOOKS):
            book = self._read()
            if book is None:
                return None
            key = next((one for one in self._keys() if one.id == book.key_id), None)
            if key is not None:
                return book, _decrypted(key.bytes, book.wrapped, f"data-key/{key.id}")
            if look == LOOKS - 1:
                break
        where = VARIABLE if VARIABLE in self._environ else KEY_FILE
        raise SecretStoreError(f"{where} does not hold the key that opens {FILE}")

    def _fresh(self) -> tuple[_Book, bytes]:
        """Return an empty file's content under the present key, which is made if need be."""
        keys = self._keys()
        if not keys:
            keys = [_new_key()]
            self._write_keys(keys)
        data_key = secrets.token_bytes(KEY_BYTES)
        return _Book(keys[0].id, _wrapped(keys[0], data_key), {}), data_key

    def _keys(self) -> list[_Key]:
        """Return the keys that open data keys, the present one first."""
        if VARIABLE in self._environ:
            told = [self._environ[VARIABLE], self._environ.get(BEFORE, "")]
            return [_key_of(one) for one in told if one]
        path = self._folder / KEY_FILE
        if not path.exists():
            return []
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SecretStoreError(f"{path} can be read by others; run: chmod 600 {path}")
        return [_key_of(line) for line in path.read_text(encoding="ascii").split()]

    def _write_keys(self, keys: list[_Key]) -> None:
        lines = [base64.urlsafe_b64encode(one.bytes).decode() for one in keys]
        _replace(self._folder / KEY_FILE, "\n".join(lines) + "\n")

    def _read(self) -> _Book | None:
        try:
            raw = json.loads((self._folder / FILE).read_bytes())
            return _Book(raw["key"], raw["data_key"], dict(raw["secrets"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OSError) as error:
            kind = type(error).__name__
            raise SecretStoreError(f"{FILE} cannot be read ({kind}); restore it") from error

    def _write(self, book: _Book) -> None:
        body = {"key": book.key_id, "data_key": book.wrapped, "secrets": book.values}
        _replace(self._folder / FILE, json.dumps(body, indent=1, sort_keys=True))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time change the files."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            for name in (FILE, KEY_FILE):
                for draft in self._folder.glob(f".{name}.*"):
                    # Of a process that was killed while it wrote.
                    draft.unlink()
            yield
        finally:
            os.close(handle)


def _place(tenant: str, name: str) -> str:
    return f"{tenant}/{name}"


def _new_key() -> _Key:
    return _key_of(base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode())


def _key_of(text: str) -> _Key:
    """Return the key that *text* is in base64; its id tells nothing about it."""
    try:
        found = base64.urlsafe_b64decode(text.encode())
    except ValueError:
        found = b""
    if len(found) != KEY_BYTES:
        raise SecretStoreError(f"a key is {KEY_BYTES} bytes in base64, and this one is not")
    return _Key(hashlib.sha256(b"deskhub key id" + found).hexdigest()[:12], found)


def _wrapped(key: _Key, data_key: bytes) -> str:
    return _encrypted(key.bytes, data_key, f"data-key/{key.id}")


def _encrypted(key: bytes, value: bytes, place: str) -> str:
    """Return *value* for this *place* only: put elsewhere, it does not open."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, value, f"deskhub/{place}".encode())
    return base64.urlsafe_b64encode(nonce + sealed).decode()


def _decrypted(key: bytes, text: str, place: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text.encode())
        return AESGCM(key).decrypt(
            raw[:NONCE_BYTES], raw[NONCE_BYTES:], f"deskhub/{place}".encode()
        )
    except (InvalidTag, ValueError):
        # Not chained: a traceback would show what was tried.
        raise SecretStoreError(f"'{place}' does not open; it was changed or moved") from None


def _replace(path: Path, text: str) -> None:
    """Write *text* beside *path*, readable by its owner only, and put it in its place."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
