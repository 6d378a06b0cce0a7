"""What a store keeps, as records: datasets, ground truth, runs and results, sweeps; and what runs are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Hole

Values = tuple[float, ...]


@dataclass(frozen=True)
class StoredDataset:
    """What the store knows of a dataset.

    Attributes:
        label: its name in the store and in exports.
        benchmark, title, protocol, origin: the benchmark's row of facts at the time of the run.
        root: where images were, for drawing; they may be gone.
        names: sequences wanted, in the benchmark's order.
        holes: sequences of the benchmark that were not on disk or not asked for.
        attributes: code -> words.
    """

    label: str
    benchmark: str
    title: str
    protocol: str
    origin: int
    root: str
    names: tuple[str, ...]
    holes: tuple[Hole, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    ground_truth: str = "full"

    @property
    def expected(self) -> int:
        """How many sequences the whole benchmark has."""
        return len(self.names) + len(self.holes)

    def joined(self, other: StoredDataset) -> StoredDataset:
        """With the sequences that another store wants of the same dataset, each behind the one it follows there."""
        names, place = list(self.names), 0
        for name in other.names:
            if name in names:
                place = names.index(name) + 1
            else:
                names.insert(place, name)
                place += 1
        holes = {hole.sequence: hole for hole in (*other.holes, *self.holes) if hole.sequence not in names}
        return replace(self, names=tuple(names), holes=tuple(holes.values()))


@dataclass(frozen=True)
class StoredSequence:
    """Ground truth and attributes of one sequence, as the run saw them.

    Attributes:
        others: (k, n, 4) boxes of other annotated targets in the same frames, NaN where one has none.
        others_reason: why there are none where there should be some; empty elsewhere.
    """

    name: str
    annotation: Annotation
    attributes: tuple[str, ...] = ()
    first_only: bool = False
    others: Boxes = field(default_factory=lambda: np.zeros((0, 0, 4)))
    others_reason: str = ""


@dataclass(frozen=True)
class Run:
    """One tracker with one config on one dataset.

    Attributes:
        tracker: registry name; title: as papers print it.
        hash: config hash, 12 hex digits.
        label: the name given by the user for tables, or empty.
        identity: the config values that entered the hash.
        tuned: what its test-time constants were tuned on, see ``constants.tuned_file.Tuned.mark``; not in the hash.
    """

    tracker: str
    title: str
    hash: str
    label: str = ""
    identity: Mapping[str, Any] = field(default_factory=dict)
    tuned: tuple[Mapping[str, Any], ...] = ()

    @property
    def folder(self) -> str:
        return f"{self.tracker}-{self.hash}"


@dataclass(frozen=True)
class Result:
    """What a tracker gave on one sequence.

    Attributes:
        boxes: (n, 4) float64 x, y, w, h in the numbers of the benchmark's files; row 0 is the initial box.
        scores: (n,) float64, NaN where the tracker reports none.
        seconds: part -> (n,) float64; ``read`` is decoding, ``track`` the whole call of the tracker, ``pre``,
            ``network`` and ``post`` the tracker's own parts of it (NaN where it does not say).
        provenance: versions, device, seed, config, data fingerprint, date.
    """

    boxes: Boxes
    scores: NDArray[np.float64]
    seconds: Mapping[str, NDArray[np.float64]]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def whole(self) -> Boxes:
        """The boxes with those that recorded results have of frames before the benchmark's first, (k + n, 4)."""
        before = np.array(self.provenance.get("before", ()), dtype=np.float64).reshape(-1, 4)
        return np.concatenate([before, self.boxes])


@dataclass(frozen=True)
class Swept:
    """One tracker on one dataset under all values of a sweep: where the results of each stand in the store.

    Attributes:
        tracker: its name in tables.
        dataset: label of the dataset in the store.
        over: names of the constants.
        own: the tracker's own values of them on this dataset.
        runs: values, in the order of ``over`` -> folder of the run (``store.Run.folder``).
    """

    tracker: str
    dataset: str
    over: tuple[str, ...]
    own: Values
    runs: Mapping[Values, str]


def display_names(runs: tuple[Run, ...]) -> dict[str, str]:
    """Run folder -> the name to print: the label, else the title; with the hash where two would be alike."""
    return _told_apart([(run, run.label or run.title) for run in runs], "{} [{}]")


def export_names(runs: tuple[Run, ...]) -> dict[str, str]:
    """Run folder -> the folder name in exports: label or registry name, with the hash where two would be alike."""
    return _told_apart([(run, run.label or run.tracker) for run in runs], "{}-{}")


def _told_apart(names: list[tuple[Run, str]], pattern: str) -> dict[str, str]:
    counts = Counter(name for _, name in names)
    return {run.folder: pattern.format(name, run.hash[:6]) if counts[name] > 1 else name for run, name in names}
