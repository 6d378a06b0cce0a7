"""What a tracker may do beyond its recipe: when its score falls, from how it moves, with a mirror, by learning.

Off unless asked; none of the papers does any of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inmo.errors import UserError
from inmo.trackers.pipeline.crop import Floats

WIDEST = 2.0  # times the search region's side
REFRESH = 10  # frames between two second templates
INERTIA = 0.5  # what is kept of the motion before


class Past(NamedTuple):
    """What is remembered of B targets besides their places.

    Attributes:
        motion: (B, 2) float64 x, y in pixels per frame, smoothed over the frames in which they were found.
        missed: (B,) float64 frames in a row in which they were not.
        age: (B,) float64 frames since the first, or since the second template.
    """

    motion: Floats
    missed: Floats
    age: Floats

    @classmethod
    def none(cls, batch: int) -> Past:
        return cls(np.zeros((batch, 2)), np.zeros(batch), np.zeros(batch))


@dataclass(frozen=True)
class Caution:
    """Values that cannot be are a UserError at construction.

    Attributes:
        unsure: score under which a target counts as not found in a frame, 0 to 1; 0: it always is.
        hold_size: whether a target that was not found keeps its size.
        widen: factor by which the search region's side grows with every frame in a row in which the target was not
            found, to ``WIDEST`` times at most; 1: not at all.
        motion: share of the target's motion, 0 to 1, by which it is expected further on: there the search region is cut
            and the Hanning window has its peak.
        sure: score from which the target's picture becomes a second template, ``REFRESH`` frames after the last; what
            the network says of the two is averaged, at twice the cost. 0: there is none.
        mirror: whether the network looks at the mirror images of template and search region too, and both answers are
            averaged, at twice the cost.
        online: power, 0 to 1, of the factor with which a classifier that learns the target while it is tracked enters
            the foreground probability, see ``pipeline.online``; 0: there is none.
    """

    unsure: float = 0.0
    hold_size: bool = False
    widen: float = 1.0
    motion: float = 0.0
    sure: float = 0.0
    mirror: bool = False
    online: float = 0.0

    def __post_init__(self) -> None:
        for name in ("unsure", "motion", "sure", "online"):
            if not 0.0 <= (value := getattr(self, name)) <= 1.0:
                raise UserError(f"{name} wants a number from 0 to 1, not {value}")
        if not 1.0 <= self.widen <= WIDEST:
            raise UserError(f"widen wants a number from 1 to {WIDEST:g}, not {self.widen}")
        if not self.unsure and (self.hold_size or self.widen > 1.0):
            raise UserError(
                "hold_size and widen are for frames that are unsure: say --set unsure=0.8, or leave them out"
            )

    def region(self, centre: Floats, side: Floats, past: Past) -> tuple[Floats, Floats]:
        """Where (B, 2) and how large (B,) search regions are cut that would be at ``centre`` with ``side``."""
        if self.motion:
            centre = centre + self.motion * past.motion
        if self.widen > 1.0:
            side = np.rint(side * np.minimum(self.widen**past.missed, WIDEST))
        return centre, side

    def judge(self, score: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which of B targets count as found, and which may give a second template.

        Raises UserError for a tracker that has no score where one is needed.
        """
        if (self.unsure or self.sure) and np.isnan(score).any():
            raise UserError("this tracker reports no score: leave unsure and sure out")
        return ~(score < self.unsure), score >= self.sure if self.sure else np.zeros(len(score), bool)

    def remember(self, past: Past, moved: Floats, found: NDArray[np.bool_]) -> Past:
        """The past after a frame in which the targets (B,) were found or not, and moved by ``moved`` (B, 2) pixels."""
        motion = np.where(found[:, None], INERTIA * past.motion + (1.0 - INERTIA) * moved, past.motion)
        return Past(motion, np.where(found, 0.0, past.missed + 1.0), past.age + 1.0)
