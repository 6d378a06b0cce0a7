"""One process at a time, for the few things that two must not do at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from inmo.errors import UserError


@contextmanager
def locked(path: Path, patience: float = 60.0) -> Iterator[bool]:
    """Hold the lock file ``path``, made when missing. The system lets go of it when its holder ends, however it ends.

    Args:
        patience: seconds to wait for another holder.

    Yields:
        True; False on a file system that knows no locks, where nothing is held.

    Raises:
        UserError: the file cannot be written, or its holder does not let go.
    """
    lock = FileLock(path, timeout=patience)
    held = True
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except NotImplementedError:
            held = False
    except Timeout as error:
        raise UserError(
            f"another process has held {path} for {patience:.0f} seconds: wait for it, or end it"
        ) from error
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; free some space or choose another folder") from error
    try:
        yield held
    finally:
        lock.release()
