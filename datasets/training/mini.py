"""Pairs from rendered clips: the mini-suite's generator with its training seeds, which no evaluation uses.

Rendering a clip takes about half a second and serves ``pairs`` pairs with consecutive indices, so draw in order (a
cache of pairs does), or pay a clip per pair.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from inmo.datasets.mini.suite import VERSION, Clip, training_clip
from inmo.datasets.training.base import Dice, Pair, View
from inmo.errors import UserError

SEEN = 0.4  # share of the target that must be visible to be learned
TRIES = 8


@dataclass(frozen=True)
class MiniSource:
    """Rendered clips, from number ``first`` on, without end.

    Attributes:
        first: number of the first clip.
        pairs: drawn from each clip.
        gap: largest distance in frames.
        length: frames of a clip.
    """

    first: int = 0
    pairs: int = 48
    gap: int = 30
    length: int = 40
    name: str = "mini"

    def __len__(self) -> int:
        return 1

    def draw(self, dice: Dice, index: int) -> Pair:
        """Two frames in which the target can be seen, of the clip that ``index`` falls to."""
        number = self.first + index // self.pairs
        for attempt in range(TRIES):
            clip = _clip(number + attempt * 1_000_003, self.length)
            track = clip.tracks[0]
            usable = np.flatnonzero((track.visible >= SEEN) & (track.boxes[:, 2:] >= 4).all(axis=1))
            if len(usable) > 1:
                first = usable[dice.integers(len(usable))]
                near = usable[np.abs(usable - first) <= self.gap]
                second = near[dice.integers(len(near))]
                return Pair(*(View(clip.frames[i], track.boxes[i]) for i in (first, second)))
        raise UserError(f"clip {number} of the mini-suite's generator and {TRIES - 1} others show no target")

    def fingerprint(self) -> str:
        """Over the renderer's version and the settings."""
        words = f"mini {VERSION} {self.first} {self.pairs} {self.gap} {self.length}"
        return hashlib.sha256(words.encode()).hexdigest()[:16]


@lru_cache(maxsize=2)
def _clip(number: int, length: int) -> Clip:
    return training_clip(number, length=length)


def open_mini(root: str = "", *, first: int = 0, pairs: int = 48, gap: int = 30, length: int = 40) -> MiniSource:
    """The generator as a training set; ``root`` must be empty."""
    if root:
        raise UserError(f"the training set mini is rendered and has no root: leave out '{root}'")
    if min(pairs, length - 1, gap) < 1 or first < 0:
        raise UserError("the training set mini wants pairs and gap of 1 or more, length of 2 or more, first from 0 on")
    return MiniSource(first, pairs, gap, length)
