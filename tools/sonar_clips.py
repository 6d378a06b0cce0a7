"""Clips that look like a sonar's: speckle, an echo with a shadow behind it, and echoes without one that drift past.

Nothing here resembles a photograph, so a tracker trained on photographs has trouble with it: what docs/own-data.md
fine-tunes on. Written in the folder layout: ``python -m tools.sonar_clips OUT``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from inmo.datasets.images import Frame

CLIPS, FRAMES, WIDTH, HEIGHT = 12, 60, 240, 180
OTHERS = 5
SHADOW = 0.35  # of the speckle's brightness


def write_clip(folder: Path, number: int, frames: int = FRAMES) -> None:
    """FOLDER/img/0001.png ... and FOLDER/groundtruth_rect.txt, boxes of echo and shadow counted from 0."""
    dice = np.random.default_rng((20230, number))
    (folder / "img").mkdir(parents=True, exist_ok=True)
    size = np.array([dice.uniform(16, 24), dice.uniform(9, 14)])
    places = dice.uniform([40, 40], [WIDTH - 60, HEIGHT - 40], (OTHERS + 1, 2))
    speeds = dice.normal(0.0, 1.4, (OTHERS + 1, 2))
    rows = []
    for index in range(frames):
        level = np.full((HEIGHT, WIDTH), 62.0)
        for place in places[1:]:
            _echo(level, place, size, shadow=False)
        _echo(level, places[0], size, shadow=True)
        speckle = dice.gamma(3.0, 1 / 3.0, level.shape)  # multiplicative, as coherent waves make it
        image: Frame = np.clip(cv2.GaussianBlur(level * speckle, (3, 3), 0), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / "img" / f"{index + 1:04d}.png"), cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
        corner = places[0] - size / 2
        rows.append([*corner, 2 * size[0], size[1]])
        speeds = 0.95 * speeds + dice.normal(0.0, 0.45, speeds.shape)
        places = places + speeds
        low, high = np.array([30, 30]), np.array([WIDTH - 60, HEIGHT - 30])
        speeds[(places < low) | (places > high)] *= -1
        places = places.clip(low, high)
    np.savetxt(folder / "groundtruth_rect.txt", np.array(rows), delimiter=",", fmt="%.1f")


def _echo(level: np.ndarray, place: np.ndarray, size: np.ndarray, *, shadow: bool) -> None:
    centre, axes = tuple(map(int, (place * 16).round())), tuple(map(int, (size * 8).round()))
    if shadow:
        right = (int(((place[0] + size[0]) * 16).round()), centre[1])
        cv2.ellipse(level, right, axes, 0, 0, 360, 62.0 * SHADOW, -1, cv2.LINE_8, 4)
    cv2.ellipse(level, centre, axes, 0, 0, 360, 105.0, -1, cv2.LINE_8, 4)


if __name__ == "__main__":
    for clip in range(CLIPS):
        write_clip(Path(sys.argv[1]) / f"sonar{clip:02d}", clip)
