"""A tracker at work that answers something else than x, y, w, h: told by its first answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes

ALIKE = 1.5  # a target's size a frame later is within this factor
NEAR = 0.25  # of the target's size, that a centre may be off by
LEAST_PX = 8.0  # targets below this in size tell nothing
FRACTION = 1.5  # of the frame's size, that numbers which are relative to it may be


def foreign(tracker: object) -> bool:
    """Whether what a tracker answers comes from code that is not this project's, and so may be anything.

    A sudden move by half the target's size also looks like a centre, and our own trackers do that.
    """
    home = type(tracker).__module__
    return home.startswith("inmo.trackers.external.") or not home.startswith("inmo.trackers.")


def odd_box(first: NDArray[np.float64], box: NDArray[np.float64], index: int) -> str:
    """What a box (4,) looks like where that is not x, y, w, h, in words; else empty.

    Args:
        first: the box (4,) x, y, w, h that tracking began with.
        box: the answer at frame ``index``, in the same numbers; of frame 1 it must still be near the first.
    """
    if (box[2:] < 0).any():
        return "has a negative width or height"
    if index != 1 or (first[2:] < LEAST_PX).any():
        return ""
    x, y, w, h = box
    if _alike(first[2:], box[2:]):
        aside = np.abs(box[:2] - first[:2] - first[2:] / 2) / first[2:]
        return "looks like a centre (cx, cy, w, h), not x, y, w, h" if (aside < NEAR).all() else ""
    if (box[2:] > 0).all() and np.abs(box).max() <= FRACTION:
        return "looks relative to the frame's size, not in pixels"
    corners = _alike(first[2:], np.array([w - x, h - y]))
    return "looks like corners (x1, y1, x2, y2), not x, y, w, h" if corners else ""


def odd_boxes(boxes: Boxes) -> str:
    """Likewise of a whole result, (n, 4) with the first box in row 0: its first oddity."""
    for index in (1, *np.flatnonzero((boxes[2:, 2:] < 0).any(axis=1))[:1] + 2):
        if index < len(boxes) and (words := odd_box(boxes[0], boxes[index], int(index))):
            return f"its box {words}"
    return ""


def _alike(size: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    with np.errstate(divide="ignore", invalid="ignore"):
        return bool((other > 0).all() and (np.maximum(size / other, other / size) <= ALIKE).all())
