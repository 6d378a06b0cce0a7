"""Two stores compared: what each tracker's boxes and scores are in one and in the other, sequence by sequence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from inmo.boxes import rows_differ
from inmo.datasets.base import Hole
from inmo.errors import UserError
from inmo.harness.store.reading import Reading
from inmo.harness.store.records import Result, Run, StoredDataset, StoredSequence, display_names
from inmo.harness.store.store import Store
from inmo.reports.scoring.failures import frame_overlaps, seen
from inmo.reports.scoring.raw import score_sequence
from inmo.reports.scoring.statistics import Pair, paired

FACTS = {"code": "versions", "device": "device", "lanes": "lanes"}
"""What else may have made boxes differ: how it is called -> where a result's provenance has it."""


@dataclass(frozen=True)
class Change:
    """One sequence that both stores have with the same annotation.

    Attributes:
        before, after: success AUC; None where only the first frame is annotated, or the protocol refuses.
        frames: how many there are; differ: how many boxes are not the same to the last bit, or that one has alone.
        start: the first of them; worst: the one in which the overlap with the target changed most.
    """

    sequence: str
    before: float | None
    after: float | None
    frames: int
    differ: int = 0
    start: int = 0
    worst: int = 0

    @property
    def difference(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True)
class RunChange:
    """A tracker on a dataset in both stores.

    Attributes:
        dataset: as the second store knows it; tracker: display name there; runs: the two.
        changes: the sequences that both have, in the dataset's order.
        only: sequences with a result in the first store alone, and in the second alone.
        redrawn: sequences whose annotation is another, which are not compared.
        facts: what else is not the same: a setting, code, device -> its values in the first and the second store.
        pair: second less first over ``changes``; None where none is scored.
    """

    dataset: StoredDataset
    tracker: str
    runs: tuple[Run, Run]
    changes: tuple[Change, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    redrawn: tuple[str, ...] = ()
    facts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    pair: Pair | None = None

    @property
    def changed(self) -> tuple[Change, ...]:
        """The sequences whose boxes differ, those whose AUC moved most first."""
        found = [change for change in self.changes if change.differ]
        return tuple(sorted(found, key=lambda c: (-abs(c.difference or 0.0), -c.differ, c.sequence)))


@dataclass(frozen=True)
class Comparison:
    """All runs that two stores have in common, what one has alone, and the files that cannot be read."""

    stores: tuple[Store, Store]
    runs: tuple[RunChange, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]
    damaged: tuple[str, ...]

    @property
    def largest_first(self) -> list[tuple[RunChange, Change]]:
        """The sequences whose boxes changed, the largest changes of AUC first."""
        every = [(run, change) for run in self.runs for change in run.changed]
        return sorted(every, key=lambda each: (-abs(each[1].difference or 0.0), -each[1].differ))


def compare_stores(
    first: Store, second: Store, *, trackers: Collection[str] = (), datasets: Collection[str] = ()
) -> Comparison:
    """Match runs by their config's hash, else by the name in tables where one of each store has it, and compare them.

    Args:
        first, second: "before" and "after".
        trackers, datasets: only these names in tables, and labels; all when empty.

    Raises UserError when nothing is left to compare.
    """
    reading, found = Reading(), list[RunChange | None]()
    only: tuple[list[str], list[str]] = ([], [])
    for label in dict.fromkeys([*first.datasets(), *second.datasets()]):
        if datasets and label not in datasets:
            continue
        have = [_runs(store, label, reading) for store in (first, second)]
        pairs = _matched(*have)
        for side in (0, 1):
            names = display_names(tuple(have[side].values()))
            gone = [names[f] for f in have[side] if f not in {pair[side].folder for pair in pairs}]
            only[side].extend(f"{name} on {label}" for name in gone if not trackers or name in trackers)
        names = display_names(tuple(have[1].values()))
        wanted = [pair for pair in pairs if not trackers or names[pair[1].folder] in trackers]
        found += [_compare((first, second), label, pair, names[pair[1].folder], reading) for pair in wanted]
    runs = [run for run in found if run is not None]
    if not runs:
        raise UserError(
            f"{first.root} and {second.root} have no tracker on a dataset in common"
            f"{' among those asked for' if trackers or datasets else ''}: see `status` of each"
        )
    differences = {
        (f"{run.tracker} on {run.dataset.label}", ""): {
            f"{run.dataset.label}/{c.sequence}": c.difference for c in run.changes if c.difference is not None
        }
        for run in runs
    }
    judged = {pair.first: pair for pair in paired(differences)}
    whole = tuple(replace(run, pair=judged.get(f"{run.tracker} on {run.dataset.label}")) for run in runs)
    return Comparison((first, second), whole, (tuple(only[0]), tuple(only[1])), tuple(dict.fromkeys(reading.damaged)))


def _runs(store: Store, label: str, reading: Reading) -> dict[str, Run]:
    if label not in store.datasets():
        return {}
    found = (reading.tried(partial(store.run, label, folder)) for folder in store.folders(label))
    return {run.folder: run for run in found if run is not None}


def _matched(first: Mapping[str, Run], second: Mapping[str, Run]) -> list[tuple[Run, Run]]:
    """Runs of the same config; of the others those whose name is the same and nobody else's."""
    pairs = {folder: (first[folder], second[folder]) for folder in second if folder in first}
    left = [[run for folder, run in own.items() if folder not in pairs] for own in (first, second)]
    for run in left[1]:
        name = run.label or run.title
        alike = [[other for other in own if (other.label or other.title) == name] for own in left]
        if len(alike[0]) == len(alike[1]) == 1:
            pairs[run.folder] = (alike[0][0], run)
    return [pairs[folder] for folder in second if folder in pairs]


def _compare(
    stores: tuple[Store, Store], label: str, runs: tuple[Run, Run], tracker: str, reading: Reading
) -> RunChange | None:
    known = [reading.tried(partial(store.dataset, label)) for store in stores]
    if known[0] is None or known[1] is None:
        return None
    changes, redrawn = [], []
    only: tuple[list[str], list[str]] = ([], [])
    facts: dict[str, tuple[set[str], set[str]]] = {fact: (set(), set()) for fact in FACTS}
    for name in known[0].joined(known[1]).names:
        before, after = (
            reading.tried(partial(store.result, label, run, name)) for store, run in zip(stores, runs, strict=True)
        )
        if not (isinstance(before, Result) and isinstance(after, Result)):
            for side, (own, other) in enumerate(((before, after), (after, before))):
                if isinstance(own, Result) and isinstance(other, Hole):
                    only[side].append(name)
            continue
        truths = [reading.tried(partial(store.sequence, label, name)) for store in stores]
        if truths[0] is None or truths[1] is None:
            continue
        if truths[0].annotation.fingerprint() != truths[1].annotation.fingerprint():
            redrawn.append(name)
            continue
        changes.append(_change(known[1], truths[1], before, after))
        for fact, key in FACTS.items():
            for side, result in enumerate((before, after)):
                facts[fact][side].add(_fact(result.provenance, key))
    told = {key: (", ".join(sorted(a)), ", ".join(sorted(b))) for key, (a, b) in facts.items() if a != b}
    for key in sorted(runs[0].identity.keys() | runs[1].identity.keys()):
        a, b = (run.identity.get(key, "none") for run in runs)
        if a != b:
            told[key] = _setting(a), _setting(b)
    return RunChange(known[1], tracker, runs, tuple(changes), (tuple(only[0]), tuple(only[1])), tuple(redrawn), told)


def _change(data: StoredDataset, truth: StoredSequence, before: Result, after: Result) -> Change:
    name, count = truth.name, max(len(before.boxes), len(after.boxes))
    both = min(len(before.boxes), len(after.boxes))
    a, b = before.boxes[:both], after.boxes[:both]
    differ = np.ones(count, dtype=bool)
    differ[:both] = rows_differ(a, b)
    was, is_ = (None if truth.first_only else _auc(data, truth, result) for result in (before, after))
    if not differ.any():
        return Change(name, was, is_, count)
    moved = differ.astype(np.float64) * 1e-9  # a frame that differs, where no overlap does
    if not truth.first_only:
        rows = min(both, len(truth.annotation))
        boxes = seen(truth.annotation)[:rows]
        moved[:rows] += np.nan_to_num(np.abs(frame_overlaps(b[:rows], boxes) - frame_overlaps(a[:rows], boxes)))
    return Change(name, was, is_, count, int(differ.sum()), int(differ.argmax()), int(moved.argmax()))


def _auc(data: StoredDataset, truth: StoredSequence, result: Result) -> float | None:
    try:
        return score_sequence(result.whole, truth.annotation, data.protocol, data.benchmark, truth.name).success_auc
    except UserError:  # the protocol refuses
        return None


def _fact(provenance: Mapping[str, Any], key: str) -> str:
    value = provenance.get(key, "unknown")
    return str(value.get("code", "unknown") if isinstance(value, Mapping) else value)


def _setting(value: Any) -> str:
    """A config value in words; of a file, the beginning of its checksum."""
    return f"SHA-256 {value['sha256'][:12]}" if isinstance(value, Mapping) and "sha256" in value else str(value)
