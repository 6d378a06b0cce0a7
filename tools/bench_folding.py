"""What folding batch norms is worth in PyTorch: ``python -m tools.bench_folding --tracker siamcar``.

The whole network in turn with and without, in float32 on the processor, whose own seconds are counted, whatever else
the machine does.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import tyro

from inmo.harness.bench.cases import Case
from inmo.harness.bench.scopes import network_rounds
from inmo.harness.run.setup import configure
from inmo.trackers.families import siamcar, transt
from tools.door import leave_after

CALLERS: tuple[Any, ...] = (siamcar, transt)
"""Modules that fold a network before it tracks."""


@dataclass(frozen=True)
class BenchFolding:
    """Time a tracker's network with and without folded batch norms.

    Example: python -m tools.bench_folding --tracker siamcar --preset lite --rounds 15 --steps 5
    """

    tracker: str = "siamcar"
    """Tracker with a network."""
    preset: str = "full"
    """Its size; full ones have random weights."""
    steps: int = 1
    """Frames of a round."""
    rounds: int = 9
    """Rounds, in turn."""
    threads: int = 1
    """Processor threads."""


@contextmanager
def unfolded() -> Iterator[None]:
    """Trackers that are built meanwhile keep their batch norms."""
    kept = [module.fold_batch_norms for module in CALLERS]
    for module in CALLERS:
        module.fold_batch_norms = lambda network: network
    try:
        yield
    finally:
        for module, value in zip(CALLERS, kept, strict=True):
            module.fold_batch_norms = value


def main() -> None:
    command = tyro.cli(BenchFolding)
    torch.set_num_threads(command.threads)
    setup = configure(command.tracker, {"preset": command.preset, "allow_random_weights": "true"})
    case = Case(setup, "", 1, False)

    def work() -> Callable[[], float]:
        searches = network_rounds(case, case.build("cpu"), [], command.steps)

        def spent() -> float:
            started = time.process_time()
            searches()
            return time.process_time() - started

        return spent

    folded = work()
    with unfolded():
        plain = work()
    both = [(plain(), folded()) for _ in range(command.rounds + 1)][1:]
    ratios = [before / after for before, after in both]
    sys.stdout.write(
        f"{setup.spec.title} {command.preset}: folding makes it {statistics.median(ratios):.2f} times as fast "
        f"({min(ratios):.2f} to {max(ratios):.2f} in {command.rounds} rounds)\n"
    )


if __name__ == "__main__":
    leave_after(main)
