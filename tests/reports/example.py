"""A small store with everything a report must cope with: hostile names, holes, images, a set without ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from inmo.datasets import open_dataset
from inmo.datasets.base import Annotation, Dataset, Hole
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import Store, open_store

HOSTILE = "<script>alert(1)</script>"
TRACKERS = {"Good": 1.0, "Fair & square": 6.0, HOSTILE: 14.0}
FRAMES = 20
LOST = {"clip6": slice(3, 13), "clip7": slice(9, None)}


def example_store(
    folder: Path, *, sequences: int = 8, images: bool = True, labels: Sequence[str] = ("folder",)
) -> Store:
    """A ``folder`` dataset of so many clips and three trackers (off by 1, 6 and 14 px), the second with one hole.
    Several labels are as many datasets of the same clips.

    The third loses ``clip7`` for good at frame 9, and ``clip6`` at frame 3 until frame 13.
    Sequence ``b&w`` and tracker ``<script>`` carry names that are markup; tracker ``Good`` was stored with times such
    that its speed is exactly 50 frames per second.
    """
    root = folder / "clips"
    names = ["b&w", *(f"clip{i}" for i in range(1, sequences))]
    for number, name in enumerate(names):
        _write_clip(root / name, number)
    store = open_store(folder / "store", write=True)
    dataset = open_dataset("folder", str(root))
    dataset = replace(dataset, holes=(Hole("gone", "no folder of this name below the root"),))
    for label in labels:
        _put(store, replace(dataset, label=label))
    if not images:
        for path in root.rglob("*.jpg"):
            path.unlink()
        root.rename(folder / "moved")
    return store


def _put(store: Store, dataset: Dataset) -> None:
    found, label = tuple(s.name for s in dataset.sequences), dataset.label
    store.put_dataset(dataset, found)
    for sequence in dataset.sequences:
        annotation = sequence.annotation()
        store.put_sequence(label, replace(sequence, attributes=("SV",) if "b" in sequence.name else ()), annotation)
        for number, (title, off) in enumerate(TRACKERS.items()):
            run = Run(f"tracker{number}", title, f"{number}" * 12, "", {"name": f"tracker{number}", "gain": off})
            store.put_run(label, run)
            if number == 1 and sequence.name == "clip1":
                store.put_hole(label, run, Hole("clip1", "it fell over"))
            else:
                given = result(annotation, off, found.index(sequence.name))
                if number == 2:
                    given.boxes[LOST.get(sequence.name, slice(0)), 0] += 200
                store.put_result(label, run, sequence.name, given)


def result(annotation: Annotation, off: float, number: int) -> Result:
    boxes = annotation.boxes.copy()
    boxes[1:, 0] += off + number  # the further down the list, the harder
    track = np.full(len(boxes), 0.02)
    track[:6] = 9.0  # initialisation and warm-up, which are not counted
    nan = np.full(len(boxes), np.nan)
    seconds = {"read": nan, "pre": nan, "network": nan, "post": nan, "track": track}
    facts = {"versions": {"code": "abc", "numpy": "2.2"}, "device": "cpu", "date": f"2024-01-0{number % 9 + 1}"}
    return Result(boxes, nan, seconds, facts)


def _write_clip(folder: Path, number: int) -> None:
    (folder / "img").mkdir(parents=True)
    rows = []
    for i in range(FRAMES):
        x, y = 20 + 2 * i, 30 + number
        image = np.full((120, 160, 3), 90, np.uint8)
        cv2.rectangle(image, (x, y), (x + 39, y + 29), (40, 60 + 20 * (number % 8), 200), -1)
        cv2.imwrite(str(folder / "img" / f"{i + 1:04d}.jpg"), image)
        rows.append(f"{x},{y},40,30")
    (folder / "groundtruth_rect.txt").write_text("\n".join(rows) + "\n")
