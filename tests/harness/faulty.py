"""A tracker of the tests: it notes what it starts, takes its time, and runs out of memory when told to.

Importing this module makes its registry row known. Workers import it when they unpickle its config.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.images import Frame
from inmo.trackers import TRACKERS
from inmo.trackers.base import Step, TrackerSpec

SIZE = (48, 64)  # height and width of the clips


@dataclass(frozen=True)
class FaultyConfig:
    """What goes wrong.

    Attributes:
        log: file that gets a line ``<clip> <process>`` for every sequence started.
        pause: seconds per step.
        most: targets in a batch above which memory is out; 0 for no bound.
        heavy: the clip whose every step runs out of memory.
        heavy_start: the same when it starts.
        deadly: the clip that kills the process when it starts.
    """

    log: str = field(default="", metadata={"identity": False})
    pause: float = field(default=0.0, metadata={"identity": False})
    most: int = field(default=0, metadata={"identity": False})
    heavy: int = field(default=-1, metadata={"identity": False})
    heavy_start: int = field(default=-1, metadata={"identity": False})
    deadly: int = field(default=-1, metadata={"identity": False})


@dataclass(frozen=True)
class Targets:
    """(B, 4) boxes and the clips they began in."""

    boxes: Boxes
    clips: NDArray[np.int64]

    def take(self, lanes: Any) -> Targets:
        return Targets(self.boxes[list(lanes)], self.clips[list(lanes)])

    @staticmethod
    def join(states: Any) -> Targets:
        return Targets(np.concatenate([s.boxes for s in states]), np.concatenate([s.clips for s in states]))


@dataclass(frozen=True)
class Faulty:
    """Moves each box by what is in its own frames, so that a frame missed, repeated or mixed up shows in the boxes."""

    config: FaultyConfig

    def init(self, frames: list[Frame], boxes: Boxes) -> Targets:
        clips = np.array([clip_of(frame) for frame in frames])
        if self.config.log:
            with open(self.config.log, "ab", buffering=0) as log:  # noqa: PTH123 - one write, so lines stay whole
                for clip in clips:
                    log.write(f"{clip} {os.getpid()}\n".encode())
        if self.config.deadly in clips:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.config.heavy_start in clips:
            raise out_of_memory()
        return Targets(np.asarray(boxes, float), clips)

    def step(self, frames: list[Frame], state: Targets) -> Step:
        if self.config.pause:
            time.sleep(self.config.pause)
        if len(frames) > self.config.most > 0 or self.config.heavy in state.clips:
            raise out_of_memory()
        assert [clip_of(frame) for frame in frames] == state.clips.tolist(), "a target was shown another's frame"
        shift = np.array([[frame.mean() / 100, int(frame[0, 1, 0]) / 7, 0, 0] for frame in frames])
        boxes = state.boxes * (1, 1, 1.001, 0.999) + shift
        return Step(boxes, np.full(len(boxes), 0.5), Targets(boxes, state.clips))


def out_of_memory() -> Exception:
    """What torch raises on a device, message included."""
    import torch

    return torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.19 GiB of which 1.2 GiB is "
        "free.\nSee documentation for Memory Management"
    )


def clip_of(frame: Frame) -> int:
    """The number that ``write_clips`` put into a clip's first pixel."""
    return int(frame[0, 0, 0])


def write_clips(root: Path, count: int, frames: int = 6) -> None:
    """Clips ``c00``, ``c01`` ...: noise, with the clip's number in the first pixel and the frame's in the second.

    Their lengths differ by up to two frames, so that the order of jobs is one.
    """
    for clip in range(count):
        rng, folder = np.random.default_rng(clip), root / f"c{clip:02}"
        (folder / "img").mkdir(parents=True)
        length = frames + clip % 3
        for index in range(length):
            picture = rng.integers(0, 255, (*SIZE, 3), dtype=np.uint8)
            picture[0, 0], picture[0, 1] = clip, index
            cv2.imwrite(str(folder / "img" / f"{index + 1:04}.png"), picture)
        (folder / "groundtruth_rect.txt").write_text(f"{5 + clip},7,16,14\n" * length)


def started(log: Path) -> Counter[int]:
    """Clip -> how often it was started."""
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter(int(line.split()[0]) for line in lines)


FAULTY = TrackerSpec(
    "faulty", "Faulty", FaultyConfig(), lambda config, device: Faulty(config), network=lambda config: None
)
TRACKERS["faulty"] = "tests.harness.faulty:FAULTY"
