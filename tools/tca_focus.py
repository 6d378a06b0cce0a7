"""Where TCA adds to the search region, on the target or beside it, for every training of an ablation.

``python -m tools.tca_focus table4-depthwise --dataset distractors --every 7``. A map as in the InMo paper's Figure 3
shows one frame; this counts. A tracker follows the first frames of each sequence, and of what every TCA changes in the
last of them (``inspect.activation``) three numbers are taken, against the annotated box:

* ratio: mean change of the cells on the target over that of the others;
* more: the chance that a cell on the target is changed more than one beside it, 0.5 where TCA does not tell them apart;
* variation: standard deviation over mean of the change of all cells; near 0 the same is added everywhere.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from numpy.typing import NDArray
from tyro.conf import Positional

from inmo.boxes import shift_origin
from inmo.datasets.base import Sequence
from inmo.errors import UserError
from inmo.harness.ablation.opened import Asked, open_ablation
from inmo.harness.ablation.spec import find_ablation
from inmo.harness.run.jobs import built
from inmo.harness.run.setup import open_datasets
from inmo.reports.scoring.statistics import FRACTIONS, bootstrap_interval
from inmo.terminal import aligned
from inmo.trackers.inspect.activation import watch_step
from inmo.trackers.pipeline.neural import NeuralTracker
from tools.door import leave_after


@dataclass(frozen=True)
class TcaFocus:
    """Print where every TCA of an ablation's trainings adds to the search region."""

    ablation: Positional[str]
    """Name or file."""
    dataset: Annotated[str, tyro.conf.arg(metavar="NAME=ROOT")]
    """Sequences with boxes."""
    every: int = 1
    """Only every so many of them."""
    frame: int = 3
    """Frame to look into, counted from 0; the first one holds the template."""


def focus(change: NDArray[np.float64], box: NDArray[np.float64]) -> tuple[float, float, float] | None:
    """(ratio, more, variation) of one map; None where no cell, or every cell, has its centre on the target.

    Args:
        change: (H, W).
        box: (4,) x, y, w, h of the target as fractions of the map's sides.
    """
    height, width = change.shape
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    on = ((y >= box[1]) & (y <= box[1] + box[3]))[:, None] & ((x >= box[0]) & (x <= box[0] + box[2]))
    inside, outside = change[on], change[~on]
    if not len(inside) or not len(outside):
        return None
    above = (inside[:, None] > outside).mean() + (inside[:, None] == outside).mean() / 2
    return float(inside.mean() / outside.mean()), float(above), float(change.std() / change.mean())


def look(tracker: NeuralTracker, sequence: Sequence, frame: int) -> dict[str, tuple[float, float, float] | None]:
    """``focus`` of each TCA of the tracker in a frame of a sequence."""
    if sequence.frames is None:
        raise UserError(f"{sequence.name} has no images here")
    images, boxes = sequence.frames(), shift_origin(sequence.annotation().boxes, -sequence.origin)
    state = tracker.init([images.read(0)], boxes[:1])
    for index in range(1, frame):
        state = tracker.step([images.read(index)], state).state
    watched = watch_step(tracker, images.read(frame), state)
    box = watched.on_search(boxes[frame])
    return {part.name: focus(part.change, box) for part in watched.parts if part.part == "TCA"}


def rows(command: TcaFocus) -> list[list[str]]:
    """A line per training and TCA. Raises UserError for an ablation or a dataset that is not there."""
    opened = open_ablation(Asked(find_ablation(command.ablation), datasets=(command.dataset,)), Path("ablations"))
    (dataset,) = open_datasets([command.dataset])
    made = [["row", "seed", "TCA", "ratio", "more", "95 %", "variation", "sequences"]]
    for member in opened.members:
        setup = member.setup()
        tracker = built(setup.spec.name, setup.on(dataset.benchmark.name), "cpu")
        if not isinstance(tracker, NeuralTracker) or not getattr(setup.config, "tca", True):
            continue
        found: dict[str, list[tuple[float, float, float]]] = {}
        for sequence in dataset.sequences[:: command.every]:
            for name, values in look(tracker, sequence, command.frame).items():
                found.setdefault(name, []).extend([values] if values else [])
        for name, values in ((name, np.array(each)) for name, each in found.items() if each):
            interval = bootstrap_interval([*values[:, 1]], within=FRACTIONS)
            ends = f"{interval.low:.2f} to {interval.high:.2f}" if interval else ""
            ratio, variation = np.median(values[:, 0]), np.median(values[:, 2])
            words = f"{ratio:.2f}", f"{values[:, 1].mean():.2f}", ends, f"{variation:.3f}", str(len(values))
            made.append([member.row, str(member.seed), name, *words])
    return made


def main() -> None:
    sys.stdout.write("\n".join(aligned(rows(tyro.cli(TcaFocus)), left=3)) + "\n")


if __name__ == "__main__":
    leave_after(main)
