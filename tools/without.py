"""What hand-written speed is worth in PyTorch: ``python -m tools.without --tracker siamcar``.

The whole network in turn with and without Winograd's filters and folded batch norms, in float32 on the processor, whose
own seconds are counted, whatever else the machine does.
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
from torch import nn

from inmo.harness.bench.cases import Case
from inmo.harness.bench.scopes import network_rounds
from inmo.harness.run.setup import configure
from inmo.trackers.families import siamcar, transt


def _same(network: nn.Module) -> nn.Module:
    return network.eval()


PARTS: dict[str, tuple[tuple[Any, str], ...]] = {
    "winograd": ((siamcar, "speed_up"),),
    "folded batch norms": ((siamcar, "fold_batch_norms"), (transt, "fold_batch_norms")),
}
"""What can be left out -> the functions that do it, where they are called."""


@dataclass(frozen=True)
class Without:
    """Time a tracker's network with and without each piece.

    Example: python -m tools.without --tracker siamcar --rounds 9
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
def left_out(part: str) -> Iterator[None]:
    """Trackers that are built meanwhile do without it."""
    kept = [getattr(module, name) for module, name in PARTS[part]]
    for module, name in PARTS[part]:
        setattr(module, name, _same)
    try:
        yield
    finally:
        for (module, name), value in zip(PARTS[part], kept, strict=True):
            setattr(module, name, value)


def main() -> None:
    command = tyro.cli(Without)
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

    whole = work()
    whole()
    for part in PARTS:
        with left_out(part):
            other = work()
        other()
        ratios = [other() / whole() for _ in range(command.rounds)]
        sys.stdout.write(
            f"{setup.spec.title} {command.preset}: {part} make it {statistics.median(ratios):.2f} times as fast "
            f"({min(ratios):.2f} to {max(ratios):.2f} in {command.rounds} rounds)\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
