"""Pairs from still photographs, with or without boxes.

Part of the pairs are two crops of one photo (its annotated box, or a pseudo-target: a random box). The others are
composites: a cut-out of one photo, posed differently in two frames over another photo, with look-alikes cut from the
same place and an occluder. Composites teach what still crops cannot: that the target moves against its background
and changes its size, and that its like may stand beside it.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.images import Frame, read_image
from inmo.datasets.reading import image_names
from inmo.datasets.training.base import Dice, Pair, View
from inmo.datasets.training.cutouts import Pose, Sprite, cut, paste
from inmo.datasets.training.videos import folder_of
from inmo.errors import UserError

TABLE = "boxes.csv"
VARIANTS = 3  # cut-outs of one photo
HELD_OUT = 10  # every tenth photo belongs to validation
SMALLEST, LARGEST = 18.0, 96.0  # px: geometric mean of a composite target's sides
LONGEST = 480  # px: longer photos are shrunk
HIDDEN = 0.55  # largest share of the target that look-alikes and occluder may hide

Known = tuple[tuple[float, ...], ...]
"""The annotated boxes of one photo."""


@dataclass(frozen=True)
class PhotoSource:
    """A folder of photographs.

    Attributes:
        root: the folder.
        files: image names.
        boxes: of every file, (k, 4) x, y, w, h counted from 0; k = 0 for a photo without boxes.
        composites: share of pairs that are composites.
    """

    root: Path
    files: tuple[str, ...]
    boxes: tuple[Known, ...]
    composites: float
    name: str = "photos"

    def __len__(self) -> int:
        return len(self.files)

    def draw(self, dice: Dice, index: int) -> Pair:
        """A composite or a still. Raises UserError for a photo that cannot be read."""
        if dice.random() < self.composites:
            for _ in range(8):
                pair = self._composite(dice)
                if pair is not None:
                    return pair
        number = int(dice.integers(len(self.files)))
        photo, shrink = read_photo(self.root / self.files[number])
        view = View(photo, _box(photo, shrink, self.boxes[number], dice))
        return Pair(view, view)

    def fingerprint(self) -> str:
        """Over names, boxes and the share of composites."""
        words = repr((self.name, self.files, self.boxes, self.composites))
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    def _sprite(self, number: int, variant: int) -> Sprite:
        return _cut_out(self.root / self.files[number], self.boxes[number], number, variant)

    def _composite(self, dice: Dice) -> Pair | None:
        """None when the target came to lie outside or too much hidden."""
        number, ground = (int(n) for n in dice.integers(len(self.files), size=2))
        variant = int(dice.integers(VARIANTS))
        sprite, (photo, _) = self._sprite(number, variant), read_photo(self.root / self.files[ground])
        height, width = photo.shape[:2]
        size = float(np.exp(dice.uniform(np.log(SMALLEST), np.log(LARGEST))))
        tint = np.exp(dice.normal(0, 0.08, 3))
        start = first_pose(dice, size / sprite.side, width, height, tints=1)
        start = replace(start, gain=tint * start.gain)
        others = self._others(dice, start, size, number, variant)
        occluder = self._occluder(dice, ground) if dice.random() < 0.3 else None
        views = []
        for moment in range(2):
            frame = ground_view(photo, dice, moving=moment == 1)
            pose = start if moment == 0 else moved_pose(start, dice, size, width, height)
            placed = [(s, p if moment == 0 else moved_pose(p, dice, size, width, height)) for s, p in others]
            view = compose(frame, sprite, pose, placed, occluder if moment == 1 else None, dice)
            if view is None:
                return None
            views.append(view)
        return Pair(views[0], views[1])

    def _others(self, dice: Dice, start: Pose, size: float, number: int, variant: int) -> list[tuple[Sprite, Pose]]:
        """Up to three look-alikes: the target's own twin, or other cut-outs of its photo."""
        found = []
        for _ in range(int(dice.choice(4, p=(0.35, 0.3, 0.2, 0.15)))):
            twin = dice.random() < 0.45
            sprite = self._sprite(number, variant if twin else int(dice.integers(VARIANTS)))
            angle, distance = dice.uniform(0, 2 * np.pi), size * dice.uniform(0.9, 2.4)
            pose = replace(
                start,
                x=start.x + distance * np.cos(angle),
                y=start.y + distance * np.sin(angle),
                scale=size / sprite.side * float(np.exp(dice.normal(0, 0.2))),
                angle=dice.normal(0, 0.25),
                phase=dice.uniform(0, 6.3),
                gain=start.gain * np.exp(dice.normal(0, 0.25, 3)),
                flipped=bool(dice.random() < 0.5),
            )
            found.append((sprite, pose))
        return found

    def _occluder(self, dice: Dice, ground: int) -> Sprite:
        other = int(dice.integers(len(self.files)))
        return self._sprite(other if dice.random() < 0.5 else ground, int(dice.integers(VARIANTS)))


def ground_view(photo: Frame, dice: Dice, *, moving: bool) -> Frame:
    """A photograph as the ground of a scene, now and then seen from a little elsewhere where it is ``moving``."""
    if not moving or dice.random() < 0.4:
        return photo.copy()
    height, width = photo.shape[:2]
    zoom, turn = np.exp(dice.normal(0, 0.06)), dice.normal(0, 0.03)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(np.degrees(turn)), float(zoom))
    matrix = np.asarray(matrix, np.float64) + np.array([[0, 0, 1.0]]) * dice.normal(0, 0.05 * width, (2, 1))
    moved = cv2.warpAffine(photo, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)


def first_pose(dice: Dice, scale: float, width: int, height: int, *, tints: int) -> Pose:
    """A pose in a frame of this width and height; ``tints`` of 3 change the brightness of each channel by itself."""
    return Pose(
        x=dice.uniform(0.15, 0.85) * width,
        y=dice.uniform(0.15, 0.85) * height,
        scale=scale,
        aspect=1.0,
        angle=dice.normal(0, 0.1),
        bend=0.0,
        phase=dice.uniform(0, 6.3),
        gain=np.exp(dice.normal(0, 0.1, tints)),
        flipped=bool(dice.random() < 0.5),
    )


def moved_pose(pose: Pose, dice: Dice, size: float, width: int, height: int) -> Pose:
    """The pose a while later, for a thing of ``size`` pixels in a frame of this width and height."""
    step = dice.normal(0, 0.6 * size, 2)
    bend = dice.uniform(-0.3, 0.3) if dice.random() < 0.35 else 0.0
    return replace(
        pose,
        x=float(np.clip(pose.x + step[0], 0.05 * width, 0.95 * width)),
        y=float(np.clip(pose.y + step[1], 0.05 * height, 0.95 * height)),
        scale=pose.scale * float(np.exp(dice.normal(0, 0.25))),
        aspect=float(np.exp(dice.normal(0, 0.1))),
        angle=pose.angle + dice.normal(0, 0.2),
        bend=bend,
        gain=pose.gain * np.exp(dice.normal(0, 0.12)),
        flipped=pose.flipped != bool(dice.random() < 0.08),
    )


def compose(
    frame: Frame,
    sprite: Sprite,
    pose: Pose,
    others: list[tuple[Sprite, Pose]],
    occluder: Sprite | None,
    dice: Dice,
) -> View | None:
    """Everything drawn over ``frame``; None when too little of the target can be seen."""
    front = [bool(v) for v in dice.random(len(others)) < 0.4]
    for (other, at), before in zip(others, front, strict=True):
        if not before:
            paste(frame, other, at)
    drawn = paste(frame, sprite, pose)
    if drawn is None:
        return None
    box, alpha, (left, top) = drawn
    seen = np.zeros(frame.shape[:2], np.bool_)
    seen[top : top + alpha.shape[0], left : left + alpha.shape[1]] = alpha >= 0.5
    whole = seen.sum()
    above = [(other, at) for (other, at), before in zip(others, front, strict=True) if before]
    if occluder is not None:
        large = float(np.sqrt(box[2] * box[3])) / occluder.side
        away = dice.normal(0, 0.5, 2) * box[2:]
        place = box[:2] + box[2:] / 2 + away
        above.append((occluder, replace(pose, x=place[0], y=place[1], scale=large * dice.uniform(0.5, 1.1), bend=0.0)))
    for other, at in above:
        hiding = paste(frame, other, at)
        if hiding is not None:
            _, cover, (x, y) = hiding
            seen[y : y + cover.shape[0], x : x + cover.shape[1]] &= cover < 0.5
    outside = 1 - whole / max(1.0, float((sprite.alpha >= 0.5).sum()) * pose.scale**2 * pose.aspect)
    if whole < 40 or seen.sum() < (1 - HIDDEN) * whole or outside > 0.4:
        return None
    return View(frame, box)


def _box(photo: Frame, shrink: float, known: Known, dice: Dice) -> Boxes:
    """One of the known boxes, or a pseudo-target: a random box inside the photo."""
    if known:
        return np.array(known[dice.integers(len(known))]) * shrink
    height, width = photo.shape[:2]
    side = min(height, width) * dice.uniform(0.1, 0.45)
    aspect = np.exp(np.clip(dice.normal(0, 0.35), -0.8, 0.8))
    w, h = min(side * aspect**0.5, width - 2.0), min(side / aspect**0.5, height - 2.0)
    return np.array([dice.uniform(0, width - w), dice.uniform(0, height - h), w, h])


@lru_cache(maxsize=320)
def read_photo(path: Path) -> tuple[Frame, float]:
    """A photo, its longest side at most LONGEST, and the factor by which it was shrunk."""
    photo = read_image(path)
    shrink = min(1.0, LONGEST / max(photo.shape[:2]))
    if shrink < 1.0:
        size = round(photo.shape[1] * shrink), round(photo.shape[0] * shrink)
        photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    photo.flags.writeable = False
    return photo, shrink


@lru_cache(maxsize=4096)
def _cut_out(path: Path, known: Known, number: int, variant: int) -> Sprite:
    dice = np.random.default_rng((number, variant))
    photo, shrink = read_photo(path)
    if known:
        return cut(photo, _box(photo, shrink, known, dice), dice, silhouette=variant < VARIANTS - 1)
    height, width = photo.shape[:2]
    sides = np.array([width, height]) * dice.uniform(0.3, 0.75, 2)
    sides = np.clip(sides, sides.min(), 2.2 * sides.min())
    box = np.array([*(dice.uniform(0, 1, 2) * (np.array([width, height]) - sides)), *sides])
    return cut(photo, box, dice, silhouette=variant < VARIANTS - 1)


def in_part(names: Sequence[str], part: str) -> tuple[str, ...]:
    """All names, or those to ``train`` with, or every tenth for ``validation``."""
    held_out = {"all": None, "train": False, "validation": True}[part]
    return tuple(name for i, name in enumerate(names) if held_out in (None, i % HELD_OUT == 0))


def open_photos(root: str, *, composites: float = 0.55, part: str = "all") -> PhotoSource:
    """A folder of images, with ``boxes.csv`` (image, x, y, w, h; counted from 0; several rows per image) or without.

    Args:
        root: the folder.
        composites: share of composites, 0 to 1.
        part: ``all``, ``train`` (without every tenth photo) or ``validation`` (those).

    Raises:
        UserError: no image, a box outside its image's name list, a line that is no box, or an impossible setting.
    """
    folder = folder_of(root, "photos", give="a folder of images")
    if not 0.0 <= composites <= 1.0 or part not in ("all", "train", "validation"):
        raise UserError("the training set photos wants composites from 0 to 1, and part: all, train or validation")
    names = image_names(folder)
    if not names:
        raise UserError(f"{folder} holds no image: give a folder of photographs")
    boxes = _read_boxes(folder / TABLE, names)
    chosen = [(name, boxes.get(name, ())) for name in in_part(names, part)]
    return PhotoSource(folder, tuple(n for n, _ in chosen), tuple(b for _, b in chosen), composites)


def _read_boxes(path: Path, names: list[str]) -> dict[str, Known]:
    found: dict[str, Known] = {}
    if not path.is_file():
        return found
    known = set(names)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            try:
                box: NDArray[np.float64] = np.array([float(row[key]) for key in ("x", "y", "w", "h")])
            except (KeyError, TypeError, ValueError) as error:
                raise UserError(f"line {number} of {path} is no box: it wants image,x,y,w,h") from error
            if row.get("image") not in known:
                raise UserError(f"line {number} of {path} names {row.get('image')}, which is not in the folder")
            if not np.isfinite(box).all() or (box[2:] <= 0).any():
                raise UserError(f"line {number} of {path} holds a box without size: mend or remove it")
            if (box[2:] >= 8).all():
                found[row["image"]] = (*found.get(row["image"], ()), tuple(float(v) for v in box))
    return found
