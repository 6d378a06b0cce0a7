"""Whether a tracker follows its target or a distractor: another annotated target in the same frames.

Pure functions, boxes in and records out. A box is on a distractor where it overlaps one by ``LEAST`` or more, and
more than it overlaps the target. A switch is a run of ``RUN`` frames on distractors: where two cross, a frame or two
with the better overlap on the wrong one say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation
from inmo.reports.scoring.failures import fitted, frame_overlaps, losses, seen

Mask = NDArray[np.bool_]

LEAST = 0.3  # overlap with a distractor; the boxes of small trackers on things that bend reach 0.5 too seldom
RUN = 5  # frames of a switch


@dataclass(frozen=True)
class Distraction:
    """One tracker on one sequence with distractors.

    Attributes:
        counted: frames after the first in which the target and a distractor at least can be seen.
        on: of these, the frames on a distractor.
        switch: frame, from 0, with which the first switch begins; None for never.
        frames: of the sequence.
        distractors: how many are annotated.
    """

    counted: int
    on: int
    switch: int | None
    frames: int
    distractors: int

    @property
    def share(self) -> float:
        """Share of the counted frames on a distractor, 0..1."""
        return self.on / self.counted

    @property
    def before(self) -> int:
        """Frames before the first switch; all of the sequence where there is none."""
        return self.frames if self.switch is None else self.switch


def distraction(boxes: Boxes, annotation: Annotation, others: Boxes) -> Distraction | None:
    """What distractors do to a result.

    Args:
        boxes: (m, 4) x, y, w, h in the numbers of the benchmark's files; missing rows are on nothing.
        annotation: ground truth of n frames.
        others: (k, n, 4) boxes of the distractors, NaN where one has none.

    Returns:
        None where no frame counts.
    """
    truth = seen(annotation)
    wrong, counted = on_distractor(fitted(boxes, len(truth)), truth, others)
    if not counted.any():
        return None
    switches = losses(np.where(counted, np.where(wrong, 0.0, 1.0), np.nan), RUN)
    first = switches[0].start if switches else None
    return Distraction(int(counted.sum()), int(wrong.sum()), first, len(truth), len(others))


def on_distractor(boxes: Boxes, truth: Boxes, others: Boxes) -> tuple[Mask, Mask]:
    """(n,) frames on a distractor, and (n,) frames that count.

    Args:
        boxes: (n, 4) predictions.
        truth: (n, 4) ground truth, NaN where the target cannot be seen.
        others: (k, n, 4) distractors, NaN or without size where one cannot be seen.

    A box halfway between two squares of side 3 overlaps each by 1.5 * 3 / (18 - 4.5) = 1 / 3 and is on none; one pixel
    further it is on the second, which it overlaps by 7.5 / 10.5:

    >>> at = lambda *xs: np.array([[x, 0.0, 3.0, 3.0] for x in xs])
    >>> on_distractor(at(0, 1.5, 2.5), at(0, 0, 0), at(3, 3, 3)[None])[0]
    array([False, False,  True])
    """
    if not len(others):
        nothing = np.zeros(len(truth), dtype=np.bool_)
        return nothing, nothing
    usable: Mask = np.asarray(np.isfinite(others).all(axis=2) & (others[..., 2:] > 0).all(axis=2))
    each = np.where(usable[..., None], others, np.nan)
    most = np.nan_to_num(np.stack([frame_overlaps(boxes, other) for other in each])).max(axis=0)
    own = frame_overlaps(boxes, truth)
    counted: Mask = np.asarray(~np.isnan(own) & usable.any(axis=0))
    counted[:1] = False  # the box there was given
    return counted & (most >= LEAST) & (most > np.nan_to_num(own)), counted
