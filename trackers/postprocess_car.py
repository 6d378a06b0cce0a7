"""From score maps to boxes, for SiamCAR and CNNInMo: penalty, Hanning window, coarse and fine arg-max, smoothing.

Plain numpy in float64. Sources: the trackers of SiamCAR and SOTS; Guo et al., "SiamCAR" (CVPR 2020), section 3.3.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from trackers.crop import context_side
from trackers.postprocess import Floats, Located, change, hanning_window

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

    foreground: Floats
    centerness: Floats
    distances: Floats


class Rules(NamedTuple):
    """What differs between trackers and data sets.

    Attributes:
        template_size, search_size: sides of the network's inputs in pixels.
        penalty_k, lr, window_influence: see ``trackers.hyperparameters``.
        smallest: lower bound of the size in pixels of the frame: 0 for SiamCAR, 10 for CNNInMo.
        reports_score: whether the tracker reports a score. CNNInMo's is the penalised one of the map's centre cell,
            whatever cell was chosen, as released.
    """

    template_size: int
    search_size: int
    penalty_k: float
    lr: float
    window_influence: float
    smallest: float
    reports_score: bool


def locate(maps: Maps, centre: Floats, size: Floats, limits: Floats, rules: Rules | list[Rules]) -> Located:
    """Choose one place per target and move the state.

    Args:
        maps: of B targets.
        centre, size: (B, 2) of the frame before, in pixels of the frame.
        limits: (B, 2) width and height of the frame.
        rules: the constants, one for all targets or one for each.

    Returns:
        The new state; the centre lies in [0, limit], the size in [smallest, limit]. The score is NaN where the
        tracker reports none.
    """
    each = rules if isinstance(rules, list) else [rules] * len(centre)
    found = [_locate_one(Maps(*(m[b] for m in maps)), centre[b], size[b], limits[b], own) for b, own in enumerate(each)]
    return Located(*(np.array(part) for part in zip(*found, strict=True)))


def _locate_one(maps: Maps, centre: Floats, size: Floats, limits: Floats, rules: Rules) -> tuple[Floats, Floats, float]:
    scale = rules.template_size / float(context_side(size, 1.0))  # pixels of the crop per pixel of the frame
    scores = penalised(maps, size * scale, rules.penalty_k)
    cells = len(scores)
    window = hanning_window(cells).reshape(cells, cells)
    weighted = scores * (1.0 - rules.window_influence) + window * rules.window_influence
    sizes = maps.distances[:2] + maps.distances[2:]
    stack = np.stack([scores, weighted, maps.foreground, *sizes], axis=-1)
    points = (cells - 1) * STRIDE + 1
    upsampled: Floats = cv2.resize(stack, (points, points), interpolation=cv2.INTER_CUBIC).astype(
        np.float64, copy=False
    )
    row, column = fine_maximum(upsampled[..., 0], upsampled[..., 1], maps.distances, rules.template_size)
    offset = (rules.search_size - (points - 1)) // 2
    middle = rules.search_size // 2
    moved = centre + (np.array([column, row], np.float64) + offset - middle) / scale
    chosen = np.maximum(upsampled[row, column, 3:] / scale, SMALLEST)
    # The released trackers compare a size in frame pixels with one in crop pixels here.
    rate = change_penalty(chosen, size * scale, rules.penalty_k) * upsampled[row, column, 2] * rules.lr
    resized = rate * chosen + (1.0 - rate) * size
    score = float(scores[cells // 2, cells // 2]) if rules.reports_score else np.nan
    return np.clip(moved, 0.0, limits), np.maximum(np.minimum(resized, limits), max(rules.smallest, SMALLEST)), score


def penalised(maps: Maps, size: Floats, strength: float) -> Floats:
    """Foreground times normalised centerness times the change penalty: (R, R). ``size`` (2,) in crop pixels."""
    lowest, highest = maps.centerness.min(), maps.centerness.max()
    centerness = (maps.centerness - lowest) / max(highest - lowest, np.finfo(np.float64).tiny)
    sizes = np.moveaxis(maps.distances[:2] + maps.distances[2:], 0, -1)
    return np.asarray(change_penalty(sizes, size, strength) * maps.foreground * centerness)


def change_penalty(predicted: Floats, current: Floats, strength: float) -> Floats:
    """exp(-(r s - 1) k) for sizes (..., 2) against one size (2,): r change of aspect ratio, s of context size."""
    scale = change(context_side(predicted, 1.0) / context_side(current, 1.0))
    ratio = change((current[0] / current[1]) / (predicted[..., 0] / predicted[..., 1]))
    return np.asarray(np.exp(-(ratio * scale - 1.0) * strength))


def fine_maximum(scores: Floats, weighted: Floats, distances: Floats, template_size: int) -> tuple[int, int]:
    """Row and column of the best score near the best weighted score.

    Args:
        scores, weighted: (P, P) up-sampled without and with the Hanning window.
        distances: (4, R, R) left, top, right, bottom; half of each, bounded, at the cell under the coarse maximum
            is how far the region reaches.
        template_size: the bounds are fractions of it.
    """
    points, cells = len(scores), distances.shape[-1]
    row, column = divmod(int(weighted.argmax()), points)
    # SiamCAR allows an index one past the last cell and would fail there; the last cell is what is meant.
    cell = [min(round(i * cells / points), cells - 1) for i in (row, column)]
    shortest, longest = int(REGION_SHORTEST * template_size), int(REGION_LONGEST * template_size)
    borders = (column, row, points - column, points - row)
    reach = np.clip(distances[:, cell[0], cell[1]], shortest, longest)
    left, top, right, bottom = (int(min(r, b) / 2) for r, b in zip(reach, borders, strict=True))
    region = np.zeros_like(scores)
    region[row - top : row + bottom + 1, column - left : column + right + 1] = 1.0
    row, column = divmod(int((scores * region).argmax()), points)
    return row, column
