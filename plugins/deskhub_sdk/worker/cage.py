"""What a worker gives up before it imports the adapter: memory, files, sockets, privileges.

Each layer is applied where the kernel has it; `confine` returns the names of those that hold.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MAX_FILES = 64
# A third of the weight: enough for an answer in time where the machine has other work too.
NICE = 5

_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS = 1, 4, 38
_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_TCP = 1 | 2
# How many file rights each version of the interface knows.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_PLACES = (
    "/usr", "/lib", "/lib64", "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/localtime",
    "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
    "/etc/services", "/etc/ld.so.cache", "/dev/urandom", "/dev/null",
)  # fmt: skip

# Starting a process would leave all of this behind; nothing an adapter needs does it.
_STARTS = frozenset({
    "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system",
    "subprocess.Popen", "pty.spawn",
})  # fmt: skip


class NotAllowed(PermissionError):
    """The adapter tried to start a process."""


def follow_parent(parent: int) -> None:
    """Stand back for the process *parent*, and end with it, also when it is killed."""
    _prctl(_PDEATHSIG, signal.SIGKILL)
    # From the first moment: importing an adapter must not slow a chat either.
    _stand_back()
    if os.getppid() != parent:
        os._exit(0)


def confine(
    *, memory: int, folder: Path, readable: Iterable[str], sockets: bool
) -> tuple[str, ...]:
    """Give up everything but *memory* bytes, *folder* and the *readable* places.

    Without *sockets* no TCP connection can be opened: an adapter's way out is the hub's.
    """
    active = []
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    active.append("limits")
    if sys.platform == "linux":
        if _prctl(_NO_NEW_PRIVS, 1):
            active.append("no-new-privileges")
        _prctl(_DUMPABLE, 0)
        version = _landlock_version()
        if version and _landlock(version, folder, readable, sockets=sockets):
            active.append("landlock")
            if version >= 4 and not sockets:
                active.append("no-sockets")
    sys.addaudithook(_refuse_processes)
    active.append("no-processes")
    return tuple(active)


def _stand_back() -> None:
    """Let everybody else have the processor first."""
    os.nice(NICE)
    if sys.platform != "linux":
        return
    with suppress(OSError):
        # It does not take the processor from whoever has it when it wakes up.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as group:
        # A worker is a session of its own. Where the kernel shares time by session, the
        # niceness above counts inside the session only.
        group.write(str(NICE))


def _refuse_processes(event: str, arguments: tuple[object, ...]) -> None:
    del arguments
    if event in _STARTS:
        raise NotAllowed(f"an adapter may not start processes ({event})")


def _landlock(version: int, folder: Path, readable: Iterable[str], *, sockets: bool) -> bool:
    """Leave only the named places; return whether the kernel agreed."""
    rights = (1 << _RIGHTS.get(version, 16)) - 1
    network = _TCP if version >= 4 and not sockets else 0
    attributes = struct.pack("<QQ", rights, network)[: 16 if version >= 4 else 8]
    libc = _libc()
    rules = libc.syscall(_CREATE, attributes, len(attributes), 0)
    if rules < 0:
        return False
    try:
        for place in {*_PLACES, *readable}:
            _allow(rules, place, _READ_FILE | _READ_DIR | _EXECUTE)
        _allow(rules, str(folder), rights)
        return bool(libc.syscall(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(rules: int, place: str, rights: int) -> None:
    try:
        opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(place):
            rights &= _FILE_RIGHTS
        _libc().syscall(_ADD_RULE, rules, 1, struct.pack("<Qi", rights, opened), 0)
    finally:
        os.close(opened)


def _landlock_version() -> int:
    return max(0, int(_libc().syscall(_CREATE, None, 0, _VERSION_FLAG)))


def _prctl(option: int, value: int) -> bool:
    return int(_libc().prctl(option, value, 0, 0, 0)) == 0


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
