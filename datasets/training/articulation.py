"""Folding cut-outs: a silhouette in parts that turn about joints, drawn anew at the size it had."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.datasets.training.base import Dice
from inmo.datasets.training.cutouts import LONGEST, Sprite

Values = NDArray[Any]
TURN = 0.6  # radians: deviation of a part's turn against the part before
OVERLAP = 0.12  # of the length: parts reach this far over their joint, so that no gap opens


def articulate(sprite: Sprite, dice: Dice) -> Sprite:
    """The cut-out in two or three parts along its longer side, each turned about its joint with the part before.

    The result is trimmed to what can be seen and has the geometric mean of the sides of ``sprite``: the pose changes,
    the size that a tight box gives does not.
    """
    upright = sprite.alpha.shape[0] >= sprite.alpha.shape[1]
    pixels: Values = sprite.pixels if upright else _turned(sprite.pixels)
    alpha: Values = sprite.alpha if upright else _turned(sprite.alpha)
    length, across = alpha.shape
    count = int(dice.integers(2, 4))
    joints = np.sort(dice.uniform(0.25, 0.75, count - 1)) * length
    edges = [0.0, *joints.tolist(), float(length)]
    reach = round(0.8 * length + across)  # the parts after the first joint are shorter: no turn leaves this margin
    matrix = np.array([[1.0, 0, reach], [0, 1, reach], [0, 0, 1]])
    side = across + 2 * reach, length + 2 * reach
    canvas: Values = np.zeros((side[1], side[0], 3), np.uint8)
    cover: Values = np.zeros((side[1], side[0]), np.float32)
    for number in range(count):
        if number:
            matrix = matrix @ _turn(across / 2, edges[number], float(np.clip(dice.normal(0, TURN), -1.2, 1.2)))
        part = np.zeros_like(alpha)
        first = max(0, int(edges[number] - OVERLAP * length * (number > 0)))
        part[first : int(edges[number + 1])] = alpha[first : int(edges[number + 1])]
        drawn = cv2.warpAffine(pixels, matrix[:2], side, borderMode=cv2.BORDER_REPLICATE)
        shown = cv2.warpAffine(part, matrix[:2], side)
        canvas[shown > cover] = drawn[shown > cover]
        cover = np.maximum(cover, shown)
    if not upright:
        canvas, cover = _turned(canvas), _turned(cover)
    return _trimmed(canvas, cover, sprite.side)


def _turned(values: Values) -> Values:
    """Rows for columns."""
    return np.ascontiguousarray(values.swapaxes(0, 1))


def _turn(x: float, y: float, angle: float) -> NDArray[np.float64]:
    """(3, 3): turned by ``angle`` radians about a point."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, x - cos * x + sin * y], [sin, cos, y - sin * x - cos * y], [0, 0, 1]])


def _trimmed(pixels: Values, alpha: Values, size: float) -> Sprite:
    """What is solid, resized to a geometric mean of its sides of ``size``."""
    solid = alpha >= 0.5
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    inside = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    height, width = solid[inside].shape
    factor = min(size / float(np.sqrt(height * width)), 2 * LONGEST / max(height, width))
    shape = max(4, round(width * factor)), max(4, round(height * factor))
    return Sprite(
        np.asarray(cv2.resize(np.asarray(pixels[inside], np.uint8), shape, interpolation=cv2.INTER_LINEAR), np.uint8),
        np.asarray(cv2.resize(np.asarray(alpha[inside], np.float32), shape, interpolation=cv2.INTER_LINEAR)),
    )
