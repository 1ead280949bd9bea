"""The installation's own signing keys: one file, readable by its owner alone."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from deskhub.identity.errors import KeysUnsafe
from deskhub.ids import new_secret

FILE = "keys.json"
MIN_SECRET_CHARS = 43  # 256 bits in base64


@dataclass(frozen=True, slots=True)
class KeyTable:
    """Secrets by key id. *current* signs; the others only verify until they are removed."""

    current: str
    secrets: dict[str, str]

    def secret(self, kid: str) -> str | None:
        """Return the secret named *kid*; a table and nothing else decides what a kid means."""
        return self.secrets.get(kid)

    @property
    def signing(self) -> str:
        """Return the secret that signs."""
        return self.secrets[self.current]


def new_table() -> KeyTable:
    """Return a table with one fresh 256-bit key."""
    kid = new_secret(128)[:12]
    return KeyTable(current=kid, secrets={kid: new_secret(256)})


def open_keys(data_dir: Path) -> KeyTable:
    """Return the keys in *data_dir*, created at the first start with mode 0600.

    Two processes that start together end with the same file. Raises `KeysUnsafe` when the
    file can be read by others or holds a weak key: such a key is worth nothing.
    """
    path = data_dir / FILE
    if not path.exists():
        table = new_table()
        body = json.dumps({"current": table.current, "keys": table.secrets}, indent=1)
        write_once(path, body.encode())
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeysUnsafe(f"{path} can be read by others; run: chmod 600 {path}")
    return _parse(path)


def write_once(path: Path, body: bytes) -> None:
    """Write a secret with mode 0600, unless somebody else was first: theirs stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{new_secret(128)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        # A link fails where a rename would replace the keys another process just made.
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _parse(path: Path) -> KeyTable:
    try:
        raw = json.loads(path.read_bytes())
        table = KeyTable(current=raw["current"], secrets=dict(raw["keys"]))
        weak = [kid for kid, key in table.secrets.items() if len(key) < MIN_SECRET_CHARS]
        known = table.current in table.secrets
    except (ValueError, KeyError, TypeError) as error:
        raise KeysUnsafe(f"{path} does not hold keys; restore it from a backup") from error
    if weak or not known:
        raise KeysUnsafe(f"{path} holds a weak key or no current one")
    return table
