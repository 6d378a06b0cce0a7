"""Painting: shapes filled with patterned, shaded colour, rasterised once and kept at several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inmo.datasets.mini.exact import Dice, Ints, Packed, halved, pack, smooth_noise

Mask = NDArray[np.bool_]
Colour = tuple[int, int, int]  # B, G, R
Point = tuple[float, float]

SUPER = 3  # samples per sprite pixel and axis
MARGIN = 2  # transparent pixels around a sprite, so that look-ups outside it find nothing


@dataclass(frozen=True)
class Pattern:
    """How a surface is painted.

    Attributes:
        colours: ground colour and figure colour.
        kind: ``plain``, ``stripes``, ``bands``, ``checks`` or ``spots``.
        period: size of the figure in sprite pixels.
    """

    colours: tuple[Colour, Colour]
    kind: str = "plain"
    period: int = 8


class Canvas:
    """A picture being painted, in sprite pixels, oversampled inside."""

    def __init__(self, width: int, height: int, dice: Dice) -> None:
        self.width, self.height, self.dice = width, height, dice
        rows, cols = height * SUPER, width * SUPER
        self._y, self._x = np.mgrid[0:rows, 0:cols].astype(np.float64)
        self._x, self._y = (self._x + 0.5) / SUPER, (self._y + 0.5) / SUPER
        self._colour = np.zeros((rows, cols, 3), dtype=np.int64)
        self._filled = np.zeros((rows, cols), dtype=np.bool_)

    def ellipse(self, cx: float, cy: float, rx: float, ry: float) -> Mask:
        x, y = (self._x - cx) / rx, (self._y - cy) / ry
        return np.asarray(x * x + y * y <= 1.0)

    def capsule(self, start: Point, end: Point, r0: float, r1: float) -> Mask:
        """A limb: the sweep of a disc whose radius goes from ``r0`` to ``r1``."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        along = ((self._x - start[0]) * dx + (self._y - start[1]) * dy) / (dx * dx + dy * dy)
        along = np.minimum(np.maximum(along, 0.0), 1.0)
        x, y = self._x - start[0] - along * dx, self._y - start[1] - along * dy
        radius = r0 + along * (r1 - r0)
        return np.asarray(x * x + y * y <= radius * radius)

    def polygon(self, *points: Point) -> Mask:
        """Inside by the even-odd rule."""
        inside = np.zeros_like(self._filled)
        for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True):
            if y0 == y1:
                continue
            between = (self._y >= min(y0, y1)) & (self._y < max(y0, y1))
            inside ^= between & (self._x < x0 + (self._y - y0) * ((x1 - x0) / (y1 - y0)))
        return inside

    def box(self, x0: float, y0: float, x1: float, y1: float) -> Mask:
        return np.asarray((self._x >= x0) & (self._x < x1) & (self._y >= y0) & (self._y < y1))

    def fill(self, mask: Mask, pattern: Pattern, *, mottle: int = 24, round_off: bool = True) -> None:
        """Paint a mask: pattern, mottled by noise, lit from above and darker towards its lower edge."""
        ground, figure = (np.array(c, dtype=np.int64) for c in pattern.colours)
        colour = np.where(self._figure(pattern)[..., None], figure, ground)
        rows, cols = self._filled.shape
        gain = 256 + (smooth_noise(self.dice, rows, cols, 5 * SUPER, 2) - 128) * mottle // 64
        if round_off and mask.any():
            lines, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            down = (np.arange(rows) - lines[0]) * 256 // max(1, int(lines[-1] - lines[0]))
            over = (np.arange(cols) - columns[0]) * 256 // max(1, int(columns[-1] - columns[0]))
            gain = gain + (70 - down * 110 // 256)[:, None] + (24 - over * 48 // 256)
        painted = np.clip(colour * gain[..., None] >> 8, 0, 255)
        self._colour = np.where(mask[..., None], painted, self._colour)
        self._filled |= mask

    def _figure(self, pattern: Pattern) -> Mask:
        x = np.floor(self._x * 4).astype(np.int64) // 4
        y = np.floor(self._y * 4).astype(np.int64) // 4
        period = max(2, pattern.period)
        match pattern.kind:
            case "stripes":
                return np.asarray(x % period < period // 2)
            case "bands":
                return np.asarray(y % period < period // 2)
            case "checks":
                return np.asarray((x // (period // 2) + y // (period // 2)) % 2 == 0)
            case "spots":
                rows, cols = self._filled.shape
                return smooth_noise(self.dice, rows, cols, period * SUPER, 1) > 150
            case _:
                return np.zeros_like(self._filled)

    def sprite(self) -> tuple[Packed, ...]:
        """The painting at full size, half, quarter and eighth, each with a transparent margin."""
        rows, cols = self.height, self.width
        seen = np.where(self._filled[..., None], self._colour, 0)
        cells = seen.reshape(rows, SUPER, cols, SUPER, 3).sum(axis=(1, 3))  # whole numbers: any order is exact
        cover = self._filled.reshape(rows, SUPER, cols, SUPER).sum(axis=(1, 3), dtype=np.int64)
        area = SUPER * SUPER
        small = pack((cells // area).astype(np.uint8), (cover * 255 // area).astype(np.uint8))
        levels = [small]
        while len(levels) < 4 and min(levels[-1].shape) > 3:
            levels.append(halved(levels[-1]))
        return tuple(np.pad(level, MARGIN) for level in levels)


def shaded(colour: Colour, gain: float) -> Colour:
    """A colour made lighter or darker."""
    b, g, r = (max(0, min(255, int(c * gain))) for c in colour)
    return b, g, r


def palette(dice: Dice, count: int = 5) -> tuple[Colour, ...]:
    """Colours that differ clearly from one another: saturated, dark and light ones in turn."""
    chosen: list[Colour] = []
    for index in range(count):
        level = (210, 110, 45, 160, 240)[index % 5] + dice.between(-25, 15)
        channels = [level, level * dice.between(40, 100) // 100, level * dice.between(15, 80) // 100]
        order = dice.pick(((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)))
        chosen.append((channels[order[0]], channels[order[1]], channels[order[2]]))
    return tuple(chosen)


def tint(level: Ints, dark: Colour, light: Colour) -> Ints:
    """(h, w) levels 0 .. 255 to (h, w, 3) colours between two."""
    low, high = np.array(dark, dtype=np.int64), np.array(light, dtype=np.int64)
    return low + ((high - low) * level[..., None] >> 8)


def jitter(dice: Dice, colour: Colour, by: int) -> Colour:
    """A colour moved a little, the same way in all channels and a little in each."""
    common = dice.between(-by, by)
    b, g, r = (max(0, min(255, c + common + dice.between(-by // 3, by // 3))) for c in colour)
    return b, g, r


def turned(colours: Sequence[Colour], sixths: int) -> tuple[Colour, ...]:
    """Colours turned on the colour circle by sixths of a turn, the strongest and weakest channel kept as strong.

    The channels change places, and with an odd number of sixths they are mirrored between strongest and weakest.
    """
    return tuple(_turned(colour, sixths % 6) for colour in colours)


def _turned(colour: Colour, sixths: int) -> Colour:
    ends = max(colour) + min(colour)
    by = sixths * 2 % 3  # an odd number of sixths is half a turn, the mirroring, and two thirds more
    b, g, r = (colour[(k + by) % 3] for k in range(3))
    return (ends - b, ends - g, ends - r) if sixths % 2 else (b, g, r)


def patterns(dice: Dice, colours: Sequence[Colour]) -> tuple[Pattern, Pattern, Pattern]:
    """Three ways of painting from a palette: two figured, one plain."""
    kinds = ("stripes", "bands", "checks", "spots")
    return (
        Pattern((colours[0], colours[1]), dice.pick(kinds), dice.pick((7, 9, 12))),
        Pattern((colours[2], colours[3]), dice.pick(kinds), dice.pick((6, 8, 10))),
        Pattern((colours[3], colours[4]), "plain"),
    )
