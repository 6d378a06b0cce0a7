"""Speeds of rows whose sequences ran in lanes, which tell no tracker's speed: some hundred frames each, one at a time.

They are kept in OUT/speeds.json by config, with the machine that measured them, apart from every result.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from inmo.datasets.base import Dataset
from inmo.harness.experiment.paper_rows import Candidate
from inmo.harness.experiment.speeds import first_frames
from inmo.harness.store import provenance
from inmo.harness.workers.resources import Resources
from inmo.reports.paper.measured import Timed
from inmo.whole_files import fitting, read_json, write_json

SPEEDS = "speeds.json"


def speed_pass(
    out: Path, candidates: Sequence[Candidate], datasets: Sequence[Dataset], frames: int, resources: Resources
) -> dict[str, Timed]:
    """Folder of a run -> its speed, of every candidate that can be run and for which images are there.

    Args:
        out: ``speeds.json`` is kept in it; what it has is not measured again on the same processor and device.
        candidates: whose speeds are wanted, one process at a time.
        datasets: the first sequence with images of the first of them is tracked.
        frames: at most so many; 0 measures nothing.
        resources: the device.
    """
    path = out / SPEEDS
    kept: dict[str, Any] = read_json(path) if path.is_file() else {}
    found: dict[str, Timed] = {}
    place = f"{provenance.machine()['processor']}, {resources.device}"
    for candidate in candidates:
        if not frames or candidate.absent or candidate.setup.spec.name == "recorded":
            continue
        for dataset in datasets:
            folder = candidate.setup.folder(dataset)
            key = f"{folder}, {place}"
            if key not in kept and (timed := _timed(candidate, dataset, frames, resources)) is not None:
                kept[key] = asdict(timed)
                write_json(path, kept)
            if key in kept:
                with fitting(path):
                    found[folder] = Timed(**kept[key])
                break
    return found


def _timed(candidate: Candidate, dataset: Dataset, frames: int, resources: Resources) -> Timed | None:
    """The median speed of the tracker's calls on the first sequence that can be tracked; None where there is none."""
    first = first_frames(candidate.setup, dataset, frames, resources.device)
    if first is None:
        return None
    sys.stderr.write(f"speed of {candidate.label}: {first.count} frames of {first.sequence}\n")
    return Timed(
        fps=float(1 / np.median(first.result.seconds["track"][1:])),
        frames=first.count - 1,
        sequence=f"{dataset.label}/{first.sequence}",
        machine=str(provenance.machine()["processor"]),
        device=provenance.device_of(first.tracker, resources.device),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
