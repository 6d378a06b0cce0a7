"""From score maps to boxes, for SiamCAR and CNNInMo: penalty, Hanning window, coarse and fine arg-max, smoothing.

Tensor arithmetic over a batch of B targets, as in ``pipeline.postprocess``. Sources: the trackers of SiamCAR and SOTS;
Guo et al., "SiamCAR" (CVPR 2020), section 3.3.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from inmo.trackers.pipeline.postprocess import Located, Targets, at, bounded, change, context_size, windowed

STRIDE = 8
REGION_SHORTEST, REGION_LONGEST = 0.1, 0.44  # of the template size: bounds of the region that is searched finely
SMALLEST = 1e-3  # pixels; bicubic up-sampling may overshoot below zero, and a size of zero has no next search region


class Maps(NamedTuple):
    """Score maps of B targets, R x R cells.

    Attributes:
        foreground: (B, R, R) probability.
        centerness: (B, R, R) raw logits.
        distances: (B, 4, R, R) left, top, right, bottom in pixels of the search crop.
    """

    foreground: Tensor
    centerness: Tensor
    distances: Tensor


class Rules(NamedTuple):
    """What differs between trackers.

    Attributes:
        template_size, search_size: sides of the network's inputs in pixels.
        smallest: lower bound of the size in pixels of the frame: 0 for SiamCAR, 10 for CNNInMo.
        reports_score: whether the tracker reports a score. CNNInMo's is the penalised one of the map's centre cell,
            whatever cell was chosen, as released.
    """

    template_size: int
    search_size: int
    smallest: float
    reports_score: bool


def locate(maps: Maps, targets: Targets, rules: Rules) -> Located:
    """Choose one place per target and move the state.

    Returns:
        The new state; the centre lies in [0, limit], the size in [smallest, limit]. The score is NaN where the
        tracker reports none.
    """
    scale = (rules.template_size / context_size(targets.size))[:, None]  # pixels of the crop per pixel of the frame
    size = targets.size * scale
    scores = penalised(maps, size, targets.penalty_k)
    weighted = windowed(scores.flatten(1), targets.window_influence).view_as(scores)
    cells = scores.shape[-1]
    points = (cells - 1) * STRIDE + 1
    taps = upsampling(cells, points, scores.dtype, scores.device)
    fine, coarse = taps @ scores @ taps.T, taps @ weighted @ taps.T
    row, column = fine_maximum(fine, coarse, maps.distances, rules.template_size)
    offset = (rules.search_size - (points - 1)) // 2 - rules.search_size // 2
    centre = targets.centre + (torch.stack([column, row], 1) + offset) / scale
    wide, tall = (maps.distances[:, first] + maps.distances[:, first + 2] for first in (0, 1))
    # Of the other maps one up-sampled point is wanted, which takes one row of taps from either side.
    there = torch.einsum("br,bkrc,bc->bk", taps[row], torch.stack([maps.foreground, wide, tall], 1), taps[column])
    chosen = (there[:, 1:] / scale).clamp(min=SMALLEST)
    # The released trackers compare a size in frame pixels with one in crop pixels here.
    rate = (change_penalty(chosen, size, targets.penalty_k) * there[:, 0] * targets.lr)[:, None]
    resized = bounded(rate * chosen + (1.0 - rate) * targets.size, max(rules.smallest, SMALLEST), targets.limits)
    middle = scores[:, cells // 2, cells // 2]
    score = middle if rules.reports_score else torch.full_like(middle, torch.nan)
    return Located(bounded(centre, 0.0, targets.limits), resized, score)


@lru_cache(maxsize=16)
def upsampling(cells: int, points: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """OpenCV's bicubic interpolation of ``cells`` values to ``points`` as a matrix (points, cells); never change it."""
    taps = cv2.resize(np.eye(cells), (cells, points), interpolation=cv2.INTER_CUBIC)
    with torch.inference_mode(False):
        return torch.from_numpy(taps).to(dtype).to(device)


def penalised(maps: Maps, size: Tensor, strength: Tensor) -> Tensor:
    """Foreground times normalised centerness times the change penalty: (B, R, R). ``size`` (B, 2) in crop pixels,
    ``strength`` (B,)."""
    lowest, highest = (extreme(maps.centerness, dim=(1, 2), keepdim=True) for extreme in (torch.amin, torch.amax))
    tiny = torch.finfo(maps.centerness.dtype).tiny
    centerness = (maps.centerness - lowest) / (highest - lowest).clamp(min=tiny)
    sizes = (maps.distances[:, :2] + maps.distances[:, 2:]).movedim(1, -1)
    penalty = change_penalty(sizes, size[:, None, None], strength[:, None, None])
    return penalty * maps.foreground * centerness


def change_penalty(predicted: Tensor, current: Tensor, strength: Tensor) -> Tensor:
    """exp(-(r s - 1) k) for sizes (..., 2) against sizes (..., 2): r change of aspect ratio, s of context size."""
    scale = change(context_size(predicted) / context_size(current))
    ratio = change((current[..., 0] / current[..., 1]) / (predicted[..., 0] / predicted[..., 1]))
    return torch.exp(-(ratio * scale - 1.0) * strength)


def fine_maximum(scores: Tensor, weighted: Tensor, distances: Tensor, template_size: int) -> tuple[Tensor, Tensor]:
    """Rows and columns (B,) of the best score near the best weighted score.

    Args:
        scores, weighted: (B, P, P) up-sampled without and with the Hanning window.
        distances: (B, 4, R, R) left, top, right, bottom; half of each, bounded, at the cell under the coarse maximum
            is how far the region reaches.
        template_size: the bounds are fractions of it.
    """
    points, cells = scores.shape[-1], distances.shape[-1]
    best = weighted.flatten(1).argmax(1)
    row, column = best // points, best % points
    # SiamCAR allows an index one past the last cell and would fail there; the last cell is what is meant.
    down, right = ((i.to(scores.dtype) * cells / points).round().clamp(max=cells - 1).long() for i in (row, column))
    shortest, longest = int(REGION_SHORTEST * template_size), int(REGION_LONGEST * template_size)
    reach = at(distances.flatten(2).movedim(1, 2), down * cells + right).clamp(shortest, longest)
    borders = torch.stack([column, row, points - column, points - row], 1)
    left, top, right, bottom = (torch.minimum(reach, borders) / 2).floor().unbind(1)
    place = torch.arange(points, device=scores.device)
    rows = (place >= (row - top)[:, None]) & (place <= (row + bottom)[:, None])
    columns = (place >= (column - left)[:, None]) & (place <= (column + right)[:, None])
    region = rows[:, :, None] & columns[:, None, :]
    best = torch.where(region, scores, torch.zeros_like(scores)).flatten(1).argmax(1)
    return best // points, best % points
