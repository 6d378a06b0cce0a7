"""Arithmetic that gives the same bits on every machine.

Only integers and the correctly rounded float operations (+ - * / and comparisons, one at a time) are used: no libm,
no float sums whose order is open, no filter that a library may compute another way on another processor. Random
numbers are the raw words of PCG64, the part of numpy's generators whose stream is promised never to change.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Ints = NDArray[np.int64]
Packed = NDArray[np.uint64]  # premultiplied B, G, R, A of one pixel in four lanes of 16 bits, lowest first

TURN = 4096  # steps of the sine table in one full turn
ONE = 65536  # 1.0 in 16.16 fixed point
_PI = 3141592653589793238462643383279502884197  # times 10**39
LANES = np.uint64(0x00FF00FF00FF00FF)
_HALF = np.uint64(0x0080008000800080)


@lru_cache
def sine_table() -> Ints:
    """(TURN,) sin(2 pi k / TURN) in 16.16 fixed point, rounded, from the power series in whole numbers."""
    unit = 10**39
    quarter = []
    for k in range(TURN // 4 + 1):
        angle = 2 * _PI * k // TURN
        term = total = angle
        for n in range(3, 29, 2):
            term = -term * angle // unit * angle // unit // (n * (n - 1))
            total += term
        quarter.append((total * ONE * 2 + unit) // (2 * unit))
    half = quarter + quarter[-2:0:-1]
    return np.array(half + [-s for s in half], dtype=np.int64)


@lru_cache(maxsize=65536)
def _sine_at(step: int) -> float:
    return int(sine_table()[step]) / ONE


def sine(turns: float) -> float:
    """sin(2 pi turns), to a 4096th of a turn."""
    return _sine_at(floor(turns * TURN + 0.5) % TURN)


def cosine(turns: float) -> float:
    """cos(2 pi turns), to a 4096th of a turn."""
    return sine(turns + 0.25)


def floor(value: float) -> int:
    """The largest whole number not above ``value``."""
    whole = int(value)
    return whole - 1 if value < whole else whole


class Dice:
    """A stream of random numbers of its own for every key, the same on every machine and numpy version."""

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))

    def below(self, n: int) -> int:
        """A whole number in 0 .. n - 1."""
        return int(self._bits.random_raw()) % n

    def between(self, low: int, high: int) -> int:
        """A whole number in low .. high, both included."""
        return low + self.below(high - low + 1)

    def real(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * ((int(self._bits.random_raw()) >> 11) / (1 << 53))

    def chance(self, share: float) -> bool:
        return self.real(0.0, 1.0) < share

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def bytes(self, *shape: int) -> NDArray[np.uint8]:
        """Random bytes of the given shape."""
        count = prod(shape)
        raw = np.asarray(self._bits.random_raw(-(-count // 8)), dtype="<u8")
        return raw.view(np.uint8)[:count].reshape(shape)


def smooth_noise(dice: Dice, height: int, width: int, cell: int, octaves: int = 3) -> Ints:
    """(height, width) value noise in 0 .. 255: random lattices of shrinking cell, blended with smoothstep weights."""
    total = np.zeros((height, width), dtype=np.int64)
    weight, weights = 1 << octaves, 0
    for _ in range(octaves):
        lattice = dice.bytes(height // cell + 2, width // cell + 2).astype(np.int64)
        rows, fy = _lattice_steps(height, cell)
        cols, fx = _lattice_steps(width, cell)
        across: Ints = lattice[:, cols] * (1024 - fx) + lattice[:, cols + 1] * fx
        down: Ints = fy[:, None]
        fine: Ints = across[rows] * (1024 - down) + across[rows + 1] * down
        total += (fine >> 20) * weight
        weights += weight
        weight, cell = weight // 2, max(1, cell // 2)
    return total // weights


def _lattice_steps(length: int, cell: int) -> tuple[Ints, Ints]:
    at = np.arange(length, dtype=np.int64)
    part = (at % cell) * 1024 // cell
    smooth: Ints = part * part * (3 * 1024 - 2 * part) >> 20
    return at // cell, smooth


def pack(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Packed:
    """(h, w, 3) premultiplied BGR and (h, w) alpha to (h, w) packed pixels."""
    wide = colours.astype(np.uint64)
    packed: Packed = wide[..., 0] | wide[..., 1] << np.uint64(16) | wide[..., 2] << np.uint64(32)
    return packed | alpha.astype(np.uint64) << np.uint64(48)


def unpack(pixels: Packed) -> NDArray[np.uint16]:
    """(h, w) packed pixels to (h, w, 4) B, G, R, A."""
    lanes = np.ascontiguousarray(pixels, dtype="<u8").view("<u2")
    return lanes.reshape(*pixels.shape, 4)


def alpha_of(pixels: Packed) -> Packed:
    """(h, w) alpha, 0 .. 255."""
    return pixels >> np.uint64(48)


def halved(pixels: Packed) -> Packed:
    """Half the size by means of 2 x 2 pixels, odd sides padded with transparency."""
    height, width = pixels.shape
    even = np.zeros((height + height % 2, width + width % 2), dtype=np.uint64)
    even[:height, :width] = pixels
    total = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    return (total + np.uint64(0x0002000200020002)) >> np.uint64(2) & LANES


Inverse = tuple[float, float, float, float, float, float]
Wave = tuple[float, float, float] | None


def sample(texture: Packed, inverse: Inverse, x0: int, y0: int, width: int, height: int, wave: Wave = None) -> Packed:
    """Bilinear look-up of a texture through an affine map, weights in sixteenths.

    Args:
        texture: (h, w) packed; what lies outside takes its outermost pixels.
        inverse: a, b, c, d, e, f: image pixel (x, y) shows texture pixel (a x + b y + c, d x + e y + f).
        x0, y0, width, height: the window of the image to fill.
        wave: amplitude and wavelength in texture pixels, and phase in turns, of a sideways ripple that grows
            towards the right-hand end (a fish's tail); None for none.

    Returns:
        (height, width) packed pixels.
    """
    a, b, c, d, e, f = inverse
    c, f = c + a * x0 + b * y0, f + d * x0 + e * y0
    au, bu, cu, dv, ev, fv = (floor(value * ONE + 0.5) for value in (a, b, c, d, e, f))
    x, y = np.arange(width, dtype=np.int64), np.arange(height, dtype=np.int64)[:, None]
    u = au * x + (bu * y + cu)
    v = dv * x + (ev * y + fv)
    rows, cols = texture.shape
    if wave is not None:
        amplitude, length, phase = wave
        step = floor(TURN / length + 0.5)
        turn = ((u >> 16) * step + floor(phase * TURN)) & (TURN - 1)
        reach = np.clip((u >> 16) * 256 // cols, 0, 256)
        v += sine_table()[turn] * floor(amplitude * 256) * reach >> 16
    u_whole, v_whole = u >> 16, v >> 16
    np.clip(u_whole, 0, cols - 2, out=u_whole)
    np.clip(v_whole, 0, rows - 2, out=v_whole)
    right, down = (u >> 12 & 15).astype(np.uint64), (v >> 12 & 15).astype(np.uint64)
    at = v_whole * cols + u_whole
    flat = np.ascontiguousarray(texture).reshape(-1)
    left, up = np.uint64(16) - right, np.uint64(16) - down
    mixed = (flat[at] * left + flat[at + 1] * right) * up
    at += cols
    mixed += (flat[at] * left + flat[at + 1] * right) * down
    rounded: Packed = (mixed + _HALF) >> np.uint64(8) & LANES
    return rounded


def lay_over(below: Packed, above: Packed) -> None:
    """Composite ``above`` onto ``below`` in place (both premultiplied, same shape)."""
    alpha = alpha_of(above)
    alpha += alpha >> np.uint64(7)
    kept = below * (np.uint64(256) - alpha) >> np.uint64(8) & LANES
    np.add(kept, above, out=below)
