"""Small stores that are written without a tracker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets import benchmark
from inmo.datasets.base import Annotation, Dataset
from inmo.datasets.base import Sequence as Clip
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import PARTS, Store, open_store

KCF = Run("kcf", "KCF", "0123456789ab", identity={"tracker": "kcf", "seed": 0})
MOSSE = Run("mosse", "MOSSE", "ba9876543210", identity={"tracker": "mosse", "seed": 0})
FRAMES = 6
TRUTH = np.tile([10.0, 20.0, 30.0, 40.0], (FRAMES, 1))


def a_result(shift: float = 0.0, annotation: str = "", frames: int = FRAMES) -> Result:
    """A box that stays ``shift`` px to the right of the target; 0.25 s for everything but the tracker's call, 0.5 s."""
    boxes = TRUTH[:1].repeat(frames, axis=0) + np.array([shift, 0, 0, 0])
    seconds = {part: np.full(frames, 0.5 if part == "track" else 0.25) for part in PARTS}
    facts = {"annotation": annotation, "tracker": "kcf", "date": "2026-01-02T03:04:05+00:00", "device": "cpu"}
    return Result(boxes, np.full(frames, np.nan), seconds, facts)


def clip(name: str, truth: Boxes = TRUTH) -> Clip:
    return Clip("folder", name, annotation=lambda: Annotation(truth, None))


def a_store(
    root: Path,
    runs: Sequence[Run],
    done: Mapping[str, int],
    *,
    label: str = "folder",
    clips: Sequence[str] = tuple(f"clip{n}" for n in range(5)),
    shift: float = 0.0,
    truth: Boxes = TRUTH,
) -> Store:
    """Clips that every run wants; the first ``done[tracker]`` of them have results, ``shift`` px off."""
    store = open_store(root, write=True)
    row = benchmark("folder")
    sequences = tuple(clip(name, truth) for name in clips)
    store.put_dataset(Dataset(row, label, str(root / "clips"), sequences), tuple(clips))
    for sequence in sequences:
        store.put_sequence(label, sequence, sequence.annotation())
    for run in runs:
        store.put_run(label, run)
        for sequence in sequences[: done.get(run.tracker, 0)]:
            store.put_result(label, run, sequence.name, a_result(shift, sequence.annotation().fingerprint()))
    return store
