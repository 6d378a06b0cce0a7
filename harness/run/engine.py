"""Running one tracker over one sequence."""

from __future__ import annotations

import sys
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes, shift_origin
from inmo.datasets.base import Annotation, Sequence
from inmo.datasets.images import Frames
from inmo.errors import UserError
from inmo.harness.run.odd_boxes import foreign, odd_box
from inmo.harness.run.read_ahead import reading
from inmo.harness.store.records import Result
from inmo.harness.store.store import PARTS
from inmo.trackers.base import Preparable, SequenceAware, Step, Sweepable, Tracker


def track_sequence(
    tracker: Tracker,
    sequence: Sequence,
    annotation: Annotation,
    frames: Frames,
    *,
    ahead: bool | None = None,
) -> Result:
    """One-pass evaluation: initialise on the first frame's ground truth, follow to the end, never restart.

    Args:
        tracker: any tracker; a ``SequenceAware`` one is first asked for its own of this sequence.
        sequence: for its name and origin.
        annotation: ground truth; only row 0 is shown to the tracker.
        frames: as many as the annotation has rows (any number where only the first row is annotated).
        ahead: whether a thread decodes the next frames; None: as ``reads_ahead`` has it.

    Returns:
        Result with boxes in the numbers of the benchmark's files, one row per frame. ``track`` is the wall-clock time
        of the tracker's call, ``read`` that of waiting for the frame.

    Raises:
        UserError: counts that do not fit, a first box of no size, an unreadable frame, or an answer that is not
            finite (naming frame and value).
    """
    ahead = reads_ahead(tracker) if ahead is None else ahead
    return _follow(tracker, sequence, annotation, frames, None, ahead=ahead)[0]


def track_variants(
    tracker: Tracker, sequence: Sequence, annotation: Annotation, frames: Frames, constants: NDArray[np.float64]
) -> list[Result]:
    """As ``track_sequence`` for W sets of test-time constants at once: frames and template are shared.

    Args:
        tracker: a ``Sweepable`` one.
        constants: (W, 3) penalty_k, lr, window_influence.

    Returns:
        W results. Their ``track`` is NaN: a batch says nothing about the speed of one tracker on one sequence.

    Raises:
        UserError: as ``track_sequence``, or a tracker that cannot do this.
    """
    if not isinstance(tracker, Sweepable):
        raise UserError("this tracker has no test-time constants to sweep: name one of the neural trackers")
    return _follow(tracker, sequence, annotation, frames, constants, ahead=True)


def _follow(
    tracker: Tracker,
    sequence: Sequence,
    annotation: Annotation,
    frames: Frames,
    constants: NDArray[np.float64] | None,
    *,
    ahead: bool,
) -> list[Result]:
    lanes = 1 if constants is None else len(constants)
    count, first = check_start(sequence, annotation, frames)
    boxes, scores = np.full((lanes, count, 4), np.nan), np.full((lanes, count), np.nan)
    seconds = {part: np.full(count, np.nan) for part in PARTS}

    strange = foreign(tracker)
    origin = sequence.origin
    if isinstance(tracker, SequenceAware):
        tracker, origin = tracker.for_sequence(sequence), 0
    if isinstance(tracker, Preparable):
        tracker.prepare(lanes)
    state = None
    with reading(frames, ahead=ahead) as film:
        for index in range(count):
            started = perf_counter()
            frame = film.read()
            decoded = perf_counter()
            if index == 0:
                state = tracker.init([frame], shift_origin(first, -origin))
                if constants is not None and isinstance(tracker, Sweepable):
                    state = tracker.variants(state, constants)
                boxes[:, 0] = first[0]
            else:
                try:
                    step = tracker.step([frame] * lanes, state)
                except UserError as error:
                    raise at_frame(error, sequence.name, index) from error
                check_step(step, sequence.name, index, lanes)
                state, boxes[:, index], scores[:, index] = step.state, shift_origin(step.boxes, origin), step.scores
                if lanes == 1 and strange:
                    _say_odd(tracker, sequence.name, index, first[0], boxes[0, index])
                if lanes == 1:
                    for part, value in step.seconds.items():
                        seconds[part][index] = value
            seconds["read"][index] = decoded - started
            if lanes == 1:
                seconds["track"][index] = perf_counter() - decoded
    return [Result(boxes[lane], scores[lane], seconds) for lane in range(lanes)]


_SAID: set[tuple[int, str]] = set()  # trackers of this process, and what was said of them


def _say_odd(tracker: Tracker, name: str, index: int, first: NDArray[np.float64], box: NDArray[np.float64]) -> None:
    """Tell of a tracker's first box that does not look like x, y, w, h while there is time to stop the run."""
    words = odd_box(first, box, index)
    if words and (id(tracker), words) not in _SAID:
        _SAID.add((id(tracker), words))
        sys.stderr.write(f"note: {name}, frame {index}: the tracker's box {box.round(3).tolist()} {words}\n")


def reads_ahead(tracker: Tracker) -> bool:
    """Whether a thread decodes the next frames while the tracker computes: where it computes on a device of its own.

    On the processor the two would share the cores, and ``track``, which speeds are made of, would measure both.
    Batches, whose times say nothing about speed, always read ahead.
    """
    return getattr(getattr(tracker, "device", None), "type", "cpu") != "cpu"


def check_start(sequence: Sequence, annotation: Annotation, frames: Frames) -> tuple[int, Boxes]:
    """How many frames there are to follow, and the first box (1, 4) in the numbers of the benchmark's files.

    Raises UserError for counts that do not fit or a first box of no size.
    """
    count, first = len(frames), annotation.boxes[:1]
    if count != len(annotation) and not sequence.first_only:
        raise UserError(
            f"{sequence.name} has {count} frames but {len(annotation)} annotated rows: complete the download"
        )
    if not (np.isfinite(first).all() and (first[:, 2:] > 0).all()):
        raise UserError(
            f"{sequence.name} starts with the box {first[0].tolist()}, which has no size: mend its first row"
        )
    return count, first


def at_frame(error: Exception, name: str, index: int) -> Exception:
    """A UserError with the sequence and frame that it befell; any other error as it is."""
    return UserError(f"{name}, frame {index}: {error}") if isinstance(error, UserError) else error


def check_step(step: Step, name: str, index: int, lanes: int) -> None:
    """A tracker that answers nonsense is stopped at once: NaN boxes must not reach a score.

    Raises UserError, naming frame and value.
    """
    if step.boxes.shape != (lanes, 4):
        raise UserError(
            f"{name}, frame {index}: the tracker gave boxes of shape {step.boxes.shape} instead of {(lanes, 4)}"
        )
    broken = ~np.isfinite(step.boxes).all(axis=1)
    if broken.any():
        raise UserError(f"{name}, frame {index}: the tracker's box is not finite: {step.boxes[broken][0].tolist()}")
    if np.isinf(step.scores).any():
        raise UserError(f"{name}, frame {index}: the tracker's score is not finite: {step.scores.tolist()}")
