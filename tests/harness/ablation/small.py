"""Ablations of networks of a few thousand parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.harness.training.tiny import TINY

BOTH = {"wp": {"settings": {"tca": False}}, "wp-tca": {"settings": {"tca": True}}}


def write_config(folder: Path, photos: Path, steps: int = 2) -> Path:
    values = {
        "tracker": "transinmo-star",
        "settings": TINY["transinmo-star"],
        "objective": "small",
        "schedule": "small",
        "steps": steps,
        "batch": 4,
        "data": {"augmentation": "small", "sources": [{"name": "photos", "root": str(photos)}]},
    }
    path = folder / "base.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def write_ablation(folder: Path, **values: Any) -> Path:
    """``own.yaml`` beside ``base.yaml``, which is its config."""
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({"title": "Own", "config": "base.yaml", "rows": BOTH} | values, sort_keys=False))
    return path
