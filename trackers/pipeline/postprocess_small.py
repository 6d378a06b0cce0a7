"""From network outputs to boxes for the small presets: as ``pipeline.postprocess``, with a gentler rule for the size.

A small network finds its target more surely than the target's size, and an error of size compounds: the next search
region is cut by it. So the place is a mean over the cells around the best one, the size moves on a log scale by a
small step, its aspect ratio by a smaller one, and it is drawn back to the first frame's a little.
"""

from __future__ import annotations

import torch
from torch import Tensor

from inmo.trackers.pipeline.postprocess import Located, Targets, at, bounded, change_penalty, windowed

ASPECT = 0.3  # how much of the step the aspect ratio takes
LEAK = 0.98  # of the log of size over first size, what is kept per frame
SMALLEST = 4.0  # pixels


def locate_gently(probability: Tensor, boxes: Tensor, targets: Targets) -> Located:
    """Choose one place per target and move the state.

    Args:
        probability: (B, L) of the foreground class, L cells of a square map row by row.
        boxes: (B, L, 4) cx, cy, w, h as fractions of the search region's side.
        targets: of the frame before; ``lr`` is the largest step of the log size, as a share of the way to what is
            predicted, and the template scale plays no part.

    Returns:
        The new state: the centre lies in [0, limit], the size in [4, limit]. The score is the probability of the
        chosen cell.
    """
    found = boxes * targets.side[:, None, None]
    penalty = change_penalty(found[..., 2:], targets.size, torch.ones_like(targets.side), targets.penalty_k)
    best = windowed(probability * penalty, targets.window_influence).argmax(dim=1)
    cells = round(probability.shape[1] ** 0.5)
    tiny = torch.finfo(probability.dtype).tiny
    near = neighbours(best, cells) * (probability**2 + tiny)  # all zero: even shares
    near = (near / near.sum(dim=1, keepdim=True))[..., None]
    moved = (near * found[..., :2]).sum(1)
    wanted = (near * found[..., 2:].clamp(min=1e-6).log()).sum(1)
    step = wanted - targets.size.log()
    both = step.mean(dim=1, keepdim=True)
    score = at(probability, best)
    rate = (targets.lr * at(penalty, best) * score)[:, None]
    now = targets.size.log() + rate * (both + ASPECT * (step - both))
    first = targets.first.log()
    size = (first + LEAK * (now - first)).exp()
    centre = targets.centre + moved - targets.side[:, None] / 2
    return Located(bounded(centre, 0.0, targets.limits), bounded(size, SMALLEST, targets.limits), score)


def neighbours(best: Tensor, cells: int) -> Tensor:
    """(B, cells^2) true at the cells (B,) and at those around them."""
    places = torch.arange(cells * cells, device=best.device)
    best = best[:, None]
    rows, columns = places // cells - best // cells, places % cells - best % cells
    return (rows.abs() <= 1) & (columns.abs() <= 1)
