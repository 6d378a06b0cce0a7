"""Workers end with the process that started them.

When a process is killed, nobody tells its workers: they would go on through what they were given, beside those of the
next start, and keep memory on the device. What they leave unfinished is nothing new: results are put in place whole.
"""

from __future__ import annotations

import os
import threading
import time
from functools import lru_cache

PERIOD = 0.05  # seconds between two looks, each a single system call


def orphaned(parent: int) -> bool:
    """Whether this process lives on without ``parent``, which started it. (Windows never says so.)"""
    return os.getppid() != parent


@lru_cache(maxsize=1)
def end_with(parent: int) -> None:
    """From now on, leave at once when ``parent`` is gone."""
    threading.Thread(target=_watch, args=(parent,), name="orphan-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while not orphaned(parent):
        time.sleep(PERIOD)
    os._exit(1)
