"""Pairs from photographs with a map of their segments: composites whose targets have silhouettes of real things.

Beside every image NAME.jpg lies NAME.png with a label per pixel; 0 is nothing. A target is a segment; its look-alikes
are its own twin and the segments of the same photograph, they stand near and move on their own, so that they come
close, cross and hide one another. Part of the targets fold between the views, part keep their scale.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.datasets.images import read_image
from inmo.datasets.reading import image_names
from inmo.datasets.training.articulation import articulate
from inmo.datasets.training.base import Dice, Pair
from inmo.datasets.training.cutouts import LONGEST, Pose, Sprite
from inmo.datasets.training.photos import (
    LARGEST,
    SMALLEST,
    compose,
    first_pose,
    ground_view,
    in_part,
    moved_pose,
    read_photo,
)
from inmo.datasets.training.videos import folder_of
from inmo.errors import UserError

LEAST, MOST = 0.004, 0.35  # share of the photograph that a segment takes
SIDE = 14  # px: shortest side of a segment's box
SLENDER = 4.0  # longest side over shortest
TRIES = 12
NEAR = (0.6, 1.7)  # distance of a look-alike from the target at first, in sizes of the target


@dataclass(frozen=True)
class SegmentedSource:
    """Photographs with label maps.

    Attributes:
        root: the folder.
        files: names of the photographs.
        distractors: look-alikes beside a target at most; from 0 to as many, evenly.
        articulated: share of pairs whose target and twins fold between the views.
        steady: share of pairs whose target keeps scale, aspect and angle of its cut-out, drawn apart from whether it
            folds; what bends or folds may still have another box.
    """

    root: Path
    files: tuple[str, ...]
    distractors: int
    articulated: float
    steady: float
    name: str = "segmented"

    def __len__(self) -> int:
        return len(self.files)

    def draw(self, dice: Dice, index: int) -> Pair:
        """A composite. Raises UserError for a photo that cannot be read, or when no segment can be used."""
        for _ in range(TRIES):
            pair = self._composite(dice)
            if pair is not None:
                return pair
        raise UserError(f"{TRIES} draws from {self.root} gave no target: its label maps hold too few usable segments")

    def fingerprint(self) -> str:
        """Over names and settings."""
        words = repr((self.name, self.files, self.distractors, self.articulated, self.steady))
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    def _composite(self, dice: Dice) -> Pair | None:
        """None when there is no segment, or when the target came to lie outside or too much hidden."""
        number, ground, third = (int(n) for n in dice.integers(len(self.files), size=3))
        sprites = _segments(self.root / self.files[number])
        if not sprites:
            return None
        chosen = int(dice.integers(len(sprites)))
        photo, _ = read_photo(self.root / self.files[ground])
        height, width = photo.shape[:2]
        size = float(np.exp(dice.uniform(np.log(SMALLEST), np.log(LARGEST))))
        start = first_pose(dice, size / sprites[chosen].side, width, height, tints=3)
        others = self._others(dice, sprites, chosen, start, size)
        hidden = _segments(self.root / self.files[third]) if dice.random() < 0.3 else ()
        folds, steady = dice.random() < self.articulated, dice.random() < self.steady
        views = []
        for moment in range(2):
            pose = start if moment == 0 else moved_pose(start, dice, size, width, height)
            if steady:
                pose = replace(pose, scale=start.scale, aspect=1.0, angle=start.angle)
            target = articulate(sprites[chosen], dice) if folds else sprites[chosen]
            placed = [
                (
                    articulate(sprite, dice) if folds else sprite,
                    at if moment == 0 else moved_pose(at, dice, size, width, height),
                )
                for sprite, at in others
            ]
            occluder = hidden[int(dice.integers(len(hidden)))] if hidden and moment == 1 else None
            view = compose(ground_view(photo, dice, moving=moment == 1), target, pose, placed, occluder, dice)
            if view is None:
                return None
            views.append(view)
        return Pair(views[0], views[1])

    def _others(
        self, dice: Dice, sprites: tuple[Sprite, ...], chosen: int, start: Pose, size: float
    ) -> list[tuple[Sprite, Pose]]:
        """Look-alikes beside the target: its twin, or what is most like it in the same photograph."""
        found = []
        like = _by_likeness(sprites, chosen)
        for _ in range(int(dice.integers(self.distractors + 1))):
            sprite = sprites[chosen] if dice.random() < 0.6 or not like else sprites[like[0]]
            angle, distance = dice.uniform(0, 2 * np.pi), size * dice.uniform(*NEAR)
            pose = replace(
                start,
                x=start.x + distance * np.cos(angle),
                y=start.y + distance * np.sin(angle),
                scale=size / sprite.side * float(np.exp(dice.normal(0, 0.15))),
                angle=dice.normal(0, 0.25),
                gain=start.gain * np.exp(dice.normal(0, 0.12, 3)),
                flipped=bool(dice.random() < 0.5),
            )
            found.append((sprite, pose))
        return found


def _by_likeness(sprites: tuple[Sprite, ...], chosen: int) -> list[int]:
    """The others, the one of the most similar mean colour first."""
    means = [(s.pixels * s.alpha[..., None]).sum(axis=(0, 1)) / max(1.0, float(s.alpha.sum())) for s in sprites]
    others = [n for n in range(len(sprites)) if n != chosen]
    return sorted(others, key=lambda n: float(np.abs(means[n] - means[chosen]).sum()))


@lru_cache(maxsize=1024)
def _segments(path: Path) -> tuple[Sprite, ...]:
    """The usable segments of a photograph as cut-outs: the largest piece of each label, neither tiny nor huge, not cut
    by more than one border of the photograph."""
    photo, labels = read_image(path), read_image(path.with_suffix(".png"))[..., 0]
    if labels.shape != photo.shape[:2]:
        raise UserError(f"{path.with_suffix('.png')} has another size than its photograph: make the map anew")
    found = (_cut(photo, labels == label) for label in np.unique(labels) if label)
    return tuple(sprite for sprite in found if sprite is not None)


def _cut(photo: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Sprite | None:
    _, parts, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    largest = 1 + int(facts[1:, cv2.CC_STAT_AREA].argmax())
    x, y, w, h, area = (int(v) for v in facts[largest])
    borders = (x == 0) + (y == 0) + (x + w == mask.shape[1]) + (y + h == mask.shape[0])
    if not LEAST <= area / mask.size <= MOST or min(w, h) < SIDE or max(w, h) > SLENDER * min(w, h) or borders > 1:
        return None
    if area < 0.3 * w * h:
        return None
    inside = slice(y, y + h), slice(x, x + w)
    shrink = min(1.0, LONGEST / max(w, h))
    size = max(4, round(w * shrink)), max(4, round(h * shrink))
    alpha = cv2.resize((parts[inside] == largest).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    pixels = cv2.resize(photo[inside], size, interpolation=cv2.INTER_AREA)
    return Sprite(np.asarray(pixels, np.uint8), np.asarray(cv2.GaussianBlur(alpha, (3, 3), 0), np.float32))


def open_segmented(
    root: str, *, part: str = "all", distractors: int = 3, articulated: float = 0.5, steady: float = 0.35
) -> SegmentedSource:
    """A folder of NAME.jpg, each with a map of labels NAME.png of the same size (8 bits; 0 is nothing).

    Args:
        root: the folder.
        part: ``all``, ``train`` (without every tenth photo) or ``validation`` (those).
        distractors: look-alikes beside a target at most.
        articulated, steady: shares 0 to 1, see ``SegmentedSource``.

    Raises:
        UserError: no folder, no image with a map, or an impossible setting.
    """
    folder = folder_of(root, "segmented", give="a folder of images and maps")
    if not (0.0 <= articulated <= 1.0 and 0.0 <= steady <= 1.0 and distractors >= 0):
        raise UserError("the training set segmented wants articulated and steady from 0 to 1, distractors of 0 or more")
    if part not in ("all", "train", "validation"):
        raise UserError("the training set segmented wants part: all, train or validation")
    listed = image_names(folder)
    maps = {Path(name).stem for name in listed if name.lower().endswith(".png")}
    names = [name for name in listed if not name.lower().endswith(".png") and Path(name).stem in maps]
    if not names:
        raise UserError(
            f"{folder} holds no image with a map of labels beside it: give a folder of NAME.jpg and NAME.png"
        )
    return SegmentedSource(folder, in_part(names, part), distractors, articulated, steady)
