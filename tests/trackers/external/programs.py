"""What the tests of external trackers share: scripts, what was stored, and a look at which processes live."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inmo.harness.run.setup import configure
from inmo.harness.store.records import Result
from inmo.harness.store.store import open_store
from inmo.trackers.external.base import ExternalTracker

PATIENCE_S = 60.0  # for what must come to pass; no test measures how fast


def started(target: str, **settings: object) -> ExternalTracker:
    """An external tracker by its name on the command line."""
    setup = configure(target, {name: str(value) for name, value in settings.items()})
    tracker = setup.spec.build(setup.on("lasot"), "cpu")
    assert isinstance(tracker, ExternalTracker)
    return tracker


def frame(seed: int = 0, height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def box(*values: float) -> NDArray[np.float64]:
    return np.array([values or (4.0, 5.0, 10.0, 8.0)])


def stored(store: Path, name: str) -> Any:
    """A sequence's result or hole in a store with one run."""
    opened = open_store(store)
    (run,) = opened.runs("folder")
    return opened.result("folder", run, name)


def boxes(store: Path, name: str) -> NDArray[np.float64]:
    found = stored(store, name)
    assert isinstance(found, Result), found
    return found.boxes


def pids(path: Path) -> list[int]:
    """The numbers that a script wrote to a file."""
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has reaped yet has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    if sys.platform != "linux":
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def eventually(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
