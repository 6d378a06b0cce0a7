"""One picture among several: a crop, or a map whose values are coloured."""

from __future__ import annotations

import math
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from inmo.datasets.images import Frame

COLOURS = "inferno"  # perceptually uniform, from dark to bright
SIDE = 192  # least pixels of a panel's picture
FLAT = 1e-3  # of the greatest value: less of a range is rounding, and would be coloured as if it meant something


@dataclass(frozen=True)
class Panel:
    """One picture.

    Attributes:
        title: what it is.
        image: (H, W, 3) uint8 RGB, or (H, W) float64 to be coloured from its least to its greatest value; one that is
            the same everywhere is dark.
        box: x, y, w, h of the target found, as fractions of the picture; None for the template.
    """

    title: str
    image: NDArray[np.generic]
    box: tuple[float, float, float, float] | None = None

    @property
    def is_flat(self) -> bool:
        """Whether the values of a map are the same everywhere, up to ``FLAT``."""
        return self.image.ndim == 2 and bool(np.ptp(self.image) <= FLAT * np.abs(self.image).max())

    @property
    def words(self) -> str:
        """The range of the values; empty for a picture of the scene."""
        if self.image.ndim == 3:
            return ""
        low, high = float(self.image.min()), float(self.image.max())
        if self.is_flat:
            return f"{high:.2f} everywhere"
        digits = min(6, max(0, 2 - math.floor(math.log10(high - low)))) if high > low else 2
        return f"{low:.{digits}f} to {high:.{digits}f}"

    def rgb(self) -> Frame:
        """(H, W, 3) uint8: cells are enlarged, never mixed."""
        if self.image.ndim == 3:
            return np.asarray(self.image, np.uint8)
        values = np.asarray(self.image, np.float64)
        shares = np.zeros_like(values) if self.is_flat else (values - values.min()) / np.ptp(values)
        coloured = (mpl.colormaps[COLOURS](shares)[..., :3] * 255).round().astype(np.uint8)
        times = max(1, -(-SIDE // max(coloured.shape[:2])))
        return np.asarray(coloured.repeat(times, 0).repeat(times, 1))
