"""Cut-outs of photographs: what is pasted as target, look-alike or occluder in composites."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.images import Frame
from inmo.datasets.training.base import Dice

LONGEST = 112  # px: side of a stored cut-out
WORK = 80  # px: side at which silhouettes are found
Mask = NDArray[np.float32]


@dataclass(frozen=True)
class Sprite:
    """A cut-out: (h, w, 3) uint8 pixels and (h, w) float32 alpha 0..1."""

    pixels: Frame
    alpha: Mask

    @property
    def side(self) -> float:
        """Geometric mean of the sides in pixels."""
        return float(np.sqrt(self.alpha.size))


@dataclass(frozen=True)
class Pose:
    """How a cut-out is drawn.

    Attributes:
        x, y: centre in pixels of the frame.
        scale: pixels of the frame per pixel of the cut-out, along x; along y it is times ``aspect``.
        angle: radians, clockwise on the screen.
        bend: amplitude of a sideways wave, as a fraction of the cut-out's width, and its phase.
        gain: factor per channel (3,).
        flipped: mirrored left to right.
    """

    x: float
    y: float
    scale: float
    aspect: float
    angle: float
    bend: float
    phase: float
    gain: NDArray[np.float64]
    flipped: bool


def cut(photo: Frame, box: Boxes, dice: Dice, *, silhouette: bool) -> Sprite:
    """The cut-out of a box (x, y, w, h inside the photo): by GrabCut if asked and it finds one, else a random shape."""
    x, y, w, h = (round(float(v)) for v in box)
    patch = photo[max(y, 0) : y + h, max(x, 0) : x + w]
    shrink = min(1.0, LONGEST / max(patch.shape[:2]))
    size = max(4, round(patch.shape[1] * shrink)), max(4, round(patch.shape[0] * shrink))
    pixels = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
    mask = _silhouette(photo, box, size) if silhouette else None
    if mask is None:
        mask = _shape(size, dice)
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0)
    return Sprite(np.asarray(pixels, np.uint8), np.asarray(alpha, np.float32))


def _silhouette(photo: Frame, box: Boxes, size: tuple[int, int]) -> Mask | None:
    """GrabCut on a small copy with a margin around the box; None when what it finds is no plausible object."""
    x, y, w, h = box
    margin = 0.18 * max(w, h)
    left, top = max(0, int(x - margin)), max(0, int(y - margin))
    around = photo[top : int(y + h + margin) + 1, left : int(x + w + margin) + 1]
    shrink = min(1.0, WORK / max(around.shape[:2]))
    small = cv2.resize(around, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    rows, columns = small.shape[:2]
    inner = [int((x - left) * shrink), int((y - top) * shrink), int(w * shrink), int(h * shrink)]
    inner[0], inner[1] = max(1, inner[0]), max(1, inner[1])
    inner[2], inner[3] = min(columns - inner[0] - 1, inner[2]), min(rows - inner[1] - 1, inner[3])
    if inner[2] < 8 or inner[3] < 8:
        return None
    labels = np.zeros((rows, columns), np.uint8)
    cv2.setRNGSeed(0)  # its mixtures start from random centres: the same photo must give the same cut-out
    try:
        cv2.grabCut(small, labels, inner, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_RECT)
    except cv2.error:
        return None
    found = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    found = found[inner[1] : inner[1] + inner[3], inner[0] : inner[0] + inner[2]]
    count, parts, facts, _ = cv2.connectedComponentsWithStats(found)
    if count < 2:
        return None
    largest = 1 + int(facts[1:, cv2.CC_STAT_AREA].argmax())
    mask = (parts == largest).astype(np.float32)
    if not 0.25 <= mask.mean() <= 0.92 or mask.sum() < 0.75 * found.sum():
        return None
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR) > 0.5, np.float32)


def _shape(size: tuple[int, int], dice: Dice) -> Mask:
    """A smooth blob, an ellipse or a rounded rectangle that fills its box."""
    width, height = size
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (u + 0.5) / width * 2 - 1, (v + 0.5) / height * 2 - 1
    kind = dice.integers(3)
    if kind == 0:
        return np.asarray(np.abs(u) ** 4 + np.abs(v) ** 4 <= 1, np.float32)
    angle, radius = np.arctan2(v, u), np.hypot(u, v)
    edge = np.full_like(angle, 0.98 if kind == 1 else 0.86)
    if kind == 2:
        for k in range(2, 5):
            edge += np.float32(dice.normal(0, 0.09)) * np.cos(k * angle + dice.uniform(0, 6.3)).astype(np.float32)
    return np.asarray(radius <= edge, np.float32)


def paste(frame: Frame, sprite: Sprite, pose: Pose) -> tuple[Boxes, Mask, tuple[int, int]] | None:
    """Draw a cut-out into ``frame``, in place.

    Returns:
        Its tight box x, y, w, h, not clipped to the frame, and the alpha of the part inside it with that part's left
        and top; None when it lies outside.
    """
    drawn = _draw(sprite, pose)
    if drawn is None:
        return None
    pixels, alpha, left, top = drawn
    solid = alpha >= 0.5
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        return None
    box = np.array([left + columns[0], top + rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1], np.float64)
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + alpha.shape[1], width), min(top + alpha.shape[0], height)
    if x0 >= x1 or y0 >= y1:
        return None
    inside = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    weight = alpha[inside][..., None]
    target = frame[y0:y1, x0:x1]
    target[:] = (target * (1 - weight) + np.minimum(pixels[inside] * pose.gain, 255) * weight + 0.5).astype(np.uint8)
    return box, alpha[inside], (x0, y0)


def _draw(sprite: Sprite, pose: Pose) -> tuple[Frame, Mask, int, int] | None:
    """The posed cut-out on a transparent ground: pixels, alpha, left and top in the frame."""
    height, width = sprite.alpha.shape
    half_w, half_h = pose.scale * width / 2 * (1 + abs(pose.bend)), pose.scale * pose.aspect * height / 2
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    reach_x, reach_y = abs(cos) * half_w + abs(sin) * half_h, abs(sin) * half_w + abs(cos) * half_h
    left, top = int(np.floor(pose.x - reach_x)), int(np.floor(pose.y - reach_y))
    right, bottom = int(np.ceil(pose.x + reach_x)) + 1, int(np.ceil(pose.y + reach_y)) + 1
    if right - left > 600 or bottom - top > 600:
        return None
    shape = bottom - top, right - left
    dy, dx = np.mgrid[top:bottom, left:right].astype(np.float32)
    dx, dy = dx + np.float32(0.5 - pose.x), dy + np.float32(0.5 - pose.y)
    u = (cos * dx + sin * dy) / pose.scale
    v = (-sin * dx + cos * dy) / (pose.scale * pose.aspect)
    if pose.bend:
        u += pose.bend * width / 2 * np.sin(v * (2.5 / height) * np.pi + pose.phase)
    if pose.flipped:
        u = -u
    u, v = (u + width / 2 - 0.5).astype(np.float32), (v + height / 2 - 0.5).astype(np.float32)
    source, alpha, zoom = sprite.pixels, sprite.alpha, pose.scale
    if zoom < 0.6:  # shrink first, or bilinear sampling would alias
        small = max(2, round(width * zoom)), max(2, round(height * zoom))
        source = np.asarray(cv2.resize(source, small, interpolation=cv2.INTER_AREA), np.uint8)
        alpha = np.asarray(cv2.resize(alpha, small, interpolation=cv2.INTER_AREA), np.float32)
        u, v = (u + 0.5) * (small[0] / width) - 0.5, (v + 0.5) * (small[1] / height) - 0.5
    pixels = cv2.remap(source, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.remap(alpha, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(pixels, np.uint8).reshape(*shape, 3), np.asarray(cover, np.float32).reshape(shape), left, top
