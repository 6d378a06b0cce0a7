"""Films to time trackers on: JPEGs of a size that benchmarks have, with a texture that decodes like a photograph's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from inmo.datasets.base import Annotation, Sequence
from inmo.datasets.images import Frame, ImageFrames

HEIGHT, WIDTH = 720, 1280
TARGET = (600.0, 320.0, 90.0, 70.0)
QUALITY = 90
DISTINCT = 8
"""Images on disk; films longer than this show them again and again, which costs a decoder the same."""


@dataclass(frozen=True)
class Film:
    """One sequence to follow; a ``run.lanes.Wanted``."""

    sequence: Sequence
    frames: int
    paths: tuple[Path, ...]

    def open(self) -> tuple[Annotation, ImageFrames]:
        images = ImageFrames(tuple(self.paths[i % len(self.paths)] for i in range(self.frames)))
        return self.sequence.annotation(), images


def scene(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Frame:
    """(height, width, 3) uint8: smooth patches with a fine grain, about 2 bits a pixel as a JPEG of quality 90."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 40 + 2, width // 40 + 2, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    grain = rng.integers(-14, 15, (height, width, 1), dtype=np.int16)
    return np.asarray(np.clip(smooth + grain, 0, 255), dtype=np.uint8)


def make_films(folder: Path, count: int, frames: int) -> list[Film]:
    """``count`` films of ``frames`` frames; the images are written once."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / f"{index:02d}.jpg" for index in range(DISTINCT))
    for index, path in enumerate(paths):
        if not path.exists():
            cv2.imwrite(str(path), scene(index), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    truth = Annotation(np.tile(np.array(TARGET), (frames, 1)))
    return [Film(Sequence("films", f"film-{n}", lambda: truth), frames, paths) for n in range(count)]
