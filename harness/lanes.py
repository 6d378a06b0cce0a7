"""Many sequences of one tracker in lock-step: one call of the tracker moves a target of every lane by one frame.

A lane that has come to its end takes the next sequence, the longest first, so that lanes run empty only at the very
end. Results are those of ``harness.engine`` up to the arithmetic of a batch (1e-2 px); times are not: a batch says
nothing about the speed of one tracker on one sequence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from collections.abc import Sequence as Several
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np

from datasets.base import Annotation, Sequence
from datasets.boxes import Boxes, shift_origin
from datasets.errors import UserError
from datasets.images import Frame, Frames
from harness.ahead import Ahead, readers
from harness.engine import check_start, check_step, checked_step
from harness.store import PARTS, Result
from trackers.base import Step, Tracker, TrackerSpec

AUTO = {"cuda": 32, "mps": 8}
"""Lanes that ``auto`` takes per kind of device; see ``lanes_for``."""
AUTO_OTHER = 4


class Batch(Protocol):
    """What a tracker remembers of several targets, with a leading batch axis."""

    def take(self, lanes: Several[int]) -> Batch:
        """Some of the targets, in this order; one may be taken several times."""
        ...

    @staticmethod
    def join(states: Any) -> Batch:
        """All the targets of several states."""
        ...


class Wanted(Protocol):
    """A sequence that is to be followed, as the caller knows it."""

    @property
    def sequence(self) -> Sequence: ...
    @property
    def frames(self) -> int:
        """About how many there are, for the order."""
        ...

    def open(self) -> tuple[Annotation, Frames]:
        """Ground truth and images. Raises UserError."""
        ...


W = TypeVar("W", bound=Wanted)


@dataclass(frozen=True)
class Done(Generic[W]):
    """A sequence that came to its end."""

    wanted: W
    annotation: Annotation
    frames: Frames
    result: Result


@dataclass(frozen=True)
class Failed(Generic[W]):
    """A sequence that did not, and why."""

    wanted: W
    error: Exception


def lanes_for(spec: TrackerSpec, asked: int | Literal["auto"], device: str) -> int:
    """How many lanes a tracker gets: what was asked for, 1 for one without a network, as those know no batches.

    ``auto`` is 32 on CUDA, where one target leaves most of the device idle: full-size trackers need 30 (TransInMo) to
    120 MB (SiamCAR) a lane in float32, so under 4 GB; 8 on MPS, whose memory is the machine's own; 4 on a processor,
    where a batch spares what every call costs by itself: that is much for nano networks, of which 8 lanes get little
    more, and nothing for full ones.

    Raises UserError for a number below 1, or a device that cannot be used.
    """
    if asked != "auto" and asked < 1:
        raise UserError(f"--lanes {asked}: give a number from 1 up, or auto")
    if spec.network is None:
        return 1
    if asked != "auto":
        return asked
    from trackers.neural import resolve_device  # on demand: trackers without a network need no torch

    return AUTO.get(resolve_device(device).type, AUTO_OTHER)


def follow_all(
    tracker: Tracker, wanted: Iterable[W], lanes: int, *, fixed: bool = False
) -> Generator[Done[W] | Failed[W], None, None]:
    """Follow many sequences at once, each as ``engine.track_sequence`` does it.

    Args:
        tracker: one whose states are a ``Batch``.
        wanted: the sequences; opened when a lane takes them.
        lanes: most targets in a batch.
        fixed: every batch of ``step`` has the same size, as a compiled graph wants it: lanes that ran empty are filled
            with copies of another, whose boxes are thrown away. ``init`` always sees one target.

    Yields:
        each sequence as soon as it ended. ``read`` of its result is the time waited for its frames, the other times
        are NaN. What fails of one sequence, by its data or in the tracker, does not touch the others.
    """
    waiting = deque(sorted(wanted, key=lambda item: -item.frames))
    lanes = min(lanes, len(waiting))
    batch = _LockStep(tracker, lanes if fixed else 0)
    live: list[_Lane[W]] = []
    with readers(max(lanes, 1)) as pool:
        try:
            while waiting or live:
                refused: list[Failed[W]] = []
                while waiting and len(live) < lanes:
                    item = waiting.popleft()
                    try:
                        live.append(_Lane.start(item, pool))
                    except Exception as error:
                        refused.append(Failed(item, error))
                yield from refused
                for lane in live:  # all are opened, and being read, before the first is waited for
                    if lane.index == 0:
                        lane.begin(tracker)
                    lane.fetch()
                batch.step([lane for lane in live if not lane.ended])
                for lane in live:
                    if lane.ended:
                        lane.film.close()
                        yield lane.outcome()
                live = [lane for lane in live if not lane.ended]
        finally:
            for lane in live:
                lane.film.close()


@dataclass
class _Lane(Generic[W]):
    """One sequence under way.

    Attributes:
        row: of the target in the batch of the step before; None for one that is not in it.
        state: of a target that is not in the batch, of batch size 1.
        frame: the one that is followed next.
        error: what ended the sequence early.
    """

    wanted: W
    annotation: Annotation
    frames: Frames
    film: Ahead
    first: Boxes
    boxes: Boxes
    scores: Any
    seconds: dict[str, Any]
    index: int = 0
    row: int | None = None
    state: Batch | None = None
    frame: Frame = field(default_factory=lambda: np.empty((0, 0, 3), np.uint8))
    error: Exception | None = None

    @classmethod
    def start(cls, wanted: W, pool: ThreadPoolExecutor) -> _Lane[W]:
        annotation, frames = wanted.open()
        count, first = check_start(wanted.sequence, annotation, frames)
        seconds = {part: np.full(count, np.nan) for part in PARTS}
        boxes, scores = np.full((count, 4), np.nan), np.full(count, np.nan)
        return cls(wanted, annotation, frames, Ahead(frames, pool), first, boxes, scores, seconds)

    @property
    def ended(self) -> bool:
        return self.error is not None or self.index == len(self.boxes)

    def begin(self, tracker: Tracker) -> None:
        """Initialise on the first frame."""
        self.fetch()
        if self.error is None:
            try:
                self.state = tracker.init([self.frame], shift_origin(self.first, -self.wanted.sequence.origin))
                self.boxes[0], self.index = self.first[0], 1
            except Exception as error:
                self.error = error

    def fetch(self) -> None:
        """Wait for the next frame."""
        if self.ended:
            return
        started = perf_counter()
        try:
            self.frame = self.film.read()
        except Exception as error:
            self.error = error
        else:
            self.seconds["read"][self.index] = perf_counter() - started

    def accept(self, step: Step) -> None:
        """Take over what a step (of one target) gave."""
        try:
            check_step(step, self.wanted.sequence.name, self.index, 1)
        except UserError as error:
            self.error = error
            return
        self.boxes[self.index] = shift_origin(step.boxes, self.wanted.sequence.origin)[0]
        self.scores[self.index] = step.scores[0]
        self.index += 1

    def outcome(self) -> Done[W] | Failed[W]:
        if self.error is not None:
            return Failed(self.wanted, self.error)
        return Done(self.wanted, self.annotation, self.frames, Result(self.boxes, self.scores, self.seconds))


class _LockStep:
    """The batch that all lanes share.

    Args:
        tracker: see ``follow_all``.
        size: of every batch; 0: as many as there are lanes.
    """

    def __init__(self, tracker: Tracker, size: int) -> None:
        self.tracker, self.size = tracker, size
        self.state: Any = None
        self.rows: list[int] = []  # of the batch, those that are a lane's

    def step(self, lanes: list[_Lane[W]]) -> None:
        """Move every lane by its frame."""
        if not lanes:
            return
        self._arrange(lanes)
        spare = max(self.size - len(lanes), 0)
        try:
            found = self.tracker.step([lane.frame for lane in lanes] + [lanes[0].frame] * spare, self.state)
            if found.boxes.shape != (len(lanes) + spare, 4):
                raise ValueError(f"boxes of shape {found.boxes.shape} for {len(lanes) + spare} targets")
        except Exception:
            # Some lane's data, or a tracker's fault that only its own lane should pay for. This is also where a device
            # that ran out of memory shows: no lane's fault, and to be answered with fewer lanes.
            self._step_apart(lanes)
            return
        self.state = found.state
        for row, lane in enumerate(lanes):
            lane.accept(Step(found.boxes[row : row + 1], found.scores[row : row + 1], None))

    def _arrange(self, lanes: list[_Lane[W]]) -> None:
        """Bring the state into the order of the lanes; nothing is copied while they stay the same."""
        kept = [lane.row for lane in lanes if lane.row is not None]
        if len(kept) == len(lanes) and kept == self.rows:
            return
        parts = [self.state.take(kept)] if kept else []
        parts += [lane.state for lane in lanes if lane.row is None]  # newer lanes stand behind older ones
        state = parts[0].join(parts)
        if self.size > len(lanes):
            state = state.take([*range(len(lanes)), *[0] * (self.size - len(lanes))])
        self.state, self.rows = state, list(range(len(lanes)))
        for row, lane in enumerate(lanes):
            lane.row, lane.state = row, None

    def _step_apart(self, lanes: list[_Lane[W]]) -> None:
        """The same step a lane at a time, in batches of the same size where that is fixed."""
        size = max(self.size, 1)
        for lane in lanes:
            assert lane.row is not None
            own = self.state.take([lane.row] * size)
            lane.row = None
            try:
                found = checked_step(self.tracker, [lane.frame] * size, own, lane.wanted.sequence.name, lane.index)
                lane.state = found.state.take([0])
            except Exception as error:
                lane.error = error
            else:
                lane.accept(Step(found.boxes[:1], found.scores[:1], None))
        self.rows = []
