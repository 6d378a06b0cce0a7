"""What a store holds and lacks, run by run: done, holes, failures, who is at work, how long the rest takes, disk.

The store may be written to meanwhile: a file that comes or goes between two looks is counted as either look saw it.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from inmo.datasets.base import Hole
from inmo.harness.store.claims import Owner, owner_of
from inmo.harness.store.reading import Reading
from inmo.harness.store.records import Result, Run, StoredDataset, StoredSequence, display_names
from inmo.harness.store.store import NOT_RUN, Store


@dataclass(frozen=True)
class RunStatus:
    """One tracker with one config on one dataset.

    Attributes:
        dataset: label; tracker: display name; folder: of the run.
        wanted: how many sequences are.
        done: those with a result that fits the annotation.
        holes, failures: those that were tried in vain, for want of sound data and for a fault of the tracker.
        left: those that nobody has tried yet, or whose result was made with another annotation.
        owners: who is at work -> on which of them.
        costs: seconds of each of ``left``, by stored times of this config (reading included); None where nothing tells.
        disk: bytes of its files.
    """

    dataset: str
    tracker: str
    folder: str
    wanted: int
    done: int
    holes: tuple[Hole, ...] = ()
    failures: tuple[Hole, ...] = ()
    left: tuple[str, ...] = ()
    owners: Mapping[Owner, tuple[str, ...]] = field(default_factory=dict)
    costs: tuple[float, ...] | None = ()
    disk: int = 0


@dataclass(frozen=True)
class StoreStatus:
    """All runs of a store, by dataset, a sentence for every file that cannot be read, and the bytes of all files."""

    store: Path
    datasets: tuple[StoredDataset, ...]
    runs: tuple[RunStatus, ...]
    damaged: tuple[str, ...]
    disk: int

    @property
    def without(self) -> dict[str, list[str]]:
        """Tracker's display name -> the datasets that it has no run on, of trackers that have one elsewhere."""
        ran: dict[str, set[str]] = {}
        for run in self.runs:
            ran.setdefault(run.tracker, set()).add(run.dataset)
        labels = [data.label for data in self.datasets]
        gone = {name: [label for label in labels if label not in own] for name, own in ran.items()}
        return {name: own for name, own in gone.items() if own}


def store_status(store: Store) -> StoreStatus:
    """Read a store from end to end. Damaged files are named, and the rest is counted."""
    reading, datasets, seen = Reading(), [], []
    for label in store.datasets():
        data = reading.tried(store.dataset, label)
        if data is not None:
            datasets.append(data)
            seen.append(_look(store, data, reading))
    paces: dict[str, tuple[float, int]] = {}
    for each in chain.from_iterable(seen):
        seconds, frames = paces.get(each.run.folder, (0.0, 0))
        paces[each.run.folder] = seconds + each.seconds, frames + each.frames
    runs = []
    for data, own in zip(datasets, seen, strict=True):
        names = display_names(tuple(each.run for each in own))
        runs += [_status(store, data, each, names[each.run.folder], paces) for each in own]
    return StoreStatus(store.root, tuple(datasets), tuple(runs), tuple(reading.damaged), disk_of(store.root))


def disk_of(folder: Path) -> int:
    """Bytes of the files below a folder, those that vanish meanwhile left out."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            status = path.lstat()
            total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


@dataclass
class _Seen:
    """A run while its files go by.

    ``lengths`` are those of the dataset's sequences, in frames; ``seconds`` and ``frames`` those of timed results.
    """

    run: Run
    lengths: Mapping[str, int]
    done: int = 0
    holes: list[Hole] = field(default_factory=list)
    failures: list[Hole] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    seconds: float = 0.0
    frames: int = 0

    def take(self, found: Result | Hole | None, sequence: str, truth: StoredSequence | None) -> None:
        """What stands for a sequence; None where its file is damaged."""
        if isinstance(found, Result) and (
            truth is None or found.provenance["annotation"] == truth.annotation.fingerprint()
        ):
            self.done += 1
            seconds = sum(found.seconds.get(part, np.full(1, np.nan)) for part in ("read", "track"))
            if np.isfinite(seconds).all():
                self.seconds += float(np.sum(seconds))
                self.frames += len(found.boxes)
        elif isinstance(found, Hole) and found.reason != NOT_RUN:
            (self.failures if found.failed else self.holes).append(found)
        else:
            self.left.append(sequence)


def _look(store: Store, data: StoredDataset, reading: Reading) -> list[_Seen]:
    """The runs on a dataset, read a sequence at a time."""
    runs = (reading.tried(store.run, data.label, folder) for folder in store.folders(data.label))
    lengths: dict[str, int] = {}
    seen = [_Seen(run, lengths) for run in runs if run is not None]
    for name in data.names:
        truth = reading.tried(store.sequence, data.label, name)
        if truth is not None:
            lengths[name] = len(truth.annotation)
        for each in seen:
            each.take(reading.tried(store.result, data.label, each.run, name), name, truth)
    return seen


def _status(
    store: Store, data: StoredDataset, seen: _Seen, name: str, paces: Mapping[str, tuple[float, int]]
) -> RunStatus:
    owners: dict[Owner, list[str]] = {}
    for sequence in data.names:
        owner = owner_of(store.root, (data.label, seen.run.folder, sequence))
        if owner is not None:
            owners.setdefault(owner, []).append(sequence)
    seconds, frames = (seen.seconds, seen.frames) if seen.frames else paces[seen.run.folder]
    known = [seen.lengths[sequence] for sequence in seen.left if sequence in seen.lengths]
    costs: tuple[float, ...] | None = None
    if not seen.left:
        costs = ()
    elif frames and known:
        usual = sum(known) / len(known)  # of a sequence whose annotation cannot be read
        costs = tuple(seconds / frames * seen.lengths.get(sequence, usual) for sequence in seen.left)
    return RunStatus(
        dataset=data.label,
        tracker=name,
        folder=seen.run.folder,
        wanted=len(data.names),
        done=seen.done,
        holes=tuple(seen.holes),
        failures=tuple(seen.failures),
        left=tuple(seen.left),
        owners={owner: tuple(own) for owner, own in owners.items()},
        costs=costs,
        disk=disk_of(store.run_folder(data.label, seen.run.folder)),
    )
