"""From network outputs to boxes for the small presets: as ``trackers.postprocess``, with a gentler rule for the size.

A small network finds its target more surely than the target's size, and an error of size compounds: the next search
region is cut by it. So the place is a mean over the cells around the best one, the size moves on a log scale by a
small step, its aspect ratio by a smaller one, and it is drawn back to the first frame's a little.
"""

from __future__ import annotations

import numpy as np

from trackers.postprocess import Constant, Floats, Located, change_penalty, column, hanning_window

ASPECT = 0.3  # how much of the step the aspect ratio takes
LEAK = 0.98  # of the log of size over first size, what is kept per frame
SMALLEST = 4.0  # pixels


def locate_gently(
    probability: Floats,
    boxes: Floats,
    *,
    centre: Floats,
    size: Floats,
    first: Floats,
    side: Floats,
    limits: Floats,
    penalty_k: Constant,
    lr: Constant,
    window_influence: Constant,
) -> Located:
    """Choose one place per target and move the state.

    Args:
        probability: (B, L) of the foreground class, L cells of a square map row by row.
        boxes: (B, L, 4) cx, cy, w, h as fractions of the search region's side.
        centre, size: (B, 2) of the frame before, in pixels of the frame.
        first: (B, 2) w, h in the first frame.
        side: (B,) of the search region in pixels of the frame.
        limits: (B, 2) width and height of the frame: the centre stays in [0, limit], the size in [4, limit].
        penalty_k, window_influence: as in ``trackers.postprocess.locate``.
        lr: largest step of the log size, as a share of the way to what is predicted.

    Returns:
        The new state; the score is the probability of the chosen cell.
    """
    batch, length = probability.shape
    cells = round(length**0.5)
    found = boxes * side[:, None, None]
    penalty = change_penalty(found[..., 2:], size, np.ones(batch), penalty_k)
    window = hanning_window(cells)
    weight = column(window_influence)
    weighted = probability * penalty * (1.0 - weight) + window * weight
    best = weighted.argmax(axis=1)
    row = np.arange(batch)
    near = neighbours(best, cells) * (probability**2 + np.finfo(np.float64).tiny)  # all zero: even shares
    near = near / near.sum(axis=1, keepdims=True)
    moved = np.einsum("bl,blk->bk", near, found[..., :2])
    wanted = np.einsum("bl,blk->bk", near, np.log(np.maximum(found[..., 2:], 1e-6)))
    step = wanted - np.log(size)
    both = step.mean(axis=1, keepdims=True)
    rate = column(lr) * (penalty[row, best] * probability[row, best])[:, None]
    now = np.log(size) + rate * (both + ASPECT * (step - both))
    now = np.log(first) + LEAK * (now - np.log(first))
    new_centre = np.clip(centre + moved - side[:, None] / 2, 0.0, limits)
    new_size = np.maximum(np.minimum(np.exp(now), limits), SMALLEST)
    return Located(new_centre, new_size, probability[row, best])


def neighbours(best: np.ndarray[tuple[int], np.dtype[np.intp]], cells: int) -> Floats:
    """(B, cells^2) one at the cells (B,) and at those around them, else zero."""
    rows, columns = np.divmod(np.arange(cells * cells), cells)
    own_rows, own_columns = np.divmod(best[:, None], cells)
    near: Floats = ((np.abs(rows - own_rows) <= 1) & (np.abs(columns - own_columns) <= 1)).astype(np.float64)
    return near
