"""How fast trainings are, and where a step's time goes: ``python -m tools.bench_training configs/lite/siamcar.yaml``.

Steps on pairs of noise, without a loader: what the network could take. On a processor its own seconds are counted,
whatever else the machine does. For schedules that hold parts still for a while also how much quicker a step is while
their gradients are left out, in turn with steps that compute them.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import tyro

from inmo.harness.training import loop
from inmo.harness.training.config import DistilConfig, load_config
from inmo.harness.training.distributed import Group
from inmo.harness.training.loop import Training
from inmo.harness.training.model import build_model
from inmo.harness.training.schedule import batch_of, freeze
from inmo.terminal import aligned
from inmo.trackers.pipeline.neural import resolve_device
from tools.door import leave_after
from tools.gpu_parts import noise_pairs

Clock = Callable[[], float]


@dataclass(frozen=True)
class BenchTraining:
    """Time the training steps of configs.

    Example: python -m tools.bench_training configs/lite/siamcar.yaml --steps 5
    """

    configs: tyro.conf.Positional[tuple[Path, ...]]
    """YAML files."""
    batch: int = 0
    """Pairs of a step; 0: the config's."""
    steps: int = 5
    """Timed steps, after one to warm up."""
    threads: int = 1
    """Processor threads."""
    device: str = "cpu"
    """cpu, cuda ..."""
    compile: bool = False
    """Through torch.compile, which takes minutes before the first step."""


@contextmanager
def watched(training: Training, clock: Clock) -> Iterator[dict[str, float]]:
    """Seconds of the forward and backward passes and of the optimiser, summed."""
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **more: Any) -> Any:
            started = clock()
            found = work(*words, **more)
            spent[name] += clock() - started
            return found

        return call

    forward, optimise, backward = training.forward, training.optimiser.step, torch.Tensor.backward
    training.forward = timed("forward", forward)  # type: ignore[assignment]
    training.optimiser.step = timed("optimiser", optimise)  # type: ignore[method-assign]
    torch.Tensor.backward = timed("backward", backward)  # type: ignore[method-assign]
    try:
        yield spent
    finally:
        training.forward, torch.Tensor.backward = forward, backward  # type: ignore[method-assign]
        training.optimiser.step = optimise  # type: ignore[method-assign]


def row_of(path: Path, command: BenchTraining) -> list[str]:
    """Config, pairs a step, pairs per second, percent of the three parts, and the gain from frozen parts."""
    config = replace(load_config(path), initial="", distil=DistilConfig(), ema=0.0)
    config = replace(config, batch=command.batch or batch_of(config), compile=command.compile)
    place = resolve_device(command.device)
    model = build_model(config.tracker, config.settings, config.objective, seed=config.seed)
    model.trainee.to(place)
    training, pairs = Training(config, model, Group(0, 1, place), Path()), noise_pairs(model, config.batch).to(place)

    clock = time.process_time if place.type == "cpu" else time.perf_counter

    def seconds() -> float:
        started = clock()
        training.step(0, pairs)  # which waits for its loss
        return clock() - started

    seconds()
    with watched(training, clock) as spent:
        each = [seconds() for _ in range(command.steps)]
    shares = [f"{100 * spent[part] / sum(each):.0f}%" for part in ("forward", "backward", "optimiser")]
    gain = "-"
    if any(until < 1.0 for _, until in training.row.frozen):
        gains = []
        for _ in range(command.steps):
            with all_followed(training):
                before = seconds()
            gains.append(before / seconds())
        gain = f"{statistics.median(gains):.2f} ({min(gains):.2f} to {max(gains):.2f})"
    name = f"{path.parent.name}/{path.stem}"
    return [name, str(config.batch), f"{config.batch / statistics.median(each):.2f}", *shares, gain]


@contextmanager
def all_followed(training: Training) -> Iterator[None]:
    """Steps compute the gradients of what is frozen for a while, too."""
    held = [one for group in training.optimiser.param_groups for one in group["params"]]

    def follow(*words: Any) -> None:
        freeze(*words)
        for parameter in held:
            parameter.requires_grad_()

    loop.freeze = follow
    try:
        yield
    finally:
        loop.freeze = freeze


def main() -> None:
    command = tyro.cli(BenchTraining)
    torch.set_num_threads(command.threads)
    rows = [["config", "batch", "pairs/s", "forward", "backward", "optimiser", "without frozen gradients"]]
    rows += [row_of(path, command) for path in command.configs]
    sys.stdout.write("\n".join(aligned(rows, left=1)) + "\n")


if __name__ == "__main__":
    leave_after(main)
