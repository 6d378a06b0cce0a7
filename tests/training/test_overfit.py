"""Eight pairs learned by heart: every tracker, every toggle, its own objective."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.training.config import SourceConfig
from harness.training.labels import TARGET
from harness.training.model import build_model
from harness.training.sampling import Batch, open_pairs
from harness.training.validation import best_boxes, compare
from tests.training.tiny import TINY

CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("transinmo", "transt", {}),
    ("transinmo", "small", {}),
    ("transinmo-star", "transt", {}),
    ("transinmo-star", "transt", {"wp": False, "tca": False}),
    ("transinmo-star", "transt", {"wp": False}),
    ("transinmo-star", "transt", {"tca": False}),
    ("transinmo-star", "transt", {"csa": False, "encoder_layers": 0}),
    ("transinmo-star", "transinmo-released", {"interaction": "released", "window": 4}),
    ("transt", "transt", {}),
    ("siamcar", "siamcar", {}),
    ("cnninmo", "siamcar", {}),
    ("cnninmo", "siamcar", {"wp": False, "csa": False}),
    ("cnninmo", "siamcar", {"tca": False}),
    pytest.param(
        "cnninmo",
        "cnninmo-released",
        {"interaction": "released"},
        marks=pytest.mark.xfail(strict=True, reason="the loss nears zero, the box IoU stays at 0.75: cause not found"),
    ),
]

STEPS = {"cnninmo-released": 500}  # 1 - CIoU pulls less than the logarithm of the others while boxes barely overlap


@pytest.mark.slow
@pytest.mark.parametrize(("tracker", "objective", "toggles"), CASES, ids=str)
def test_eight_pairs_are_learned_by_heart(photos: Path, tracker: str, objective: str, toggles: dict[str, Any]) -> None:
    torch.manual_seed(0)
    size = {"template_size": 32, "search_size": 64} if "car" not in tracker and "cnn" not in tracker else {}
    model = build_model(tracker, TINY[tracker] | size | toggles, objective)
    maker = open_pairs(
        [SourceConfig("photos", str(photos), 1.0, {"composites": 0.0})], tracker, model.sizes, "transt", 0
    )
    samples = [maker.make(i) for i in range(8)]
    arrays = [np.stack([getattr(s, name) for s in samples]) for name in ("template", "search", "box", "anchor")]
    batch = Batch(*[torch.from_numpy(a) for a in arrays], number=torch.arange(8))
    labels = model.objective.labels(batch.box, model.shape)
    divisors = model.objective.divisors(labels)
    for module in model.network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    floor = 0.0
    if model.trainee.family == "car":  # no prediction brings a cross-entropy below the entropy of its soft target
        soft = labels[2][labels[0] == TARGET]
        floor = float(torch.nn.functional.binary_cross_entropy(soft, soft))
    optimiser = torch.optim.AdamW(model.network.parameters(), lr=3e-3, weight_decay=0)
    steps = STEPS.get(objective, 250)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps, pct_start=0.1)
    model.trainee.train()
    first = last = 0.0
    for _ in range(steps):
        outputs = model.trainee(batch.template, batch.search, batch.anchor)
        loss = torch.stack(tuple(model.objective.parts(outputs, labels, divisors).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        value = loss.item() - floor
        first, last = first or value, value
    with torch.no_grad():
        found = best_boxes(model.trainee(batch.template, batch.search, batch.anchor), model.trainee.family, model.shape)
    scores = compare(found, batch.box, batch.anchor)
    print(f"{tracker} {objective} {toggles}: loss {first:.2f} to {last:.3f}, IoU {scores.iou:.3f}")
    assert last < 0.05 * first
    assert scores.iou > 0.95
