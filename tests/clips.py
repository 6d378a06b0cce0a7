"""A tiny data set in the folder layout: three moving squares that need no reference material."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

LENGTHS = {"short": 6, "middle": 9, "long": 12}


def write_sequence(folder: Path, frames: int, *, step: int = 2) -> None:
    (folder / "img").mkdir(parents=True)
    rng = np.random.default_rng(frames)
    background = rng.integers(0, 90, (48, 64, 3), dtype=np.uint8)
    target = rng.integers(120, 255, (14, 16, 3), dtype=np.uint8)
    rows = []
    for i in range(frames):
        frame = background.copy()
        x, y = 4 + step * i, 6 + i * bool(step)
        frame[y : y + 14, x : x + 16] = target
        cv2.imwrite(str(folder / "img" / f"{i + 1:04d}.png"), frame)
        rows.append(f"{x},{y},16,14")
    (folder / "groundtruth_rect.txt").write_text("\n".join(rows) + "\n")


def write_clips(root: Path) -> Path:
    for name, frames in LENGTHS.items():
        write_sequence(root / name, frames)
    return root
