"""What training data is: sources that draw pairs of views of one target, each pair decided by a random generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.images import Frame

Dice = np.random.Generator


@dataclass(frozen=True)
class View:
    """A frame (H, W, 3) BGR uint8 and the target's box (4,) x, y, w, h in it, in pixels counted from 0."""

    frame: Frame
    box: Boxes


@dataclass(frozen=True)
class Pair:
    """Two views of one target: where it is learned, and where it is to be found."""

    template: View
    search: View


class Source(Protocol):
    """A training set. It travels to worker processes, so it holds paths and small tables, not pixels."""

    @property
    def name(self) -> str:
        """Registry name."""
        ...

    def __len__(self) -> int:
        """Videos or images it draws from."""
        ...

    def draw(self, dice: Dice, index: int) -> Pair:
        """One pair, decided by ``dice`` and ``index`` alone. Raises UserError for a frame that cannot be read."""
        ...

    def fingerprint(self) -> str:
        """16 hex digits over what decides the pairs: names, boxes and settings."""
        ...
