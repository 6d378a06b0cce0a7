"""What a network has learned: whether it finds held-out targets and follows their size, and how well it tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inmo.datasets import open_dataset
from inmo.datasets.base import Dataset
from inmo.harness.run.engine import track_sequence
from inmo.harness.training.cell_labels import corners, grid_points
from inmo.harness.training.model import Model
from inmo.harness.training.objectives import Shape
from inmo.harness.training.sampling import NAMES, Batch, PairMaker
from inmo.reports.scoring.raw import score_tracker
from inmo.trackers import tracker

HIT = 0.5
PROTOCOL = "pysot"


@dataclass(frozen=True)
class PairScores:
    """On validation pairs, at the cell of the highest score, without window or penalty.

    Attributes:
        slope: of predicted against true log size (half the log of w h, relative to the template's): 0 is a size that
            never changes, 1 a size that is followed; least squares.
        correlation: of the same.
        bias: mean of predicted less true log size.
        hit: share of pairs with IoU of at least 0.5.
        iou: mean.
    """

    slope: float
    correlation: float
    bias: float
    hit: float
    iou: float

    def values(self) -> dict[str, float]:
        return {f"pairs/{name}": getattr(self, name) for name in ("slope", "correlation", "bias", "hit", "iou")}


def make_batches(maker: PairMaker, count: int, size: int = 64) -> list[Batch]:
    """The first ``count`` pairs of a maker, in batches."""
    made = []
    for start in range(0, count, size):
        samples = [maker.make(index) for index in range(start, min(start + size, count))]
        tensors = {name: torch.from_numpy(np.stack([getattr(s, name) for s in samples])) for name in NAMES}
        made.append(Batch(**tensors, number=torch.arange(start, start + len(samples))))
    return made


@torch.no_grad()
def score_pairs(model: Model, batches: Sequence[Batch], device: torch.device) -> PairScores:
    """Measure a model on validation pairs; it is left in the mode it was in."""
    trainee, was = model.trainee, model.trainee.training
    trainee.eval()
    found, wanted, anchors = [], [], []
    for batch in batches:
        moved = batch.to(device)
        outputs = trainee(moved.template, moved.search, moved.anchor)
        found.append(best_boxes(outputs, trainee.outputs, model.shape).cpu())
        wanted.append(batch.box)
        anchors.append(batch.anchor)
    trainee.train(was)
    return compare(torch.cat(found), torch.cat(wanted), torch.cat(anchors))


def best_boxes(outputs: tuple[Tensor, ...], kind: str, shape: Shape) -> Tensor:
    """(B, 4) cx, cy, w, h as fractions, at the cell with the highest score."""
    if kind == "tokens":
        logits, boxes = outputs
        best = (logits[..., 0] - logits[..., 1]).argmax(dim=1)
        return boxes[torch.arange(len(best), device=best.device), best].float()
    logits, distances, centre = (output.flatten(2).transpose(1, 2).float() for output in outputs)
    scores = torch.softmax(logits, dim=-1)[..., 1] * torch.sigmoid(centre[..., 0])
    best = scores.argmax(dim=1)
    reach = distances[torch.arange(len(best), device=best.device), best]
    points = grid_points(shape.cells, shape.search_size, best.device)[best]
    middle = points + (reach[:, 2:] - reach[:, :2]) / 2
    return torch.cat((middle, reach[:, 2:] + reach[:, :2]), dim=1) / shape.search_size


def compare(found: Tensor, wanted: Tensor, anchors: Tensor) -> PairScores:
    """Scores of boxes (n, 4) against the truth (n, 4), with the targets' sizes in the template (n, 2)."""
    base = anchors.prod(dim=1).log() / 2
    predicted = found[:, 2:].clamp(min=1e-6).prod(dim=1).log() / 2 - base
    true = wanted[:, 2:].clamp(min=1e-6).prod(dim=1).log() / 2 - base
    centred, against = true - true.mean(), predicted - predicted.mean()
    product, spread = (centred * against).sum(), centred.square().sum().clamp(min=1e-12)
    both = (spread * against.square().sum()).sqrt().clamp(min=1e-12)
    a, b = corners(found), corners(wanted)
    shared = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(dim=1)
    union = found[:, 2:].prod(dim=1) + wanted[:, 2:].prod(dim=1) - shared
    ious = shared / union.clamp(min=1e-12)
    return PairScores(
        float(product / spread),
        float(product / both),
        float((predicted - true).mean()),
        float((ious >= HIT).float().mean()),
        float(ious.mean()),
    )


def calibrate(model: Model, bias: float) -> None:
    """Take a mean error of log size off the last layer of a convolutional head or of SiamCAR's, where it is a bias."""
    head: Any = model.network.head
    with torch.no_grad():
        if model.trainee.outputs == "car":
            head.bbox_pred.bias -= bias
        elif model.trainee.anchored:
            head.box_out.bias[2:] -= bias


def open_clips(root: str) -> Dataset:
    """Clips to track for AUC, in the folder layout, or ``NAME=ROOT`` in another's. Raises UserError where there are
    none."""
    name, _, path = root.rpartition("=")
    return open_dataset(name or "folder", path)


def score_clips(model: Model, weights: Path, roots: Sequence[str], device: str = "cpu") -> dict[str, float]:
    """Success AUC (0..1) per clip of the folder layout, tracked by the engine with the weights of a file.

    A root may name another benchmark's layout as ``otb100=ROOT``. What a partial download lacks is left out here:
    this number guides a training and is no score of a benchmark.
    """
    made = tracker(model.tracker)
    values: dict[str, float] = {}
    for root in roots:
        dataset = open_clips(root)
        config = made.for_dataset(replace(model.config, weights=str(weights)), dataset.benchmark.name)
        running = made.build(config, device)
        boxes, annotations = {}, {}
        for sequence in dataset.sequences:
            if sequence.frames is not None and not sequence.first_only:
                annotations[sequence.name] = known = sequence.annotation()
                boxes[sequence.name] = track_sequence(running, sequence, known, sequence.frames()).boxes
        scores = score_tracker(
            dataset.label, made.title, boxes, annotations, PROTOCOL, benchmark_name=dataset.benchmark.name
        )
        values |= {name: measures.success_auc or 0.0 for name, measures in scores.per_sequence.items()}
    return values
