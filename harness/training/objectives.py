"""Objectives: what the outputs of a network on a batch cost, as sums over pairs and what divides them.

Labels and divisors are computed for the whole step first; a process or an accumulated part then contributes its own
sums, so that several processes, or several parts, have exactly the loss of one large batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from inmo.harness.training.cell_labels import (
    IGNORED,
    NOTHING,
    TARGET,
    car_labels,
    corners,
    inner_labels,
    released_token_labels,
    token_labels,
)

Parts = dict[str, Tensor]
TINY = 1e-6


class Shape(NamedTuple):
    """What an objective asks of the network beside its outputs: side of the output map and of the search crop."""

    cells: int
    search_size: int


class Objective(Protocol):
    """A row of ``OBJECTIVES``."""

    @property
    def outputs(self) -> str:
        """``tokens`` (logits (B, L, 2), class 0 the target, and boxes (B, L, 4) cx, cy, w, h as fractions) or ``car``
        (logits (B, 2, R, R), class 1 the target, l, t, r, b (B, 4, R, R) in pixels, centerness (B, 1, R, R))."""
        ...

    def labels(self, boxes: Tensor, shape: Shape) -> tuple[Tensor, ...]:
        """From boxes (B, 4) cx, cy, w, h as fractions to tensors with a leading batch axis."""
        ...

    def divisors(self, labels: tuple[Tensor, ...]) -> Tensor:
        """(k,) sums over the batch that divide the loss; those of several processes are added up."""
        ...

    def parts(self, outputs: tuple[Tensor, ...], labels: tuple[Tensor, ...], divisors: Tensor) -> Parts:
        """Weighted parts of the loss by name; the loss is their sum."""
        ...


@dataclass(frozen=True)
class TokenObjective:
    """TransT's kind (Chen et al., CVPR 2021, section 3.4).

    Attributes:
        ce, l1, box: weights.
        background: weight of the background class in the weighted mean of the cross-entropy.
        overlap: ``giou`` or ``ciou``.
        on_corners: L1 on left, top, right, bottom instead of cx, cy, w, h.
        per_token: box terms divided by the number of tokens of one map, as released by SOTS, instead of by the
            number of positive tokens; they then grow with batch and box.
        wrapped: SOTS's labels with their negative indices.
    """

    ce: float
    l1: float
    box: float
    background: float = 0.0625
    overlap: str = "giou"
    on_corners: bool = False
    per_token: bool = False
    wrapped: bool = False
    outputs: str = "tokens"

    def labels(self, boxes: Tensor, shape: Shape) -> tuple[Tensor, ...]:
        assign = released_token_labels if self.wrapped else token_labels
        return assign(boxes, shape.cells), boxes

    def divisors(self, labels: tuple[Tensor, ...]) -> Tensor:
        positive = (labels[0] == TARGET).sum().float()
        nothing = (labels[0] == NOTHING).sum().float()
        return torch.stack((positive + self.background * nothing, positive))

    def parts(self, outputs: tuple[Tensor, ...], labels: tuple[Tensor, ...], divisors: Tensor) -> Parts:
        logits, boxes = outputs[0].float(), outputs[1].float()
        assigned, truth = labels
        chosen = assigned == TARGET
        weights = torch.tensor([1.0, self.background], device=logits.device)
        entropy = F.cross_entropy(logits.flatten(0, 1), (~chosen).long().flatten(), weights, reduction="sum")
        found, wanted = boxes[chosen], truth[:, None].expand_as(boxes)[chosen]
        divisor = float(assigned.shape[1]) if self.per_token else divisors[1].clamp(min=1.0)
        first, second = (corners(found), corners(wanted)) if self.on_corners else (found, wanted)
        overlaps = {"giou": giou, "ciou": ciou}[self.overlap](corners(found), corners(wanted))
        return {
            "class": self.ce * entropy / divisors[0],
            "l1": self.l1 * (first - second).abs().sum() / divisor,
            self.overlap: self.box * (1 - overlaps).sum() / divisor,
        }


@dataclass(frozen=True)
class CARObjective:
    """SiamCAR's (Guo et al., CVPR 2020, section 3.4); CNNInMo's with ``overlap="ciou"``.

    Attributes:
        cls, reg, cen: weights.
        overlap: ``iou``: -log((I + 1) / (U + 1)) in pixels, as released, or ``ciou``: 1 - CIoU; both are weighted by
            the centerness target.
    """

    cls: float = 1.0
    reg: float = 3.0
    cen: float = 1.0
    overlap: str = "iou"
    outputs: str = "car"

    def labels(self, boxes: Tensor, shape: Shape) -> tuple[Tensor, ...]:
        return car_labels(boxes, shape.cells, shape.search_size)

    def divisors(self, labels: tuple[Tensor, ...]) -> Tensor:
        positive = (labels[0] == TARGET).sum().float()
        nothing = (labels[0] == NOTHING).sum().float()
        return torch.stack((positive, nothing, labels[2].sum()))

    def parts(self, outputs: tuple[Tensor, ...], labels: tuple[Tensor, ...], divisors: Tensor) -> Parts:
        logits, distances, centre = (output.float().flatten(2).transpose(1, 2) for output in outputs)
        assigned, wanted, centerness = labels
        positives, negatives, weight = divisors.clamp(min=TINY)
        log = -F.log_softmax(logits, dim=-1)
        chosen = assigned == TARGET
        balanced = 0.5 * log[..., 1][chosen].sum() / positives + 0.5 * log[..., 0][~chosen].sum() / negatives
        # Boxes relative to their cell.
        boxes = (torch.cat((-sides[..., :2], sides[..., 2:]), dim=-1) for sides in (distances[chosen], wanted[chosen]))
        cost = _log_iou(*boxes) if self.overlap == "iou" else 1 - ciou(*boxes)
        near = F.binary_cross_entropy_with_logits(centre[..., 0][chosen], centerness[chosen], reduction="sum")
        return {
            "class": self.cls * balanced,
            self.overlap: self.reg * (cost * centerness[chosen]).sum() / weight,
            "centerness": self.cen * near / positives,
        }


@dataclass(frozen=True)
class SmallObjective:
    """For small trackers: every image weighs the same, size is learned on a log scale, doubtful cells are left out.

    Per image: mean positive BCE + ``hard`` sum sigma(s) BCE over negatives over their sum of sigma(s) + mean negative
    BCE + ``spatial`` divergence of a softmax over all cells from an even share for each positive; then over positives
    the mean of ``giou`` (1 - GIoU) + ``size`` |log size error| + ``centre`` |centre error| / size. s is the
    difference of the two logits.
    """

    hard: float = 0.25
    spatial: float = 0.5
    giou: float = 2.0
    size: float = 2.0
    centre: float = 2.0
    outputs: str = "tokens"

    def labels(self, boxes: Tensor, shape: Shape) -> tuple[Tensor, ...]:
        return inner_labels(boxes, shape.cells), boxes

    def divisors(self, labels: tuple[Tensor, ...]) -> Tensor:
        return torch.tensor([float(len(labels[0]))], device=labels[0].device)

    def parts(self, outputs: tuple[Tensor, ...], labels: tuple[Tensor, ...], divisors: Tensor) -> Parts:
        logits, boxes = outputs[0].float(), outputs[1].float()
        assigned, truth = labels
        score = logits[..., 0] - logits[..., 1]
        positive, negative = (assigned == TARGET).float(), (assigned == NOTHING).float()
        share = positive / positive.sum(dim=1, keepdim=True).clamp(min=1.0)
        pulled, pushed = F.softplus(-score), F.softplus(score)
        wrong = torch.sigmoid(score).detach() * negative
        heavy = (wrong * pushed).sum(dim=1) / wrong.sum(dim=1).clamp(min=TINY)
        light = (pushed * negative).sum(dim=1) / negative.sum(dim=1).clamp(min=1.0)
        kept = score.masked_fill(assigned == IGNORED, -1e4)
        peak = F.kl_div(F.log_softmax(kept, dim=1), share, reduction="none").sum(dim=1)
        classes = (pulled * share).sum(dim=1) + self.hard * heavy + light + self.spatial * peak
        wanted = truth[:, None].expand_as(boxes)
        overlap = 1 - giou(corners(boxes), corners(wanted))
        sizes = (boxes[..., 2:].clamp(min=1e-4).log() - wanted[..., 2:].clamp(min=1e-4).log()).abs().sum(dim=-1)
        places = ((boxes[..., :2] - wanted[..., :2]).abs() / wanted[..., 2:].clamp(min=1e-3)).sum(dim=-1)
        return {
            "class": classes.sum() / divisors[0],
            "giou": self.giou * (overlap * share).sum() / divisors[0],
            "size": self.size * (sizes * share).sum() / divisors[0],
            "centre": self.centre * (places * share).sum() / divisors[0],
        }


def _sides(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Intersection area, union area and the sides (n, 2) of the smallest box around both, of corner boxes (n, 4)."""
    shared = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(dim=-1)
    areas = [(box[..., 2:] - box[..., :2]).clamp(min=0).prod(dim=-1) for box in (a, b)]
    around = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).clamp(min=0)
    return shared, areas[0] + areas[1] - shared, around


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised IoU of corner boxes (..., 4) (Rezatofighi et al., CVPR 2019): IoU - (hull - union) / hull."""
    shared, union, around = _sides(a, b)
    hull = around.prod(dim=-1)
    return shared / union.clamp(min=1e-12) - (hull - union) / hull.clamp(min=1e-12)


def ciou(a: Tensor, b: Tensor) -> Tensor:
    """Complete IoU of corner boxes (..., 4) (Zheng et al., AAAI 2020): IoU - d^2 / c^2 - alpha v."""
    shared, union, around = _sides(a, b)
    overlap = shared / union.clamp(min=1e-12)
    apart = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2).square().sum(dim=-1)
    wide = around.square().sum(dim=-1).clamp(min=1e-12)
    angles = [torch.atan((box[..., 2] - box[..., 0]) / (box[..., 3] - box[..., 1]).clamp(min=1e-7)) for box in (a, b)]
    aspect = (4 / torch.pi**2) * (angles[0] - angles[1]).square()
    with torch.no_grad():
        alpha = aspect / (1 - overlap + aspect).clamp(min=1e-12)
    return overlap - apart / wide - alpha * aspect


def _log_iou(a: Tensor, b: Tensor) -> Tensor:
    shared, union, _ = _sides(a, b)
    return -torch.log((shared + 1.0) / (union + 1.0))


OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "transt": TokenObjective(8.334, 5.0, 2.0),
        "transinmo-released": TokenObjective(
            2.0, 3.0, 1.0, overlap="ciou", on_corners=True, per_token=True, wrapped=True
        ),
        "siamcar": CARObjective(),
        "cnninmo-released": CARObjective(overlap="ciou"),
        "small": SmallObjective(),
    }
)
"""The paper trains TransInMo(*) and TransT with ``transt``, CNNInMo and SiamCAR with ``siamcar``."""
