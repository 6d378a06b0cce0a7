"""Where the time of a run goes: wrappers that watch a tracker and a source of frames at work, and memory's peak."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any

from inmo.boxes import Boxes
from inmo.datasets.images import Frame, ImageFrames, decode, read_bytes
from inmo.trackers.base import Step, Tracker

CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


class Watch:
    """Seconds by part, summed over threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.seconds: dict[str, float] = defaultdict(float)

    def add(self, parts: Mapping[str, float]) -> None:
        with self._lock:
            for part, seconds in parts.items():
                self.seconds[part] += seconds


class WatchedTracker:
    """A tracker whose ``init`` and parts of ``step`` are summed in a watch: ``init``, ``pre``, ``network``, ``post``,
    and ``track`` for all of ``step``."""

    def __init__(self, tracker: Tracker, watch: Watch) -> None:
        self._tracker, self._watch = tracker, watch
        self.device = getattr(tracker, "device", None)

    def init(self, frames: list[Frame], boxes: Boxes) -> Any:
        started = perf_counter()
        state = self._tracker.init(frames, boxes)
        self._watch.add({"init": perf_counter() - started})
        return state

    def step(self, frames: list[Frame], state: Any) -> Step:
        started = perf_counter()
        step = self._tracker.step(frames, state)
        self._watch.add({**(step.seconds or {}), "track": perf_counter() - started})
        return step


@dataclass(frozen=True)
class WatchedFrames(ImageFrames):
    """Image files whose reading (``read``) and decoding (``decode``) are summed in a watch, in whatever thread."""

    watch: Watch

    def read(self, index: int) -> Frame:
        path = self.paths[index]
        started = perf_counter()
        data = read_bytes(path)
        read = perf_counter()
        frame = decode(data, path)
        self.watch.add({"read": read - started, "decode": perf_counter() - read})
        return frame


def forget_peak(device: Any = None) -> None:
    """Count memory's peak from here. Where the system has no way to, it stays that of the process so far."""
    if getattr(device, "type", "") == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats(device)
    elif CLEAR.exists():
        CLEAR.write_text("5")


def peak_bytes(device: Any = None) -> int:
    """Most memory in use since ``forget_peak``: allocated on a CUDA device, else resident in this process; 0 where the
    system does not say (Windows)."""
    if getattr(device, "type", "") == "cuda":
        import torch

        return torch.cuda.max_memory_allocated(device)
    if CLEAR.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    with suppress(ImportError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return 0
