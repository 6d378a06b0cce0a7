"""Clips to lie beside annotation files, and what is read of the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from inmo.datasets import open_dataset
from inmo.datasets.base import Annotation, Sequence
from tests.datasets.tiny import video, write


def clip(root: Path, count: int = 10, name: str = "clip.mp4") -> Path:
    """A video of ``count`` frames of 64 x 48 pixels."""
    video(root / name, count)
    return root


def opened(root: Path) -> dict[str, Sequence]:
    """Name -> sequence of a folder without holes, each with as many frames as rows."""
    dataset = open_dataset("folder", str(root))
    assert dataset.holes == ()
    for each in dataset.sequences:
        assert each.frames is None or len(each.frames()) == len(each.annotation())
    return {each.name: each for each in dataset.sequences}


def reason(root: Path) -> str:
    """Why the one thing that is there is no sequence, beside a sound one that still is read."""
    write(root / "sound.txt", "1,2,3,4\n1,2,3,4\n")
    video(root / "sound.mp4", 2)
    dataset = open_dataset("folder", str(root))
    assert [each.name for each in dataset.sequences] == ["sound"]
    (words,) = {hole.reason for hole in dataset.holes if not hole.reason.startswith("no boxes file")}
    assert "\n" not in words
    return words


def rows(annotation: Annotation) -> list[list[float] | None]:
    """Boxes as lists, None for NaN."""
    return [None if np.isnan(box).any() else [round(float(v), 6) for v in box] for box in annotation.boxes]


def flags(annotation: Annotation) -> list[int] | None:
    return None if annotation.absent is None else annotation.absent.astype(int).tolist()


def as_json(path: Path, content: Any) -> Path:
    return write(path, json.dumps(content))
