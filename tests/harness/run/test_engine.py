"""One sequence through one tracker: what is initialised, what is stored, what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Sequence
from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.harness.run.engine import track_sequence
from inmo.trackers.base import Step
from inmo.trackers.simple.dummy import ConstantBox, Oracle


@dataclass(frozen=True)
class Blank:
    count: int

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> Frame:
        return np.full((20, 30, 3), index, np.uint8)

    def names(self) -> list[str]:
        return [f"{i}.png" for i in range(self.count)]


@dataclass
class Probe:
    """Notes what it is shown and answers with a fixed box."""

    answer: Boxes = field(default_factory=lambda: np.array([[5.0, 6, 7, 8]]))
    seen: list[object] = field(default_factory=list)

    def init(self, frames: list[Frame], boxes: Boxes) -> None:
        self.seen.append((int(frames[0][0, 0, 0]), boxes.tolist()))

    def step(self, frames: list[Frame], state: object) -> Step:
        self.seen.append(int(frames[0][0, 0, 0]))
        return Step(self.answer, np.array([0.5]), state, {"network": 0.125})


def sequence(boxes: object, *, origin: int = 0, first_only: bool = False) -> tuple[Sequence, Annotation]:
    annotation = Annotation(np.array(boxes, float))
    return Sequence("otb100", "Deer", lambda: annotation, origin=origin, first_only=first_only), annotation


GROUND_TRUTH = [[3, 4, 10, 12], [4, 4, 10, 12], [5, 4, 10, 12]]


def test_the_tracker_sees_zero_based_boxes_and_the_store_the_files_numbers() -> None:
    probe = Probe()
    seq, annotation = sequence(GROUND_TRUTH, origin=1)
    result = track_sequence(probe, seq, annotation, Blank(3))
    assert probe.seen == [(0, [[2.0, 3.0, 10.0, 12.0]]), 1, 2]
    assert result.boxes.tolist() == [[3, 4, 10, 12], [6, 7, 7, 8], [6, 7, 7, 8]]
    assert np.isnan(result.scores[0])
    assert result.scores[1:].tolist() == [0.5, 0.5]
    assert np.isnan(result.seconds["network"][0])
    assert result.seconds["network"][1:].tolist() == [0.125, 0.125]
    assert (result.seconds["track"] >= 0).all()


def test_constant_and_oracle_are_the_two_ends() -> None:
    seq, annotation = sequence([[3.1, 4, 10, 12], [np.nan] * 4, [5.7, 4, 10, 12]], origin=1)
    constant = track_sequence(ConstantBox(), seq, annotation, Blank(3))
    assert constant.boxes.tolist() == [[3.1, 4, 10, 12]] * 3
    oracle = track_sequence(Oracle(), seq, annotation, Blank(3))
    assert oracle.boxes.tolist() == [[3.1, 4, 10, 12], [3.1, 4, 10, 12], [5.7, 4, 10, 12]]  # to the last bit


@pytest.mark.parametrize(
    ("boxes", "frames", "message"),
    [
        (GROUND_TRUTH, 2, "2 frames but 3 annotated rows"),
        ([[3, 4, 0, 12]], 1, "has no size"),
        ([[np.nan] * 4], 1, "has no size"),
    ],
)
def test_data_that_does_not_fit_is_refused(boxes: object, frames: int, message: str) -> None:
    seq, annotation = sequence(boxes)
    with pytest.raises(UserError, match=message):
        track_sequence(Probe(), seq, annotation, Blank(frames))


@pytest.mark.parametrize("answer", [[[np.nan, 1, 2, 3]], [[np.inf, 1, 2, 3]], [[1, 2, 3]], [[1, 2, 3, 4]] * 2])
def test_nonsense_stops_at_its_frame(answer: object) -> None:
    seq, annotation = sequence(GROUND_TRUTH)
    with pytest.raises(UserError, match="Deer, frame 1"):
        track_sequence(Probe(np.array(answer, float)), seq, annotation, Blank(3))


def test_first_frame_only_takes_its_length_from_the_frames() -> None:
    seq, annotation = sequence(GROUND_TRUTH[:1], first_only=True)
    assert len(track_sequence(Probe(), seq, annotation, Blank(5)).boxes) == 5
