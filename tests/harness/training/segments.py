"""Small painted photographs with maps of their segments."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def write_segmented(folder: Path, count: int = 12) -> Path:
    """Photographs of 160 x 120 pixels: a ground (label 1), an ellipse (2) and two boxes of one colour (3, 4)."""
    folder.mkdir(parents=True)
    for number in range(count):
        dice = np.random.default_rng(number)
        coarse = dice.integers(0, 255, (12, 16, 3)).astype(np.uint8)
        photo = np.asarray(cv2.resize(coarse, (160, 120), interpolation=cv2.INTER_CUBIC), np.uint8)
        labels = np.ones((120, 160), np.uint8)
        colours = dice.integers(0, 255, (2, 3))
        for image, values in ((photo, [*colours.tolist(), colours[1].tolist()]), (labels, [2, 3, 4])):
            cv2.ellipse(image, (40, 50), (25, 18), 0, 0, 360, values[0], -1)
            cv2.rectangle(image, (90, 20), (109, 59), values[1], -1)
            cv2.rectangle(image, (120, 60), (139, 99), values[2], -1)
        cv2.imwrite(str(folder / f"{number}.jpg"), photo)
        cv2.imwrite(str(folder / f"{number}.png"), labels)
    return folder
