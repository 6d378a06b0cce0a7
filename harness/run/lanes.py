"""Many sequences of one tracker in lock-step: one call of the tracker moves a target of every lane by one frame.

A lane that has come to its end takes the next sequence, the longest first, so that lanes run empty only at the very
end. Results are those of ``run.engine`` up to the arithmetic of a batch (1e-2 px); times are not: a batch says
nothing about the speed of one tracker on one sequence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from collections.abc import Sequence as Several
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np

from inmo.boxes import shift_origin
from inmo.datasets.base import Annotation, Sequence
from inmo.datasets.images import Frame, Frames
from inmo.errors import UserError
from inmo.harness.run import memory
from inmo.harness.run.engine import at_frame, check_start, check_step
from inmo.harness.run.read_ahead import Ahead, readers
from inmo.harness.store.records import Result
from inmo.harness.store.store import PARTS
from inmo.trackers.base import Step, Tracker, TrackerSpec

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
    """A sequence that came to its end.

    Attributes:
        lanes: most targets in a batch when it ended.
        note: what befell the batch before that, in words; empty for nothing.
    """

    wanted: W
    annotation: Annotation
    frames: Frames
    result: Result
    lanes: int = 1
    note: str = ""


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
    return auto_lanes(device) if asked == "auto" else asked


def auto_lanes(device: str) -> int:
    """``auto`` on a device of this process. Raises UserError for one that cannot be used."""
    from inmo.trackers.pipeline.neural import resolve_device  # on demand: trackers without a network need no torch

    return AUTO.get(resolve_device(device).type, AUTO_OTHER)


def follow_all(
    tracker: Tracker,
    wanted: Iterable[W],
    lanes: int,
    *,
    admit: Callable[[W], bool] = lambda item: True,
    fixed: bool = False,
) -> Generator[Done[W] | Failed[W], None, None]:
    """Follow many sequences at once, each as ``engine.track_sequence`` does it.

    Args:
        tracker: one whose states are a ``Batch``.
        wanted: the sequences; opened when a lane takes them.
        lanes: most targets in a batch.
        admit: asked when a lane would take a sequence; one that it refuses is left out.
        fixed: every batch of ``step`` has the same size, as a compiled graph wants it: lanes that ran empty are filled
            with copies of another, whose boxes are thrown away. ``init`` always sees one target.

    Yields:
        each sequence as soon as it ended. ``read`` of its result is the time waited for its frames, the other times
        are NaN. What fails of one sequence, by its data or in the tracker, does not touch the others. When memory runs
        out, there are half as many lanes from then on; sequences under way are followed in several smaller batches, and
        only one that does not fit alone fails.
    """
    waiting = deque(sorted(wanted, key=lambda item: -item.frames))
    lanes = min(lanes, len(waiting))
    batch = _LockStep(tracker, lanes, fixed)
    live: list[_Lane[W]] = []
    with readers(max(lanes, 1)) as pool:
        try:
            while waiting or live:
                refused: list[Failed[W]] = []
                while waiting and len(live) < batch.most:
                    item = waiting.popleft()
                    if not admit(item):
                        continue
                    try:
                        live.append(_Lane(item, pool))
                    except Exception as error:
                        refused.append(Failed(item, error))
                yield from refused
                for lane in live:  # all are opened, and being read, before the first is waited for
                    if lane.index == 0:
                        lane.begin(tracker)
                    lane.fetch()
                if len(live) > 1 and any(lane.crowded for lane in live):
                    batch.halve(len(live))
                    for lane in live:
                        if lane.crowded:  # it starts again when others have left
                            lane.film.close()
                            waiting.appendleft(lane.wanted)
                    live = [lane for lane in live if not lane.crowded]
                batch.step([lane for lane in live if not lane.ended])
                for lane in live:
                    if lane.ended:
                        lane.film.close()
                        yield lane.outcome(batch)
                live = [lane for lane in live if not lane.ended]
        finally:
            for lane in live:
                lane.film.close()


class _Lane(Generic[W]):
    """One sequence under way.

    Attributes:
        index, frame: the frame that is followed next.
        row: of the target in the batch of the step before; None for one that is not in it.
        state: of a target that is not in the batch, of batch size 1.
        error: what ended the sequence early.
    """

    frame: Frame

    def __init__(self, wanted: W, pool: ThreadPoolExecutor) -> None:
        self.wanted = wanted
        self.annotation, self.frames = wanted.open()
        count, self.first = check_start(wanted.sequence, self.annotation, self.frames)
        seconds = {part: np.full(count, np.nan) for part in PARTS}
        self.result = Result(np.full((count, 4), np.nan), np.full(count, np.nan), seconds)
        self.film = Ahead(self.frames, pool)
        self.index = 0
        self.row: int | None = None
        self.state: Batch | None = None
        self.error: Exception | None = None

    @property
    def ended(self) -> bool:
        return self.error is not None or self.index == len(self.result.boxes)

    @property
    def crowded(self) -> bool:
        """Whether there was no memory to begin."""
        return self.index == 0 and self.error is not None and memory.ran_out(self.error)

    def begin(self, tracker: Tracker) -> None:
        """Initialise on the first frame."""
        self.fetch()
        if self.error is None:
            try:
                self.state = tracker.init([self.frame], shift_origin(self.first, -self.wanted.sequence.origin))
                self.result.boxes[0], self.index = self.first[0], 1
            except Exception as error:
                self.fail(error)

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
            self.result.seconds["read"][self.index] = perf_counter() - started

    def accept(self, step: Step) -> None:
        """Take over what a step (of one target) gave."""
        try:
            check_step(step, self.wanted.sequence.name, self.index, 1)
        except UserError as error:
            self.error = error
            return
        self.result.boxes[self.index] = shift_origin(step.boxes, self.wanted.sequence.origin)[0]
        self.result.scores[self.index] = step.scores[0]
        self.index += 1

    def fail(self, error: Exception) -> None:
        """End here."""
        if memory.ran_out(error):
            memory.let_go(error)
        self.error, self.state, self.row = error, None, None

    def outcome(self, batch: _LockStep) -> Done[W] | Failed[W]:
        if self.error is not None:
            return Failed(self.wanted, self.error)
        return Done(self.wanted, self.annotation, self.frames, self.result, batch.most, batch.note)


class _LockStep:
    """The batch that all lanes share.

    Args:
        tracker, fixed: see ``follow_all``.
        most: targets in a batch. When memory runs out it becomes half of what was tried.
    """

    def __init__(self, tracker: Tracker, most: int, fixed: bool) -> None:
        self.tracker, self.fixed = tracker, fixed
        self.most = self.wanted = most
        self.state: Any = None
        self.rows: list[int] = []  # of the batch, those that are a lane's

    @property
    def note(self) -> str:
        """What befell the batch, in words."""
        return f"memory ran out with {self.wanted} lanes: {self.most} at the end" if self.most < self.wanted else ""

    def halve(self, tried: int) -> None:
        """From now on, at most half as many targets in a batch as were tried."""
        self.most = min(self.most, max(1, (tried + 1) // 2))

    def step(self, lanes: list[_Lane[W]]) -> None:
        """Move every lane by its frame."""
        if len(lanes) > self.most:
            self._scatter(lanes)
            self._in_groups(lanes, self.most)
        elif lanes:
            self._move(lanes, together=True)

    def _move(self, lanes: list[_Lane[W]], *, together: bool) -> None:
        """The step of some lanes: ``together`` as the batch, else of scattered ones, each of which keeps its state."""
        size = max(self.most, len(lanes)) if self.fixed else len(lanes)
        try:
            frames = [lane.frame for lane in lanes] + [lanes[0].frame] * (size - len(lanes))
            found = self.tracker.step(frames, self._state_of(lanes, size, together))
            if found.boxes.shape != (size, 4):
                raise ValueError(f"boxes of shape {found.boxes.shape} for {size} targets")
            states = [None if together else found.state.take([row]) for row in range(len(lanes))]
        except Exception as error:  # some lane's data, a tracker's fault that its own lane should pay for, or memory
            crowded = memory.ran_out(error) and size > 1
            if crowded:
                memory.let_go(error)
            elif len(lanes) == 1 and not together:
                lanes[0].fail(at_frame(error, lanes[0].wanted.sequence.name, lanes[0].index))
                return
        else:
            self.state = found.state if together else None
            for row, lane in enumerate(lanes):
                lane.state = states[row]
                lane.accept(Step(found.boxes[row : row + 1], found.scores[row : row + 1], None))
            return
        if crowded:  # here the frames of the attempt, and what they hold, are gone
            self.halve(size)
        if together:
            self._scatter(lanes)
        self._in_groups(lanes, self.most if crowded else 1)

    def _state_of(self, lanes: list[_Lane[W]], size: int, together: bool) -> Any:
        """The state of the lanes in their order; nothing of the batch's is copied while they stay the same."""
        if not together:
            return _joined([lane.state for lane in lanes], len(lanes), size)
        kept = [lane.row for lane in lanes if lane.row is not None]
        if len(kept) == len(lanes) and kept == self.rows:
            return self.state
        parts = [self.state.take(kept)] if kept else []
        parts += [lane.state for lane in lanes if lane.row is None]  # newer lanes stand behind older ones
        self.state, self.rows = _joined(parts, len(lanes), size), list(range(len(lanes)))
        for row, lane in enumerate(lanes):
            lane.row, lane.state = row, None
        return self.state

    def _scatter(self, lanes: list[_Lane[W]]) -> None:
        """Give every lane a state of its own; the batch has none."""
        for lane in lanes:
            if lane.row is not None:
                try:
                    lane.state, lane.row = self.state.take([lane.row]), None
                except Exception as error:
                    lane.fail(error)
        self.state, self.rows = None, []

    def _in_groups(self, lanes: list[_Lane[W]], most: int) -> None:
        """The step of scattered lanes, so many at a time; each keeps a state of its own."""
        left = deque(lane for lane in lanes if not lane.ended)
        while left:
            self._move([left.popleft() for _ in range(min(len(left), most, self.most))], together=False)


def _joined(states: Several[Any], count: int, size: int) -> Any:
    """States of ``count`` targets as one of ``size``, which the first target fills up."""
    state = states[0].join(states) if len(states) > 1 else states[0]
    return state.take([*range(count), *[0] * (size - count)]) if size > count else state
