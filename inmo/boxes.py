"""Box formats. At every border of the project a box is x, y, w, h in float64 pixels, counted from 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


def xywh_to_cxcywh(boxes: Boxes) -> Boxes:
    """(..., 4) x, y, w, h to centre x, centre y, w, h, with centre = x + w / 2.

    >>> xywh_to_cxcywh(np.array([10.0, 20.0, 4.0, 6.0])).tolist()
    [12.0, 23.0, 4.0, 6.0]
    """
    return np.concatenate([boxes[..., :2] + boxes[..., 2:] / 2, boxes[..., 2:]], axis=-1)


def cxcywh_to_xywh(boxes: Boxes) -> Boxes:
    """(..., 4) centre x, centre y, w, h to x, y, w, h.

    >>> cxcywh_to_xywh(np.array([12.0, 23.0, 4.0, 6.0])).tolist()
    [10.0, 20.0, 4.0, 6.0]
    """
    with np.errstate(invalid="ignore"):
        return np.concatenate([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., 2:]], axis=-1)


def xyxy_to_xywh(boxes: Boxes) -> Boxes:
    """(..., 4) left, top, right, bottom to x, y, w, h, with w = right - left.

    >>> xyxy_to_xywh(np.array([10.0, 20.0, 14.0, 26.0])).tolist()
    [10.0, 20.0, 4.0, 6.0]
    """
    with np.errstate(invalid="ignore"):
        return np.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], axis=-1)


def rows_differ(one: Boxes, other: Boxes) -> NDArray[np.bool_]:
    """(n,) True where two rows of (n, 4) are not the same to the last bit; NaN is like NaN.

    >>> rows_differ(np.array([[1, 2, np.nan, 3]] * 2), np.array([[1, 2, np.nan, 3], [1, 2, 0, 3]])).tolist()
    [False, True]
    """
    return np.asarray(~((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1))


def polygon_to_xywh(points: Boxes) -> Boxes:
    """(..., 2k) x1, y1, x2, y2 ... of polygons to x, y, w, h of their enclosing rectangles.

    A square that stands on its corner:

    >>> polygon_to_xywh(np.array([5.0, 0.0, 10.0, 5.0, 5.0, 10.0, 0.0, 5.0])).tolist()
    [0.0, 0.0, 10.0, 10.0]
    """
    x, y = points[..., 0::2], points[..., 1::2]
    low = np.stack([x.min(axis=-1), y.min(axis=-1)], axis=-1)
    return np.concatenate([low, np.stack([x.max(axis=-1), y.max(axis=-1)], axis=-1) - low], axis=-1)


def shift_origin(boxes: Boxes, by: float) -> Boxes:
    """(..., 4) x, y, w, h with ``by`` added to x and y: the step between counting pixels from 0 and from 1.

    >>> shift_origin(np.array([1.0, 1.0, 4.0, 6.0]), -1).tolist()
    [0.0, 0.0, 4.0, 6.0]
    """
    shifted: Boxes = boxes + np.array([by, by, 0.0, 0.0])
    return shifted
