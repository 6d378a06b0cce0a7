"""One tracker's boxes under many protocols: ``python -m tools.side_by_side --dataset lasot=PATH``.

The tracker is noise: every box of the annotation moved by 12 % of its size (white noise on the centre) and scaled by
white noise of 0.12 on the log of width and height; where the target is absent it goes on around the last box. Nothing
but annotations is needed, and nothing but the protocols differs between the lines that are printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import tyro
from tyro.conf import UseAppendAction, arg

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation
from inmo.reports.scoring.raw import score_tracker
from inmo.reports.scoring.score import Score
from inmo.reports.tables.builders import score_table
from tools.door import leave_after

SEED = 20211
NOISE = 0.12
PROTOCOLS = ("pysot", "pytracking", "pytracking-wh", "got10k", "clean")


@dataclass(frozen=True)
class SideBySide:
    """Print one noisy tracker's scores under several protocols.

    Example: python -m tools.side_by_side --dataset lasot=LaSOT_test.zip --dataset tnl2k=TNL2K_test.zip
    """

    dataset: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="NAME=ROOT")]
    """Dataset and its annotations, folder or zip; may be given several times."""
    protocol: tuple[str, ...] = PROTOCOLS
    """Protocols beside the benchmark's own."""


def noisy(annotation: Annotation, rng: np.random.Generator) -> Boxes:
    """(n, 4) x, y, w, h: the annotation with noise, from its first box on."""
    boxes = annotation.boxes.copy()
    usable = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)
    if annotation.absent is not None:
        usable &= ~annotation.absent
    last = np.maximum.accumulate(np.where(usable, np.arange(len(boxes)), 0))
    boxes = boxes[last]
    size = boxes[:, 2:] * np.exp(rng.normal(0, NOISE, (len(boxes), 2)))
    centre = boxes[:, :2] + boxes[:, 2:] / 2 + rng.normal(0, NOISE, (len(boxes), 2)) * boxes[:, 2:]
    found: Boxes = np.hstack([centre - size / 2, size]).astype(np.float64).round(2)
    found[0] = annotation.boxes[0]
    return found


def scores(command: SideBySide) -> list[Score]:
    """One score per dataset and protocol. Raises UserError for unknown names or missing annotations."""
    from inmo.harness.run.setup import open_datasets

    found = []
    for dataset in open_datasets(command.dataset):
        rng = np.random.default_rng(SEED)
        annotations = {sequence.name: sequence.annotation() for sequence in dataset.sequences}
        boxes = {name: noisy(annotation, rng) for name, annotation in annotations.items()}
        own, benchmark = dataset.benchmark.protocol, dataset.benchmark.name
        found += [
            score_tracker(
                dataset.label, "noise", boxes, annotations, rule, expected=dataset.expected, benchmark_name=benchmark
            )
            for rule in dict.fromkeys((own, *command.protocol))
        ]
    return found


def main() -> None:
    print(score_table(scores(tyro.cli(SideBySide))).to_text())  # noqa: T201


if __name__ == "__main__":
    leave_after(main)
