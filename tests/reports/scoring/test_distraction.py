"""On a distractor, switches and what counts, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation
from inmo.reports.scoring.distraction import LEAST, RUN, Distraction, distraction, on_distractor

NAN = float("nan")


def at(*places: float, size: float = 10.0) -> Boxes:
    """A square per frame, side by side on a line."""
    return np.array([[x, 0.0, size, size] for x in places])


def record(*places: float, others: float = 20.0, absent: object = None) -> Distraction | None:
    truth = at(*[0.0] * len(places))
    return distraction(at(*places), Annotation(truth, absent), at(*[others] * len(places))[None])  # type: ignore[arg-type]


def test_the_threshold_is_an_overlap_with_the_distractor() -> None:
    # squares of side 10: moved by d they share 10 (10 - d) of 100 + 10 d, which is LEAST = 0.3 for d = 70 / 13
    assert LEAST == 0.3
    d = 70 / 13
    on, counted = on_distractor(at(20, 20 - d + 0.01, 20 - d - 0.01, 20), at(0, 0, 0, 0), at(20, 20, 20, 20)[None])
    assert on.tolist() == [False, True, False, True]  # the first frame was given
    assert counted.tolist() == [False, True, True, True]


def test_the_target_wins_where_it_is_overlapped_as_much() -> None:
    truth, other = at(0, 0, 0), at(4, 4, 4)[None]
    on, _ = on_distractor(at(0, 2, 3), truth, other)  # halfway; one further: 9/11 against 7/13
    assert on.tolist() == [False, False, True]


def test_the_best_of_several_distractors_counts() -> None:
    others = np.stack([at(*[NAN] * 3), at(50, 50, 50), at(90, 90, NAN)])
    on, counted = on_distractor(at(0, 90, 90), at(0, 0, 0), others)
    assert on.tolist() == [False, True, False] and counted.tolist() == [False, True, True]


def test_frames_without_target_or_without_distractor_do_not_count() -> None:
    flat = at(20, 20, 20, 20, 20)
    flat[2, 2] = 0  # a box without area is none
    flat[3] = NAN
    truth = at(0, 0, 0, 0, NAN)
    on, counted = on_distractor(at(20, 20, 20, 20, 20), truth, flat[None])
    assert on.tolist() == counted.tolist() == [False, True, False, False, False]
    assert distraction(at(20, 20), Annotation(at(0, 0)), np.zeros((0, 2, 4))) is None
    assert record(0, 20, 20, absent=np.array([False, True, True])) is None


def test_missing_rows_and_broken_boxes_are_on_nothing() -> None:
    truth, others = Annotation(at(*[0] * 5)), at(*[20] * 5)[None]
    given = at(0, 20, NAN)
    found = distraction(given, truth, others)
    assert found == Distraction(counted=4, on=1, switch=None, frames=5, distractors=1)
    assert found is not None and found.share == pytest.approx(1 / 4)


def test_a_switch_is_a_run_and_begins_with_its_first_frame() -> None:
    short = record(0, *[20] * (RUN - 1), 0, *[20] * (RUN - 1))
    assert short is not None and (short.on, short.switch, short.before) == (2 * RUN - 2, None, 2 * RUN)
    long = record(0, 0, 20, 0, *[20] * RUN, 0)
    assert long is not None and (long.on, long.switch, long.before, long.frames) == (RUN + 1, 4, 4, RUN + 5)


def test_frames_that_do_not_count_neither_end_nor_lengthen_a_run() -> None:
    places = [0.0, *[20.0] * (RUN + 1)]
    absent = np.array([False, False, False, True, *[False] * (RUN - 2)])
    found = record(*places, absent=absent)
    assert found is not None and (found.counted, found.switch) == (RUN, 1)
    shorter = record(*places[:-1], absent=absent[:-1])
    assert shorter is not None and shorter.switch is None
