"""What is measured: per-frame quantities, the curves over thresholds, and the scalars read off them.

Pure numpy: arrays in, arrays out; which frames count and how is the protocols' business (``scoring.protocols``).
Boxes are (n, 4) float64 x, y, w, h, in any origin as long as both sides use the same one.

Two conventions, those of the OTB, pysot and pytracking code, carry "this frame is decided already" through the
curves: an overlap of -1 fails at every threshold; a distance of -1 is a hit at every threshold, and inf a miss.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes

Values = NDArray[np.float64]


def overlap(
    first: Boxes, second: Boxes, *, pixels: bool = False, epsilon: float = 0.0, skip_nan: bool = False
) -> Values:
    """Intersection over union of (n, 4) and (n, 4) boxes; (n,), NaN where both areas are zero.

    ``pixels`` writes right = x + w - 1 and adds the 1 back (MATLAB, pytracking); in real numbers nothing changes, in
    floating point the last bit can, and IoU = 1 + 2e-16 passes the threshold 1. ``epsilon`` is added to the union
    (GOT-10k toolkit). With ``skip_nan`` a side that is NaN in one box is taken from the other (TrackingNet devkit,
    whose pandas skips NaN). Sides of negative length intersect nothing.

    A box of 2 by 2 half covered by another shares 2 of 4 + 4 - 2 pixels; equal boxes share all, distant ones nothing:

    >>> box = np.array([[0.0, 0.0, 2.0, 2.0]] * 3)
    >>> overlap(np.array([[1.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.0], [9.0, 9.0, 2.0, 2.0]]), box) * 3
    array([1., 3., 0.])
    """
    ax, ay, aw, ah = first.T
    bx, by, bw, bh = second.T
    one = 1.0 if pixels else 0.0
    least, most = (np.fmin, np.fmax) if skip_nan else (np.minimum, np.maximum)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        width = least(ax + aw - one, bx + bw - one) - most(ax, bx) + one
        height = least(ay + ah - one, by + bh - one) - most(ay, by) + one
        shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
        ratio: Values = shared / (aw * ah + bw * bh - shared + epsilon)
    return ratio


def centres(boxes: Boxes) -> tuple[Values, Values]:
    """Centre x and y, each (n,), of boxes made of whole pixels: x + (w - 1) / 2.

    >>> centres(np.array([[10.0, 20.0, 5.0, 9.0]]))
    (array([12.]), array([24.]))
    """
    x, y, w, h = boxes.T
    with np.errstate(invalid="ignore"):
        return x + (w - 1.0) / 2.0, y + (h - 1.0) / 2.0


def centre_distance(prediction: Boxes, annotation: Boxes) -> Values:
    """Euclidean distance of the centres in pixels, (n,).

    >>> centre_distance(np.array([[3.0, 4.0, 2.0, 2.0]]), np.array([[0.0, 0.0, 2.0, 2.0]]))
    array([5.])
    """
    px, py = centres(prediction)
    ax, ay = centres(annotation)
    return np.sqrt((px - ax) ** 2 + (py - ay) ** 2)


def normalised_distance(
    prediction: Boxes, annotation: Boxes, *, floor: float = 0.0, epsilon: float = 0.0, centres_first: bool = True
) -> Values:
    """Distance of the centres in units of the annotation's width and height, (n,); inf or NaN for empty ones.

    ``floor`` is the least width and height divided by (1 in the GOT-10k toolkit), ``epsilon`` is added to them
    (1e-16 in pysot). ``centres_first`` divides both centres and then subtracts, as most toolkits do, which can move
    the last bit and with it a distance of exactly 0.30. Source: TrackingNet (ECCV 2018), section 4.

    3 px of 4 aside and 4 px of 4 down, so the root of 0.75² + 1²:

    >>> normalised_distance(np.array([[3.0, 4.0, 4.0, 4.0]]), np.array([[0.0, 0.0, 4.0, 4.0]]))
    array([1.25])
    """
    px, py = centres(prediction)
    ax, ay = centres(annotation)
    _, _, w, h = annotation.T
    if floor:
        w, h = np.maximum(w, floor), np.maximum(h, floor)
    if epsilon:
        w, h = w + epsilon, h + epsilon
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if centres_first:
            dx, dy = px / w - ax / w, py / h - ay / h
        else:
            dx, dy = (px - ax) / w, (py - ay) / h
        distance: Values = np.sqrt(dx**2 + dy**2)
    return distance


def counts_above(values: Values, thresholds: Values, *, inclusive: bool = False) -> NDArray[np.int64]:
    """How many values lie above each threshold: value > t, or value >= t when ``inclusive``.

    Args:
        values: (n,) without NaN; infinities are welcome.
        thresholds: (k,) ascending in equal steps from 0 (to rounding).

    Returns:
        (k,) counts, exactly those of comparing every value with every threshold, in one pass: rounding finds the
        only threshold close enough to be in doubt, and one comparison settles it.

    >>> counts_above(np.array([0.0, 0.5, 0.75]), np.array([0.0, 0.5, 1.0])).tolist()
    [2, 1, 0]
    >>> counts_above(np.array([0.0, 0.5, 0.75]), np.array([0.0, 0.5, 1.0]), inclusive=True).tolist()
    [3, 2, 0]
    """
    last = len(thresholds) - 1
    near = np.rint(np.clip(values * (last / thresholds[-1]), 0.0, last)).astype(np.intp)
    passed = near + (values >= thresholds[near] if inclusive else values > thresholds[near])
    frames = np.bincount(passed, minlength=last + 2)
    above: NDArray[np.int64] = len(values) - np.cumsum(frames)[: last + 1]
    return above


def success_counts(overlaps: Values, thresholds: Values, *, inclusive: bool = False) -> NDArray[np.int64]:
    """Frames whose overlap exceeds (``inclusive``: reaches) each threshold; (k,).

    >>> success_counts(np.array([0.2, 0.6, 1.0]), np.array([0.0, 0.5, 1.0])).tolist()
    [3, 2, 0]
    """
    return counts_above(overlaps, thresholds, inclusive=inclusive)


def precision_counts(distances: Values, thresholds: Values) -> NDArray[np.int64]:
    """Frames whose distance is at most each threshold; (k,).

    >>> precision_counts(np.array([0.0, 10.0, 30.0]), np.array([0.0, 10.0, 20.0])).tolist()
    [1, 2, 2]
    """
    return len(distances) - counts_above(distances, thresholds)


def mean_of_curve(curve: Values, thresholds: Values) -> float:
    """Area under a curve as all but one toolkit take it: the mean of its samples.

    >>> mean_of_curve(np.array([1.0, 0.5, 0.0]), np.array([0.0, 0.5, 1.0]))
    0.5
    """
    del thresholds
    return float(np.mean(curve))


def trapezoid(curve: Values, thresholds: Values) -> float:
    """Area under a curve by the trapezoidal rule, over the length of the axis (TrackingNet).

    Two trapezoids 25 px wide, of 25 times 1 and 25 times (1 + 0) / 2, over 50:

    >>> trapezoid(np.array([1.0, 1.0, 0.0]), np.array([0.0, 25.0, 50.0]))
    0.75
    """
    return float(np.trapezoid(curve, thresholds) / (thresholds[-1] - thresholds[0]))
