"""Who works on what: any number of processes and hosts share a store without a scheduler.

STORE/.claims holds a file for every sequence that is under way for a run: a lease, which its owner renews. A claim is
free when its owner has let go of it, when the owner's process on this host has ended, however it ended, and when it
was not renewed for ``LEASE`` seconds by the clock of whoever looks: no two clocks are compared, and nothing is asked
of a network disk but that a file is made once. One that stays empty for ``UNWRITTEN`` seconds is free too: its owner
was killed between making the file and writing its name. Claims save work and protect nothing: of two results the
first stands.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from filelock import SoftFileLease, Timeout

from inmo.errors import UserError
from inmo.whole_files import alive

FOLDER = ".claims"
LEASE = 30.0
UNWRITTEN = 2.0
POLL = 0.5
GONE = 20 * LEASE

Key = tuple[str, str, str]
"""Label of the dataset, folder of the run, name of the sequence."""

_LEASES: dict[Path, SoftFileLease] = {}  # one for each file, which remembers since when it has seen no renewal
_EMPTY: dict[Path, tuple[tuple[int, int], float]] = {}  # which file was seen empty, and when first


@dataclass
class Claims:
    """Claims of one piece of work of this process on a store."""

    store: Path
    own: dict[Path, SoftFileLease] = field(default_factory=dict)

    def take(self, keys: Iterable[Key]) -> bool:
        """Claim all of the keys, those that are claimed here already too; False, and none, when one is another's.

        Raises UserError when the store cannot be written.
        """
        taken: list[Path] = []
        for path in map(self._path, keys):
            if path in self.own:
                continue
            if (lease := _acquired(path)) is None:
                self._let_go(taken)
                return False
            self.own[path] = lease
            taken.append(path)
        return True

    def release(self, keys: Iterable[Key]) -> None:
        """Let go of the keys, where they are claimed here."""
        self._let_go([path for path in map(self._path, keys) if path in self.own])

    def release_all(self) -> None:
        self._let_go(list(self.own))

    def _path(self, key: Key) -> Path:
        return _place(self.store, key)

    def _let_go(self, paths: Iterable[Path]) -> None:
        for path in paths:
            self.own.pop(path).release()
            _LEASES.pop(path, None)


def wait_for_any(store: Path, wanted: Iterable[Iterable[Key]]) -> list[int]:
    """Wait until some of the wanted sets of keys can be claimed; which ones. Their owners have ended, or are done."""
    sets = [list(keys) for keys in wanted]
    while True:
        free = []
        for place, keys in enumerate(sets):
            claims = Claims(store)
            if claims.take(keys):
                claims.release_all()
                free.append(place)
        if free:
            return free
        time.sleep(POLL)


@dataclass(frozen=True)
class Owner:
    """Who has claimed something: a process of a host, last heard of ``silent`` seconds ago by this host's clock."""

    host: str
    pid: int
    silent: float

    @property
    def here(self) -> bool:
        return self.host == socket.gethostname()

    @property
    def gone(self) -> bool:
        """Whether it has been silent for so long that its host must have ended, though clocks differ by minutes."""
        return self.silent > GONE


def owner_of(store: Path, key: Key) -> Owner | None:
    """Who has a key under way; None where nobody has, or a process of this host that has ended."""
    return _owner(_place(store, key))


def at_work(store: Path) -> int:
    """Processes of this host, this one among them, that have claimed something in the store: they slow each other."""
    owners = map(_owner, (store / FOLDER).glob("*"))
    return len({os.getpid(), *(owner.pid for owner in owners if owner is not None and owner.here)})


def _place(store: Path, key: Key) -> Path:
    return store / FOLDER / hashlib.sha256("\0".join(key).encode()).hexdigest()[:32]


def _owner(path: Path) -> Owner | None:
    try:
        told = dict(line.partition("=")[::2] for line in path.read_text(encoding="utf-8").splitlines())
        silent = max(0.0, time.time() - path.stat().st_mtime)
    except (OSError, UnicodeDecodeError):  # let go of in the meantime, or being written
        return None
    host, pid = told.get("host", ""), told.get("pid", "")
    if not (host and pid.isdigit()):
        return None
    owner = Owner(host, int(pid), silent)
    return None if owner.here and not alive(owner.pid) else owner


def sweep_claims(store: Path) -> None:
    """Remove the claims of processes of this host that have ended."""
    for path in (store / FOLDER).glob("*"):
        if (lease := _acquired(path)) is not None:
            lease.release()
            _LEASES.pop(path, None)


def _acquired(path: Path) -> SoftFileLease | None:
    lease = _LEASES.get(path)
    if lease is None:
        lease = _LEASES[path] = SoftFileLease(path, lease_duration=LEASE, timeout=0, thread_local=False)
    if lease.is_locked:  # by another thread of this process
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lease.acquire()
    except Timeout:
        if not _unwritten(path):
            return None
        lease.break_lock()
        return _acquired(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; free some space or choose another folder") from error
    return lease


def _unwritten(path: Path) -> bool:
    """Whether a claim has been empty for so long that nobody is about to write it: filelock would wait for ever."""
    try:
        state = path.stat()
    except OSError:
        state = None
    if state is None or state.st_size:
        _EMPTY.pop(path, None)
        return False
    now, file = time.monotonic(), (state.st_ino, state.st_mtime_ns)
    seen, since = _EMPTY.get(path, (None, now))
    if seen != file:
        _EMPTY[path] = (file, now)
        return False
    if now - since < UNWRITTEN:
        return False
    del _EMPTY[path]  # one that cannot be removed is asked about from the start, not again at once
    return True
