"""Seconds per frame of a tracker on a dataset: from stored results, from ``bench``, or from a short measurement."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from inmo.datasets.base import Dataset
from inmo.datasets.images import Frame, Frames
from inmo.errors import UserError
from inmo.harness.bench.cases import Case
from inmo.harness.bench.clips import HEIGHT, WIDTH, make_films
from inmo.harness.run.engine import track_sequence
from inmo.harness.run.jobs import built
from inmo.harness.run.setup import Setup
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import Store
from inmo.trackers.base import config_hash

CLIP_FRAMES, FILM_FRAMES = 30, 5
ENOUGH = 20  # results of a run that are read: their speeds differ little, and a store may have thousands


@dataclass(frozen=True)
class Pace:
    """How long a frame takes, reading included unless ``source`` says otherwise, and who says so."""

    seconds: float
    source: str


def stored_pace(store: Store, setup: Setup, benchmark: str, label: str) -> Pace | None:
    """From results of this very config that ran one sequence at a time: ``read`` + ``track`` of every frame.

    Those on the dataset itself, where there are some, else those on others. None when there are none.
    """
    others: list[tuple[float, int, str]] = []
    for own in sorted(store.datasets(), key=lambda name: name != label):
        known = store.dataset(own).benchmark
        folder = f"{setup.spec.name}-{config_hash(setup.spec.name, setup.on(known))}"
        if folder not in store.folders(own) or (own == label and known != benchmark):
            continue
        seconds, frames = _timed(store, own, store.run(own, folder))
        if frames and own == label:
            return Pace(seconds / frames, f"{frames} frames of it in {store.root}")
        if frames:
            others.append((seconds, frames, own))
    if not others:
        return None
    total = sum(frames for _, frames, _ in others)
    names = ", ".join(name for *_, name in others)
    return Pace(sum(seconds for seconds, *_ in others) / total, f"{total} frames on {names} in {store.root}")


def _timed(store: Store, label: str, run: Run) -> tuple[float, int]:
    """Seconds and frames of the first results of a run whose times are those of one sequence at a time."""
    results = (store.result(label, run, name) for name in store.dataset(label).names)
    times = (found.seconds["read"] + found.seconds["track"] for found in results if isinstance(found, Result))
    used = list(islice((each for each in times if np.isfinite(each).all()), ENOUGH))
    return sum(float(each.sum()) for each in used), sum(map(len, used))


def bench_pace(path: Path, setup: Setup) -> Pace | None:
    """From the JSON of ``bench --out``: the tracker as it is, one target at a time, by its title.

    A run from files to boxes tells more than the tracker's call alone. None when it has neither; raises UserError for
    a file that is none.
    """
    try:
        rows: list[Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["timings"]
        found = {
            row["scope"]: statistics.median(map(float, row["milliseconds"])) / 1e3
            for row in rows
            if (row["tracker"], row["case"], row["lanes"]) == (setup.spec.title, "", 1)
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no file of `bench --out` ({type(error).__name__}: {error})") from error
    if "run" in found:
        return Pace(found["run"], str(path))
    return Pace(found["tracker"], f"{path}, without reading frames") if "tracker" in found else None


def measured_pace(setup: Setup, dataset: Dataset | None, device: str) -> Pace:
    """From the first frames of the dataset's first sequence that can be tracked, else from made-up frames."""
    first = first_frames(setup, dataset, CLIP_FRAMES, device) if dataset is not None else None
    if first is None:
        return _film_pace(setup, device)
    whole = first.result.seconds["read"] + first.result.seconds["track"]
    return Pace(float(whole.mean()), f"{first.count} frames of {first.sequence}, measured now")


@dataclass(frozen=True)
class FirstFrames:
    """The first frames of a sequence as a tracker of its own followed them."""

    tracker: Any
    sequence: str
    count: int
    result: Result


def first_frames(setup: Setup, dataset: Dataset, most: int, device: str) -> FirstFrames | None:
    """Track at most so many frames of the first sequence that can be tracked, after a warm-up; None without one."""
    for sequence in dataset.sequences:
        try:
            if sequence.frames is None:
                continue
            annotation, frames = sequence.annotation(), sequence.frames()
        except UserError:
            continue
        count = min(most, len(frames))
        if count < 2 or not np.isfinite(annotation.boxes[:1]).all():
            continue
        tracker = built(setup.spec.name, setup.on(dataset.benchmark.name), device)
        alone = replace(sequence, first_only=True)  # so that the rows need not be as many as the frames
        for number in (2, count):  # the first call pays for what a library prepares when it is first used
            result = track_sequence(tracker, alone, annotation, _Some(frames, number))
        return FirstFrames(tracker, sequence.name, count, result)
    return None


@lru_cache
def _film_pace(setup: Setup, device: str) -> Pace:
    from inmo.harness.bench.compare import time_in_turn

    case = Case(setup, "", lanes=1, ahead=False)
    with tempfile.TemporaryDirectory() as folder:
        films = make_films(Path(folder), 1, FILM_FRAMES)
        (found,) = time_in_turn([case], "run", films, steps=1, rounds=1, device=device)
    return Pace(found.median / 1e3, f"{FILM_FRAMES} made-up frames of {WIDTH} x {HEIGHT}, measured now")


@dataclass(frozen=True)
class _Some:
    """The first frames of some."""

    frames: Frames
    count: int

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> Frame:
        return self.frames.read(index)

    def names(self) -> list[str]:
        return self.frames.names()[: self.count]
