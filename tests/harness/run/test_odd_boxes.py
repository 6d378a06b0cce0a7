"""Answers at work that are no x, y, w, h."""

from __future__ import annotations

import numpy as np
import pytest

from inmo.harness.run.odd_boxes import foreign, odd_box, odd_boxes
from inmo.trackers import tracker

FIRST = np.array([100.0, 80.0, 40.0, 30.0])


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((102, 81, 142, 111), "looks like corners (x1, y1, x2, y2), not x, y, w, h"),
        ((122, 96, 41, 30), "looks like a centre (cx, cy, w, h), not x, y, w, h"),
        ((0.2, 0.2, 0.06, 0.06), "looks relative to the frame's size, not in pixels"),
        ((102, 81, -40, 30), "has a negative width or height"),
        ((102, 81, 40, 30), ""),
        ((130, 81, 40, 30), ""),  # three quarters of its width to the right, but not down
        ((102, 81, 90, 30), ""),  # twice as wide
        ((0, 0, 0, 0), ""),
        ((0, 0, 640, 480), ""),
    ],
)
def test_the_second_box(box: tuple[float, ...], words: str) -> None:
    assert odd_box(FIRST, np.array(box, dtype=np.float64), 1) == words


def test_only_negative_sizes_are_told_later() -> None:
    assert odd_box(FIRST, np.array([102.0, 81.0, 142.0, 111.0]), 2) == ""
    boxes = np.array([FIRST, FIRST, FIRST, [1, 2, 3, -4]])
    assert odd_boxes(boxes) == "its box has a negative width or height"
    assert odd_boxes(boxes[:3]) == ""
    assert odd_boxes(boxes[:1]) == ""


def test_a_small_target_tells_nothing() -> None:
    assert odd_box(np.array([1.0, 1.0, 4.0, 4.0]), np.array([1.0, 1.0, 5.0, 5.0]), 1) == ""


def test_our_own_trackers_may_move_by_half_a_target() -> None:
    assert not foreign(tracker("kcf").build(tracker("kcf").config, "cpu"))
    assert foreign(object())
