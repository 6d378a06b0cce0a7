"""From network outputs to boxes, for TransT, TransInMo and TransInMo*: penalty, Hanning window, arg-max, smoothing.

Everything is plain numpy in float64 over a batch of B targets. Sources: the trackers of TransT and SOTS.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Constant = Floats | float
"""A test-time constant: one for all targets, or (B,) one for each, so that a sweep's values run as one batch."""


class Located(NamedTuple):
    """Where B targets are now: centre (B, 2) x, y and size (B, 2) w, h in pixels of the frame, score (B,)."""

    centre: Floats
    size: Floats
    score: Floats


def hanning_window(side: int) -> Floats:
    """Outer product of two Hanning windows, (side * side,), row by row."""
    return np.outer(np.hanning(side), np.hanning(side)).reshape(-1)


def context_size(sizes: Floats) -> Floats:
    """sqrt((w + p)(h + p)) with p = (w + h) / 2 of sizes (..., 2): (...)."""
    padding = sizes.sum(-1) / 2
    return np.asarray(np.sqrt((sizes[..., 0] + padding) * (sizes[..., 1] + padding)))


def change(ratio: Floats) -> Floats:
    """max(a, 1 / a)."""
    return np.maximum(ratio, 1.0 / ratio)


def column(constant: Constant) -> Floats:
    """(B, 1), or (1, 1) for one value."""
    return np.asarray(constant, np.float64).reshape(-1, 1)


def change_penalty(predicted: Floats, current: Floats, template_scale: Floats, strength: Constant) -> Floats:
    """exp(-(r s - 1) k), one where neither scale nor aspect ratio changes.

    Args:
        predicted: (B, L, 2) w, h in pixels of the frame.
        current: (B, 2) w, h in pixels of the frame.
        template_scale: (B,) template size in pixels over the side of the first frame's crop. It multiplies the
            current size alone: the released code compares frame pixels with template pixels here.
        strength: k, one or (B,); 0 gives ones.

    Returns:
        (B, L).
    """
    k = column(strength)
    if not k.any():
        return np.ones(predicted.shape[:2])
    scale = change(context_size(predicted) / context_size(current * template_scale[:, None])[:, None])
    ratio = change((current[:, 0] / current[:, 1])[:, None] / (predicted[..., 0] / predicted[..., 1]))
    return np.where(k == 0, 1.0, np.exp(-(scale * ratio - 1.0) * k))


def locate(
    probability: Floats,
    boxes: Floats,
    *,
    centre: Floats,
    size: Floats,
    side: Floats,
    template_scale: Floats,
    limits: Floats,
    penalty_k: Constant,
    lr: Constant,
    window_influence: Constant,
) -> Located:
    """Choose one box per target and move the state.

    Args:
        probability: (B, L) of the foreground class.
        boxes: (B, L, 4) cx, cy, w, h as fractions of the search region's side.
        centre, size: (B, 2) of the frame before, in pixels of the frame.
        side: (B,) of the search region in pixels of the frame.
        template_scale: see ``change_penalty``.
        limits: (B, 2) width and height of the frame: the centre stays in [0, limit], the size in [10, limit].
        penalty_k, lr, window_influence: the tuned constants, one value or (B,); lr 1 with penalty_k 0 is
            TransT's rule.

    Returns:
        The new state; the score is the window-weighted one of the chosen box.
    """
    found = boxes * side[:, None, None]
    penalty = change_penalty(found[..., 2:], size, template_scale, penalty_k)
    window = hanning_window(round(probability.shape[1] ** 0.5))
    weight = column(window_influence)
    weighted = probability * penalty * (1.0 - weight) + window * weight
    best = weighted.argmax(axis=1)
    row = np.arange(len(best))
    score, box = weighted[row, best], found[row, best]
    step = column(lr)[:, 0]
    rate = np.where(column(penalty_k)[:, 0] == 0, step, penalty[row, best] * score * step)
    new_centre = centre + box[:, :2] - side[:, None] / 2
    new_size = rate[:, None] * box[:, 2:] + (1.0 - rate[:, None]) * size
    return Located(np.clip(new_centre, 0.0, limits), np.maximum(np.minimum(new_size, limits), 10.0), score)
