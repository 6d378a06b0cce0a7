"""Several stores as one: what differs under the same name is named, never silently one of them.

Files are copied byte for byte, with their seals, after they were read and found whole. The first store that has one
gives it; another's copy must say the same: the same boxes, the same annotation, the same benchmark. Nothing is written
where something does not, until it is said whose copy is meant; a killed merge continues with the same command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from inmo.boxes import rows_differ
from inmo.datasets.base import Hole
from inmo.errors import UserError
from inmo.harness.store.reading import Reading
from inmo.harness.store.records import Result, Run, StoredDataset
from inmo.harness.store.store import NOT_RUN, Store
from inmo.whole_files import place

T = TypeVar("T")
SAME_FACTS = ("benchmark", "protocol", "origin", "ground_truth")
"""Of a dataset, what must be the same in all stores; roots differ from machine to machine."""


@dataclass(frozen=True)
class Conflict:
    """One name for two things: ``what`` it is, in which two stores, and how they differ."""

    what: str
    stores: tuple[Path, Path]
    differ: str

    @property
    def words(self) -> str:
        return f"{self.what}: {self.differ}; in {self.stores[0]} and {self.stores[1]}"


@dataclass
class Merge:
    """What a merge is to do, and what was found on the way.

    Attributes:
        into: the store that is written.
        conflicts: those that nobody has decided; decided: those in which the preferred store's copy is taken.
        results: store -> how many results it gives; same: how many are in several stores with the same boxes.
        outdated: results left out, as they were made with another annotation than the one their store has now.
        damaged: a sentence for every file that cannot be read; it is left out.
    """

    into: Store
    conflicts: list[Conflict] = field(default_factory=list)
    decided: list[Conflict] = field(default_factory=list)
    results: Counter[Path] = field(default_factory=Counter)
    same: int = 0
    outdated: int = 0
    damaged: list[str] = field(default_factory=list)
    datasets: list[tuple[Store, StoredDataset]] = field(default_factory=list)
    runs: list[tuple[str, Run]] = field(default_factory=list)
    copies: dict[Path, tuple[Path, bool]] = field(default_factory=dict)
    """Place in ``into`` -> the file that comes there, and whether it takes the place of another."""


def plan_merge(stores: Sequence[Store], into: Store, prefer: Path | None = None) -> Merge:
    """Read all stores and compare what they have in common. Nothing is written.

    Args:
        stores: where results are; the folder of ``into`` is one more where it holds some.
        prefer: of two things of one name, the one in this store is taken.

    Raises UserError for a preferred store that is none of them.
    """
    sources = {store.root.resolve(): store for store in ([into] if into.datasets() else []) + list(stores)}
    if prefer is not None and prefer.resolve() not in sources:
        raise UserError(f"--prefer {prefer}: it is none of the stores, {', '.join(map(str, sources))}")
    first = prefer.resolve() if prefer is not None else None
    ordered = [store for _, store in sorted(sources.items(), key=lambda item: item[0] != first)]  # stable
    found, reading = Merge(into), Reading()
    for label in dict.fromkeys(label for store in ordered for label in store.datasets()):
        _Dataset(found, reading, label, first).take(ordered)
    found.damaged = reading.damaged
    return found


def write_merge(found: Merge) -> None:
    """Carry a merge out. Raises UserError when a disk is full, or another wrote something else there meanwhile."""
    for store, data in found.datasets:
        if store.root != found.into.root:
            found.into.join_dataset(data)
    for label, run in found.runs:
        found.into.put_run(label, run)
    for target, (source, instead) in found.copies.items():
        copy = source.read_bytes()
        if not place(target, copy, keep_first=not instead) and target.read_bytes() != copy:
            raise UserError(f"{target} was written by another meanwhile: merge again, to compare it")
        if target.suffix == ".parquet":  # a result stands for itself
            target.with_suffix(".hole.json").unlink(missing_ok=True)


@dataclass(frozen=True)
class _Dataset:
    """One dataset of the merge. ``first``: the preferred store's folder."""

    found: Merge
    reading: Reading
    label: str
    first: Path | None

    def take(self, stores: Sequence[Store]) -> None:
        holding = [store for store in stores if self.label in store.datasets()]
        datasets = [(store, self.label, self.reading.tried(store.dataset, self.label)) for store in holding]
        kept = self._agreeing(datasets, _unlike)
        self.found.datasets += kept
        names = dict.fromkeys(name for _, data in kept for name in data.names)
        truths = {name: self._truth(name, [s for s, data in kept if name in data.names]) for name in names}
        for folder in dict.fromkeys(folder for store, _ in kept for folder in store.folders(self.label)):
            self._run(folder, [store for store, _ in kept if folder in store.folders(self.label)], truths)

    def _truth(self, name: str, stores: Sequence[Store]) -> str:
        """Copy a sequence's ground truth; its fingerprint, empty where no store has it."""
        sequences = [(store, self.reading.tried(store.sequence, self.label, name)) for store in stores]
        what = f"{self.label}, {name}"
        prints = [(store, what, data.annotation.fingerprint() if data else None) for store, data in sequences]
        kept = self._agreeing(prints, lambda one, other: "the annotations differ" if one != other else "")
        if not kept:
            return ""
        self._copy(kept[0][0], kept[0][0].sequence_file(self.label, name))
        return kept[0][1]

    def _run(self, folder: str, stores: Sequence[Store], truths: dict[str, str]) -> None:
        runs = [(s, run) for s in stores if (run := self.reading.tried(s.run, self.label, folder))]
        if not runs:
            return
        self.found.runs += [(self.label, replace(run, label=runs[0][1].label)) for _, run in runs]
        for name, fingerprint in truths.items():
            self._result(folder, runs, name, fingerprint)
        scores = [
            (store, f"{self.label}, {run.label or run.title}", self.reading.tried(store.server_score, self.label, run))
            for store, run in runs
        ]
        kept = self._agreeing(scores, lambda one, other: "the server's scores differ" if one != other else "")
        if kept:
            self._copy(kept[0][0], kept[0][0].run_folder(self.label, folder) / "server.json")

    def _result(self, folder: str, runs: Sequence[tuple[Store, Run]], name: str, fingerprint: str) -> None:
        """Copy a result, else why there is none."""
        found: list[tuple[Store, str, Result]] = []
        holes: list[tuple[Store, Path]] = []
        for store, run in runs:
            result = self.reading.tried(store.result, self.label, run, name)
            if isinstance(result, Hole):
                path = store.result_file(self.label, folder, name).with_suffix(".hole.json")
                holes += [(store, path)] if result.reason != NOT_RUN else []
            elif result is not None and fingerprint and result.provenance.get("annotation") != fingerprint:
                self.found.outdated += 1
            elif result is not None:
                found.append((store, f"{self.label}, {run.label or run.title}, {name}", result))
        kept = [store for store, _ in self._agreeing(found, _boxes_differ)]
        if kept:
            self.found.results[kept[0].root] += 1
            self.found.same += len(kept) > 1
            self._copy(kept[0], kept[0].result_file(self.label, folder, name))
        elif holes:
            self._copy(*holes[0])

    def _agreeing(
        self, found: Iterable[tuple[Store, str, T | None]], differ: Callable[[T, T], str]
    ) -> list[tuple[Store, T]]:
        """Of stores, each with what something is called and what it has there: those that have the same as the first.

        The others clash with it, in the words of ``differ``; those that have nothing are left out.
        """
        kept: list[tuple[Store, T]] = []
        for store, what, value in found:
            if value is None:
                continue
            if kept and (words := differ(kept[0][1], value)):
                first = kept[0][0].root
                clashes = self.found.decided if first.resolve() == self.first else self.found.conflicts
                clashes.append(Conflict(what, (first, store.root), words))
            else:
                kept.append((store, value))
        return kept

    def _copy(self, store: Store, path: Path) -> None:
        into = self.found.into.root
        if store.root.resolve() != into.resolve():
            target = into / path.relative_to(store.root)
            self.found.copies[target] = path, store.root.resolve() == self.first


def _unlike(one: StoredDataset, other: StoredDataset) -> str:
    facts = [(key, getattr(one, key), getattr(other, key)) for key in SAME_FACTS]
    return "; ".join(f"the {key.replace('_', ' ')} is {a} and {b}" for key, a, b in facts if a != b)


def _boxes_differ(one: Result, other: Result) -> str:
    """How two results differ, and who made them; empty where their boxes are the same."""
    if len(one.boxes) != len(other.boxes):
        return f"{len(one.boxes)} and {len(other.boxes)} boxes ({_maker(one)}; {_maker(other)})"
    rows = rows_differ(one.boxes, other.boxes)
    if not rows.any():
        return ""
    apart = np.abs(one.boxes - other.boxes)[rows]
    most = f"by up to {np.nanmax(apart):.3g} px" if np.isfinite(apart).any() else "in what is a number"
    return (
        f"boxes differ in {rows.sum()} of {len(rows)} frames from frame {int(rows.argmax())} on, {most} "
        f"({_maker(one)}; {_maker(other)})"
    )


def _maker(result: Result) -> str:
    facts = result.provenance
    code = facts.get("versions", {}).get("code", "")
    return " ".join(str(part) for part in (facts.get("date", "no date"), facts.get("device", ""), code) if part)
