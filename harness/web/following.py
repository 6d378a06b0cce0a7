"""A tracker that follows one target through a video, a frame at a time, and says what it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from inmo.errors import UserError
from inmo.harness.run.engine import check_step
from inmo.harness.run.jobs import built
from inmo.harness.run.setup import Setup
from inmo.harness.web.footage import Footage
from inmo.trackers.base import Searching, SequenceAware


@dataclass(frozen=True)
class Seen:
    """One frame of a follower's.

    Attributes:
        frame: its number from 0.
        box: x, y, w, h in pixels from 0.
        score: the tracker's own; None where it has none.
        region: x, y, w, h of where it looked for the target; None where it does not say.
        seconds: that it took.
    """

    frame: int
    box: tuple[float, ...]
    score: float | None
    region: tuple[float, ...] | None
    seconds: float

    def facts(self) -> dict[str, object]:
        """As JSON takes it."""
        return {**self.__dict__, "box": list(self.box), "region": list(self.region) if self.region else None}


class Follower:
    """A tracker at work in one video.

    Raises:
        UserError: it cannot be built, or looks its boxes up by sequence.
    """

    def __init__(self, setup: Setup, footage: Footage, benchmark: str, device: str) -> None:
        self.title = setup.shown
        self._footage = footage
        self._tracker: Any = built(setup.spec.name, setup.on(benchmark), device)
        if isinstance(self._tracker, SequenceAware):
            raise UserError(f"{setup.spec.name} looks boxes up by sequence: name a tracker that looks at frames")
        self._state: Any = None
        self.frame = -1

    def start(self, frame: int, box: Sequence[float]) -> None:
        """Start at a frame from a box. Raises UserError for one that is none there."""
        checked = self._footage.check(box)
        self._state = self._tracker.init([self._footage.read(frame)], np.array([checked], np.float64))
        self.frame = frame

    def step(self) -> Seen | None:
        """The next frame; None after the last. Raises UserError and TrackerFailure where the tracker goes wrong."""
        if self.frame + 1 >= len(self._footage):
            return None
        image = self._footage.read(self.frame + 1)
        region = None
        if isinstance(self._tracker, Searching):
            region = tuple(self._tracker.regions(self._state)[0].tolist())
        began = perf_counter()
        step = self._tracker.step([image], self._state)
        seconds = perf_counter() - began
        check_step(step, self._footage.name, self.frame + 1, 1)
        self._state, self.frame = step.state, self.frame + 1
        score = float(step.scores[0])
        box = tuple(step.boxes[0].tolist())
        return Seen(self.frame, box, score if np.isfinite(score) else None, region, seconds)
