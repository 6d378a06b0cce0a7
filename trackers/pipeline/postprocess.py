"""From network outputs to boxes, for TransT, TransInMo and TransInMo*: penalty, Hanning window, arg-max, smoothing.

Plain tensor arithmetic over a batch of B targets on whatever device the network's outputs are, in float64 where the
device has it, so that nothing but the chosen boxes need leave the device. Sources: the trackers of TransT and SOTS.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor


class Targets(NamedTuple):
    """What post-processing is told of B targets, all on one device in one floating type.

    Attributes:
        centre, size: (B, 2) x, y and w, h of the frame before, in pixels of the frame.
        limits: (B, 2) width and height of the frame.
        first: (B, 2) w, h in the first frame.
        template_scale: (B,) template size in pixels over the side of the first frame's crop.
        side: (B,) of the search region in pixels of the frame.
        penalty_k, lr, window_influence: (B,) the tuned constants; targets may differ, as in a sweep.
    """

    centre: Tensor
    size: Tensor
    limits: Tensor
    first: Tensor
    template_scale: Tensor
    side: Tensor
    penalty_k: Tensor
    lr: Tensor
    window_influence: Tensor


class Located(NamedTuple):
    """Where B targets are now: centre (B, 2) x, y and size (B, 2) w, h in pixels of the frame, score (B,)."""

    centre: Tensor
    size: Tensor
    score: Tensor


@lru_cache(maxsize=64)
def hanning_window(side: int, dtype: torch.dtype = torch.float64, device: torch.device | None = None) -> Tensor:
    """Outer product of two Hanning windows, (side * side,), row by row; kept, so never change it."""
    with torch.inference_mode(False):
        axis = torch.hann_window(side, periodic=False, dtype=torch.float64)
        return torch.outer(axis, axis).reshape(-1).to(dtype).to(device)


def context_size(sizes: Tensor) -> Tensor:
    """sqrt((w + p)(h + p)) with p = (w + h) / 2 of sizes (..., 2): (...)."""
    padding = sizes.sum(-1) / 2
    return torch.sqrt((sizes[..., 0] + padding) * (sizes[..., 1] + padding))


def change(ratio: Tensor) -> Tensor:
    """max(a, 1 / a)."""
    return torch.maximum(ratio, 1.0 / ratio)


def change_penalty(predicted: Tensor, current: Tensor, template_scale: Tensor, strength: Tensor) -> Tensor:
    """exp(-(r s - 1) k), one where neither scale nor aspect ratio changes.

    Args:
        predicted: (B, L, 2) w, h in pixels of the frame.
        current: (B, 2) w, h in pixels of the frame.
        template_scale: (B,) template size in pixels over the side of the first frame's crop. It multiplies the
            current size alone: the released code compares frame pixels with template pixels here.
        strength: (B,) k; 0 gives ones, whatever the sizes.

    Returns:
        (B, L).
    """
    k = strength[:, None]
    scale = change(context_size(predicted) / context_size(current * template_scale[:, None])[:, None])
    ratio = change((current[:, 0] / current[:, 1])[:, None] / (predicted[..., 0] / predicted[..., 1]))
    return torch.where(k == 0, torch.ones_like(k), torch.exp(-(scale * ratio - 1.0) * k))


def locate(probability: Tensor, boxes: Tensor, targets: Targets) -> Located:
    """Choose one box per target and move the state.

    Args:
        probability: (B, L) of the foreground class, L cells of a square map row by row.
        boxes: (B, L, 4) cx, cy, w, h as fractions of the search region's side.
        targets: of the frame before. lr 1 with penalty_k 0 is TransT's rule.

    Returns:
        The new state: the centre lies in [0, limit], the size in [10, limit]. The score is the window-weighted one of
        the chosen box.
    """
    found = boxes * targets.side[:, None, None]
    penalty = change_penalty(found[..., 2:], targets.size, targets.template_scale, targets.penalty_k)
    weighted = windowed(probability * penalty, targets.window_influence)
    best = weighted.argmax(dim=1)
    score, chosen, kept = at(weighted, best), at(found, best), at(penalty, best)
    rate = torch.where(targets.penalty_k == 0, targets.lr, kept * score * targets.lr)[:, None]
    centre = targets.centre + chosen[:, :2] - targets.side[:, None] / 2
    size = rate * chosen[:, 2:] + (1.0 - rate) * targets.size
    return Located(bounded(centre, 0.0, targets.limits), bounded(size, 10.0, targets.limits), score)


def mirrored(outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What a network says of a search region, as said of its mirror image; of the mirror image, as of the region.

    Args:
        outputs: logits (B, L, 2) and boxes (B, L, 4) cx, cy, w, h as fractions of the region's side, L cells of a
            square map row by row; perhaps maps (B, C, S, S) besides.
    """
    logits, boxes, *maps = outputs
    side = round(logits.shape[1] ** 0.5)
    turned = torch.arange(side * side, device=logits.device).view(side, side).flip(1).reshape(-1)
    boxes = boxes[:, turned]
    boxes = torch.cat([1.0 - boxes[..., :1], boxes[..., 1:]], dim=-1)
    return logits[:, turned], boxes, *(own.flip(3) for own in maps)


def weighed(outputs: tuple[Tensor, ...], factor: Tensor) -> tuple[Tensor, ...]:
    """Logits (B, L, 2) and whatever else, with the foreground probability times ``factor`` (B, L) in (0, 1]."""
    probability = torch.softmax(outputs[0], dim=-1)[..., 0] * factor
    numbers = torch.finfo(probability.dtype)
    score = torch.logit(probability.clamp(numbers.tiny, 1.0 - numbers.eps))
    return torch.stack([score, torch.zeros_like(score)], dim=-1), *outputs[1:]


def windowed(scores: Tensor, weight: Tensor) -> Tensor:
    """Scores (B, L) of a square map mixed with its Hanning window, whose share is ``weight`` (B,)."""
    window = hanning_window(round(scores.shape[1] ** 0.5), scores.dtype, scores.device)
    return scores * (1.0 - weight[:, None]) + window * weight[:, None]


def at(values: Tensor, index: Tensor) -> Tensor:
    """``values`` (B, L, ...) at one place (B,) of each row: (B, ...)."""
    return values[torch.arange(len(index), device=index.device), index]


def bounded(values: Tensor, lowest: float, highest: Tensor) -> Tensor:
    """``values`` kept at ``highest`` or below and then at ``lowest`` or above."""
    return torch.minimum(values, highest).clamp(min=lowest)
