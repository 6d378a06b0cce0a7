"""The record of a score: what one protocol says of one tracker on one dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inmo.datasets.base import Hole

Curve = NDArray[np.float64]

SCALARS = ("success_auc", "precision_20", "precision_auc", "norm_precision_020", "norm_precision_auc")
CURVES = ("success", "precision", "norm_precision")


@dataclass(frozen=True)
class Measures:
    """Curves and scalars of one sequence, or of the mean over sequences. Fractions 0..1.

    A curve or scalar that the protocol does not define is None. The thresholds of a curve belong to the protocol.
    ``frames`` is what the curves were divided by; ``box_coverage`` is the share of frames with a box of positive
    sum, which the TrackingNet devkit prints beside its scores; ``broken`` counts predictions with a NaN or without a
    positive size, whatever the protocol makes of them.
    """

    success: Curve | None = None
    precision: Curve | None = None
    norm_precision: Curve | None = None
    success_auc: float | None = None
    precision_20: float | None = None
    precision_auc: float | None = None
    norm_precision_020: float | None = None
    norm_precision_auc: float | None = None
    box_coverage: float | None = None
    frames: int = 0
    broken: int = 0


@dataclass(frozen=True)
class Score:
    """One tracker on one dataset under one protocol.

    Attributes:
        dataset, tracker, protocol: names as printed.
        expected: sequences the whole benchmark has.
        mean: measures of the mean curve over the scored sequences; all None when the protocol refuses.
        per_sequence: measures of every scored sequence, in the benchmark's order.
        holes: what is missing, each with its reason.
        reason: why measures are None, in one sentence; empty when none is.
    """

    dataset: str
    tracker: str
    protocol: str
    expected: int
    mean: Measures
    per_sequence: Mapping[str, Measures] = field(default_factory=dict)
    holes: tuple[Hole, ...] = ()
    reason: str = ""

    @property
    def sequences(self) -> int:
        """How many sequences were scored."""
        return len(self.per_sequence)

    @property
    def coverage(self) -> str:
        """``7 of 280``."""
        return f"{self.sequences} of {self.expected}"
