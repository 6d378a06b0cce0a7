"""Trackers that need no image: the lower and the upper end of every scale, and the pair that tests lean on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Sequence
from inmo.datasets.images import Frame
from inmo.trackers.base import Step, TrackerSpec


@dataclass(frozen=True)
class DummyConfig:
    """Neither dummy has anything to set."""


class ConstantBox:
    """The first box for ever. Whatever scores below it is worse than not tracking."""

    def init(self, frames: list[Frame], boxes: Boxes) -> Boxes:
        return boxes.copy()

    def step(self, frames: list[Frame], state: Boxes) -> Step:
        return Step(state.copy(), np.ones(len(state)), state)


@dataclass
class Oracle:
    """The ground truth as tracker; where there is none (NaN rows) the last known box stays.

    Its boxes are in the numbers of the benchmark's files: see ``SequenceAware``.
    """

    annotation: Annotation | None = None

    def for_sequence(self, sequence: Sequence) -> Oracle:
        return Oracle(sequence.annotation())

    def init(self, frames: list[Frame], boxes: Boxes) -> tuple[int, Boxes]:
        return 0, boxes.copy()

    def step(self, frames: list[Frame], state: tuple[int, Boxes]) -> Step:
        index, last = state[0] + 1, state[1]
        if self.annotation is not None and index < len(self.annotation):
            row = self.annotation.boxes[index : index + 1]
            last = np.where(np.isfinite(row).all(), row, last)
        return Step(last, np.ones(1), (index, last))


CONSTANT = TrackerSpec("constant", "constant box", DummyConfig(), lambda config, device: ConstantBox())
ORACLE = TrackerSpec("oracle", "ground truth", DummyConfig(), lambda config, device: Oracle())
