"""Overlap over time and losses of the target, on cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from inmo.datasets.base import Annotation
from inmo.reports.scoring.failures import (
    NOWHERE,
    Detail,
    Loss,
    detail_for,
    frame_overlaps,
    key_frames,
    losses,
    thinned,
    to_bytes,
    trace,
)

GONE = float("nan")


def test_overlaps_by_hand() -> None:
    truth = np.array([[0, 0, 4, 2], [0, 0, 4, 2], [0, 0, 4, 2], [GONE] * 4, [0, 0, 4, 2]], float)
    boxes = np.array([[0, 0, 4, 2], [2, 0, 4, 2], [4, 0, 4, 2], [0, 0, 4, 2], [0, 0, 0, 2]], float)
    # whole; 2 x 2 of 4 x 2 shared: 4 / (8 + 8 - 4); beside it; no target; no box
    assert frame_overlaps(boxes, truth)[[0, 1, 2, 4]].tolist() == pytest.approx([1, 1 / 3, 0, 0])
    assert np.isnan(frame_overlaps(boxes, truth)[3])


@pytest.mark.parametrize(
    ("overlaps", "expected"),
    [
        ([1, 0, 0, 0.2, 0, 0, 0, 0.5], [Loss(4, 7)]),  # two frames of zero are a slip, three are a loss
        ([1, 0.5, 0, 0], []),  # the end comes too soon to tell
        ([1, 0.5, 0, 0, 0], [Loss(2, None)]),
        ([1, 0, GONE, GONE, 0, 0, GONE, 0.1], [Loss(1, 7)]),  # an absent target lengthens nothing, and ends nothing
        ([1, 0, GONE, 0, 0.1, GONE], []),
        ([1, GONE, GONE], []),
        ([1, 0, 0, 0, 0.1, 0, 0, 0, GONE], [Loss(1, 4), Loss(5, None)]),
        ([0, 0, 0, 1], [Loss(0, 3)]),
        ([GONE, GONE], []),
        ([], []),
    ],
)
def test_losses_by_hand(overlaps: list[float], expected: list[Loss]) -> None:
    assert losses(np.array(overlaps, float), patience=3) == tuple(expected)


def test_ten_frames_are_a_loss_and_nine_are_not() -> None:
    assert losses(np.array([1.0] + [0] * 9 + [1])) == ()
    assert losses(np.array([1.0] + [0] * 10 + [1])) == (Loss(1, 11),)


def test_key_frames_are_spread_and_hold_first_losses_first() -> None:
    assert key_frames(9, [(), ()], evenly=5) == (0, 2, 4, 6, 8)
    assert key_frames(3, [], evenly=40) == (0, 1, 2)
    lost = [(Loss(3, 4), Loss(5, 6)), (Loss(7, None),), (Loss(4, 5),)]
    assert key_frames(9, lost, evenly=5) == (0, 2, 3, 4, 6, 8)  # 0.3 x 5 is one; frame 4 is there already
    assert key_frames(91, lost, evenly=7) == (0, 3, 7, 15, 30, 45, 60, 75, 90)  # two, and nobody's second
    assert key_frames(92, lost, evenly=14) == (0, 3, 4, 5, *range(7, 92, 7))  # frame 7 is there already


def test_thinning_takes_means_of_what_is_there() -> None:
    found = thinned(np.array([[1, 0, GONE, 0.5, GONE, GONE, 0.25]]), 2)
    assert found[0, [0, 1, 3]].tolist() == [0.5, 0.5, 0.25]
    assert np.isnan(found[0, 2])


def test_bytes() -> None:
    assert to_bytes(np.array([0, 0.003, 0.5, 1, GONE]), 250).tolist() == [0, 1, 125, 250, NOWHERE]
    assert to_bytes(np.array([0, 0.003, 0.667, 1, GONE]), 100).tolist() == [0, 0, 67, 100, NOWHERE]


def test_trace_of_two_trackers() -> None:
    boxes = np.tile([10.0, 10, 4, 4], (30, 1))
    absent = np.zeros(30, bool)
    absent[29] = True
    lost = boxes.copy()
    lost[12:, 0] += 50
    found = trace(
        "s",
        Annotation(boxes, absent),
        {"good": np.vstack([boxes, boxes]), "short": lost[:20]},
        detail=Detail(points=10),
    )
    assert (found.frames, found.step, found.points.shape) == (30, 3, (2, 10))
    assert found.losses == ((), (Loss(12, None),))
    assert found.points[1].tolist() == [250] * 4 + [0] * 6  # the last point: two frames of nothing, one of no target
    assert found.at.shape == (2, len(found.keys))
    assert found.at[0].tolist() == [100] * 29 + [NOWHERE]
    assert np.isnan(found.truth[-1]).all()
    assert np.isnan(found.boxes[1, 20:]).all()
    assert found.boxes[1, 12].tolist() == [60, 10, 4, 4]


def test_a_page_has_a_budget() -> None:
    assert detail_for(0, 0) == detail_for(16, 16 * 8) == Detail(600, 40)
    assert detail_for(280, 280 * 20) == Detail(600, 21)
    assert detail_for(3 * 280, 3 * 280 * 20) == Detail(4_500_000 // 16_800, 12)
    assert detail_for(10**6, 10**9) == Detail(150, 12)


def test_a_page_of_lasots_size_stays_below_its_limit() -> None:
    """280 sequences of 2448 frames, 20 trackers that lose the target all the time: bytes as the page embeds them."""
    boxes = np.tile([10.0, 10, 4, 4], (2448, 1))
    rng = np.random.default_rng(0)
    lost = {str(i): np.where(np.repeat(rng.random(204) < 0.5, 12)[:, None], boxes, boxes + 50) for i in range(20)}
    found = trace("s", Annotation(boxes), lost, detail_for(280, 280 * 20))
    assert len(found.keys) == 21 + 6
    numbers = found.points.size + found.at.size + 2 * (found.truth.size + found.boxes.size)  # boxes are of int16
    assert 280 * numbers * 4 / 3 < 10e6
