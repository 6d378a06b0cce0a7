"""Drawing a puppet in a pose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from inmo.datasets.mini.exact import Packed, alpha_of, cosine, floor, lay_over, sample, sine
from inmo.datasets.mini.motion import Pose
from inmo.datasets.mini.puppets import Part, Puppet
from inmo.datasets.mini.sprites import MARGIN

Affine = tuple[float, float, float, float, float, float]  # a, b, c, d, e, f: x' = a x + b y + c, y' = d x + e y + f
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Figure:
    """A drawn puppet: packed pixels, and where their upper left corner lies (possibly outside the picture)."""

    pixels: Packed
    x: int
    y: int

    @cached_property
    def _solid(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return alpha_of(self.pixels) >= 128

    @property
    def area(self) -> int:
        """Pixels of the silhouette; 1 at least."""
        return max(1, int(self._solid.sum()))

    @property
    def box(self) -> Box:
        """x, y, w, h of the silhouette (pixels at least half covered)."""
        rows, cols = np.flatnonzero(self._solid.any(axis=1)), np.flatnonzero(self._solid.any(axis=0))
        if not len(rows):
            return self.x + self.pixels.shape[1] // 2, self.y + self.pixels.shape[0] // 2, 1, 1
        left, top = int(cols[0]), int(rows[0])
        return self.x + left, self.y + top, int(cols[-1]) - left + 1, int(rows[-1]) - top + 1

    def clipped(self, width: int, height: int) -> tuple[tuple[slice, slice], Packed] | None:
        """Where it lies in a picture of this size and the part of it that does; None when it lies outside."""
        rows, cols = self.pixels.shape
        left, top, right, bottom = max(0, self.x), max(0, self.y), min(width, self.x + cols), min(height, self.y + rows)
        if left >= right or top >= bottom:
            return None
        part = self.pixels[top - self.y : bottom - self.y, left - self.x : right - self.x]
        return (slice(top, bottom), slice(left, right)), part


def compose(outer: Affine, inner: Affine) -> Affine:
    """First ``inner``, then ``outer``."""
    a, b, c, d, e, f = outer
    p, q, r, s, t, u = inner
    return a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f


def _turned(x: float, y: float, angle: float, sx: float, sy: float) -> Affine:
    """Scale, rotate clockwise on the screen, move to (x, y)."""
    cos, sin = cosine(angle), sine(angle)
    return cos * sx, -sin * sy, x, sin * sx, cos * sy, y


def _flapped(share: float, beat: float) -> float:
    size = 1.0 - share * (1.0 - beat) / 2.0
    return size if size >= 0.12 or size <= -0.12 else 0.12


def _joint(part: Part, pose: Pose) -> Affine:
    """From the part's sprite pixels to its parent's (to units of the puppet, for the body)."""
    cycle = part.beat * pose.gait + part.phase
    beat = sine(cycle) * min(1.0, pose.limber)
    angle = part.rest + part.swing * sine(cycle) * pose.limber + part.roll * pose.gait
    turned = _turned(part.at[0], part.at[1], angle, _flapped(part.flap[0], beat), _flapped(part.flap[1], beat))
    return compose(turned, (1.0, 0.0, -part.pivot[0], 0.0, 1.0, -part.pivot[1]))


def draw(puppet: Puppet, pose: Pose) -> Figure:
    """Draw a puppet on a transparent ground just large enough for it."""
    root = _turned(pose.x, pose.y, pose.angle, pose.scale * pose.face, pose.scale)
    maps: list[Affine] = []
    for piece in puppet.parts:
        maps.append(compose(root if piece.parent < 0 else maps[piece.parent], _joint(piece, pose)))
    windows = [_window(piece, m, pose) for piece, m in zip(puppet.parts, maps, strict=True)]
    left, top = min(w[0] for w in windows), min(w[1] for w in windows)
    right, bottom = max(w[2] for w in windows), max(w[3] for w in windows)
    pixels = np.zeros((bottom - top, right - left), dtype=np.uint64)
    for index in sorted(range(len(maps)), key=lambda i: not puppet.parts[i].behind):
        x0, y0, x1, y1 = windows[index]
        layer = _part(puppet.parts[index], maps[index], pose, windows[index])
        lay_over(pixels[y0 - top : y1 - top, x0 - left : x1 - left], layer)
    return Figure(pixels, left, top)


def _window(piece: Part, m: Affine, pose: Pose) -> Box:
    """Left, top, right, bottom of the picture pixels that a part can touch."""
    height, width = piece.levels[0].shape
    extra = piece.wave[0] * height * pose.limber
    xs, ys = [], []
    for u, v in ((0.0, -extra), (width, -extra), (0.0, height + extra), (width, height + extra)):
        xs.append(m[0] * u + m[1] * v + m[2])
        ys.append(m[3] * u + m[4] * v + m[5])
    return floor(min(xs)), floor(min(ys)), floor(max(xs)) + 2, floor(max(ys)) + 2


def _part(piece: Part, m: Affine, pose: Pose, window: Box) -> Packed:
    a, b, c, d, e, f = m
    level, size = 0, pose.scale
    while size < 0.7 and level + 1 < len(piece.levels):
        level, size = level + 1, size * 2.0
    shrink = 1.0 / (1 << level)
    whole = a * e - b * d
    ia, ib, id_, ie = e / whole, -b / whole, -d / whole, a / whole
    move = (0.5 - MARGIN) * shrink - 0.5 + MARGIN
    cu, cv = -(ia * c + ib * f), -(id_ * c + ie * f)
    inverse = (ia * shrink, ib * shrink, cu * shrink + move, id_ * shrink, ie * shrink, cv * shrink + move)
    texture = piece.levels[level]
    rows, cols = texture.shape
    wave = None
    if piece.wave[0]:
        wave = piece.wave[0] * rows * pose.limber, piece.wave[1] * cols, piece.phase - pose.gait
    x0, y0, x1, y1 = window
    return sample(texture, inverse, x0, y0, x1 - x0, y1 - y0, wave)
