"""Two parts of ``tools.gpu_check`` that run in processes of their own: each prints one line of JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from inmo.boxes import Boxes
from inmo.datasets.mini.suite import training_clip
from inmo.harness.bench.scopes import noise_regions
from inmo.harness.run.setup import configure
from inmo.harness.training.config import TrainConfig
from inmo.harness.training.distributed import Group
from inmo.harness.training.loop import Training
from inmo.harness.training.model import Model, build_model
from inmo.harness.training.sampling import Batch
from inmo.trackers.pipeline.neural import resolve_device

CLIP = 0
"""Number of the rendered clip that the small trackers follow."""


def parity(trackers: Sequence[str], preset: str, precisions: Sequence[str], device: str, frames: int) -> dict[str, Any]:
    """How far a device is from the processor in float32.

    Returns:
        ``outputs``: per tracker and precision the largest difference of the network's outputs of ``preset`` with random
        weights, over the largest output. ``boxes``: the same of the boxes in pixels of each shipped nano tracker over
        a rendered clip, of which the first ``frames`` are followed.
    """
    outputs: dict[str, dict[str, float]] = {}
    boxes: dict[str, dict[str, float]] = {}
    for name in trackers:
        wanted = _outputs(name, preset, "fp32", "cpu")
        followed = _follow(name, "fp32", "cpu", frames)
        for precision in precisions:
            found = _outputs(name, preset, precision, device)
            worst = max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(found, wanted, strict=True))
            outputs.setdefault(name, {})[precision] = worst
            apart = float(np.abs(_follow(name, precision, device, frames) - followed).max())
            boxes.setdefault(name, {})[precision] = apart
    return {"outputs": outputs, "boxes": boxes, "frames": frames}


def _tracker(name: str, settings: dict[str, str], device: str) -> Any:
    setup = configure(name, settings)
    return setup.spec.build(setup.on("folder"), device)


def _outputs(name: str, preset: str, precision: str, device: str) -> list[Tensor]:
    settings = {"preset": preset, "precision": precision, "allow_random_weights": "true"}
    tracker, clip = _tracker(name, settings, device), training_clip(CLIP, length=2)
    state = tracker.init([clip.frames[0]], clip.boxes[:1])
    outputs = tracker.search(noise_regions(tracker, 1), state.features[0])
    return [output.float().cpu() for output in outputs]


def _follow(name: str, precision: str, device: str, frames: int) -> Boxes:
    tracker, clip = _tracker(name, {"preset": "nano", "precision": precision}, device), training_clip(CLIP)
    state, found = tracker.init([clip.frames[0]], clip.boxes[:1]), []
    for frame in clip.frames[1:frames]:
        step = tracker.step([frame], state)
        state = step.state
        found.append(step.boxes[0])
    return np.array(found)


class OneProcess(Group):
    """A group of one that sums and averages through the library of several, as a training on more devices does."""

    def total(self, values: Tensor) -> Tensor:
        dist.all_reduce(values)
        return values

    def wrap(self, module: nn.Module) -> nn.Module:
        devices = [self.device.index or 0] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(module, device_ids=devices)


def training(tracker: str, preset: str, batch: int, steps: int, device: str) -> dict[str, Any]:
    """Training steps on pairs of noise, alone and through NCCL (gloo on a processor).

    Returns:
        ``pairs_per_second``: by precision, after a first step. ``alone``, ``together``: the loss of the first step
        without and with the library, which should be the same.
    """
    place = resolve_device(device)
    rates, losses = {}, []
    for precision in ("fp32", "bf16"):
        made = _training(tracker, preset, batch, Group(0, 1, place), precision)
        loss, rates[precision] = _steps(made, batch, steps, place)
        losses.append(loss)
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29517")
    library = "nccl" if place.type == "cuda" else "gloo"
    dist.init_process_group(library, rank=0, world_size=1)
    together, _ = _steps(_training(tracker, preset, batch, OneProcess(0, 1, place), "fp32"), batch, 0, place)
    dist.destroy_process_group()
    return {
        "tracker": tracker, "preset": preset, "batch": batch, "pairs_per_second": rates, "library": library,
        "alone": losses[0], "together": together,
    }  # fmt: skip


def _training(tracker: str, preset: str, batch: int, group: Group, precision: Any) -> Training:
    objective, schedule = ("siamcar", "siamcar") if tracker in ("siamcar", "cnninmo") else ("transt", "transt")
    if preset != "full":
        objective, schedule = "small", "small"
    config = TrainConfig(tracker, {"preset": preset}, objective, schedule, steps=100, batch=batch, precision=precision)
    model = build_model(tracker, {"preset": preset}, objective)
    model.trainee.to(group.device)
    return Training(config, model, group, Path())


def _steps(made: Training, batch: int, steps: int, place: torch.device) -> tuple[float, float]:
    pairs = noise_pairs(made.model, batch).to(place)
    loss = made.step(0, pairs)["loss"]
    started = time.perf_counter()
    for step in range(steps):  # each waits for its loss
        made.step(1 + step, pairs)
    return loss, batch * steps / (time.perf_counter() - started)


def noise_pairs(model: Model, count: int) -> Batch:
    """Pairs of noise in a model's sizes, the same every time."""
    dice, sizes = torch.Generator().manual_seed(0), model.config.sizes()
    template, search = (
        torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8, generator=dice)
        for side in (sizes.template_size, sizes.search_size)
    )
    box = torch.tensor([0.5, 0.5, 0.3, 0.2]).repeat(count, 1)
    return Batch(template, search, box, torch.full((count, 2), 0.5), torch.arange(count))


PARTS = {"parity": parity, "training": training}

if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]](**json.loads(sys.argv[2]))))  # noqa: T201
