"""Small training material: painted photographs, and trackers of a few thousand parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from inmo.harness.training.config import DataConfig, SourceConfig, TrainConfig

TINY: dict[str, dict[str, Any]] = {
    "transinmo": {
        "preset": "nano", "interaction": "paper", "widths": [16] * 4, "depths": [1] * 4, "heads": [2] * 4, "dim": 16,
        "width": 16,
    },
    "transinmo-star": {
        "preset": "nano", "interaction": "paper", "widths": [16] * 4, "depths": [1] * 4, "heads": [2] * 4, "dim": 16,
        "width": 16, "encoder_layers": 1, "neck_hidden": 16,
    },
    "transt": {"preset": "nano", "widths": [4, 4, 8], "depths": [1, 1, 1], "stem": 8, "width": 16, "encoder_layers": 1},
    "siamcar": {"preset": "nano", "pixelwise": False, "widths": [4, 4, 4, 4], "depths": [1, 1, 1, 1]},
    "cnninmo": {"preset": "nano", "pixelwise": False, "widths": [4, 4, 4, 4], "depths": [1, 1, 1, 1], "dim": 16},
}  # fmt: skip

TEACHER: dict[str, Any] = {"tracker": "siamcar", "settings": {"preset": "lite"}, "weight": 2.0}
"""The shipped lite SiamCAR."""


def write_photos(folder: Path, count: int = 6) -> Path:
    """Photographs with something in them; the first two have boxes."""
    folder.mkdir(parents=True)
    rows = ["image,x,y,w,h"]
    for number in range(count):
        dice = np.random.default_rng(number)
        coarse = dice.integers(0, 255, (12, 16, 3)).astype(np.uint8)
        photo = cv2.resize(coarse, (192, 144), interpolation=cv2.INTER_CUBIC)
        x, y = (int(v) for v in dice.integers(20, 80, 2))
        cv2.ellipse(photo, (x + 25, y + 20), (25, 20), 0, 0, 360, [int(v) for v in dice.integers(0, 255, 3)], -1)
        cv2.imwrite(str(folder / f"photo_{number}.png"), photo)
        if number < 2:
            rows.append(f"photo_{number}.png,{x},{y},50,40")
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")
    return folder


def tiny_config(photos: Path, tracker: str = "transinmo", **values: Any) -> TrainConfig:
    """A training of six steps."""
    data = DataConfig((SourceConfig("photos", str(photos)),), augmentation="small")
    given: dict[str, Any] = {
        "settings": TINY[tracker],
        "objective": "siamcar" if tracker in ("siamcar", "cnninmo") else "small",
        "schedule": "small",
        "steps": 6,
        "batch": 4,
        "data": data,
        "log_every": 2,
    }
    return TrainConfig(tracker, **(given | values))
