"""Which of several processes does what one at a time should do; a claim ends by itself."""

from __future__ import annotations

from datetime import timedelta

from deskhub.store import kv
from deskhub.store.metadata import to_micros
from deskhub.store.tx import Tx

# Claims lie beside the adapters' values, under a name that no instance can have.
_KEPT_AS = "hub:turns"


def claim(tx: Tx, name: str, owner: str, for_s: float) -> bool:
    """Take or keep *name* for *for_s* seconds; return whether *owner* has it now.

    The tenant's log is locked, so that two cannot both win.
    """
    known = kv.get(tx.connection, tx.tenant, _KEPT_AS, name)
    if known is not None:
        holder, _, until = known.decode().rpartition(" ")
        if holder != owner and int(until) > to_micros(tx.now):
            return False
    until_micros = to_micros(tx.now + timedelta(seconds=for_s))
    value = f"{owner} {until_micros}".encode()
    kv.put(tx.connection, tx.tenant, _KEPT_AS, name, value, tx.now)
    return True


def give_back(tx: Tx, name: str, owner: str) -> None:
    """End *owner*'s claim on *name*, so that another need not wait for its end."""
    known = kv.get(tx.connection, tx.tenant, _KEPT_AS, name)
    if known is not None and known.decode().rpartition(" ")[0] == owner:
        kv.delete(tx.connection, tx.tenant, _KEPT_AS, name)
