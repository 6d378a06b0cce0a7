"""Several stores as one: what differs under the same name is named, never silently one of them.

Files are copied byte for byte, with their seals, after they were read and found whole. The first store that has one
gives it; another's copy must say the same: the same boxes, the same annotation, the same benchmark. Nothing is written
where something does not, until it is said whose copy is meant; a killed merge continues with the same command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from inmo.boxes import rows_differ
from inmo.datasets.base import Hole
from inmo.errors import UserError
from inmo.harness.store.reading import Reading
from inmo.harness.store.records import Result, Run, StoredDataset
from inmo.harness.store.store import NOT_RUN, Store
from inmo.whole_files import place

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
    results: dict[Path, int] = field(default_factory=dict)
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
        kept: list[tuple[Store, StoredDataset]] = []
        for store in stores:
            data = self.reading.tried(partial(store.dataset, self.label)) if self.label in store.datasets() else None
            if data is None:
                continue
            if kept and (differ := _unlike(kept[0][1], data)):
                self._clash(f"{self.label}", kept[0][0], store, differ)
            else:
                kept.append((store, data))
        self.found.datasets += kept
        names = dict.fromkeys(name for _, data in kept for name in data.names)
        truths = {name: self._truth(name, [s for s, data in kept if name in data.names]) for name in names}
        for folder in dict.fromkeys(folder for store, _ in kept for folder in store.folders(self.label)):
            self._run(folder, [store for store, _ in kept if folder in store.folders(self.label)], truths)

    def _truth(self, name: str, stores: Sequence[Store]) -> str:
        """Copy a sequence's ground truth; its fingerprint, empty where no store has it."""
        kept: tuple[Store, str] | None = None
        for store in stores:
            sequence = self.reading.tried(partial(store.sequence, self.label, name))
            if sequence is None:
                continue
            print_ = sequence.annotation.fingerprint()
            if kept is None:
                kept = store, print_
                self._copy(store, store.sequence_file(self.label, name))
            elif kept[1] != print_:
                self._clash(f"{self.label}, {name}", kept[0], store, "the annotations differ")
        return kept[1] if kept else ""

    def _run(self, folder: str, stores: Sequence[Store], truths: dict[str, str]) -> None:
        runs = [(s, run) for s in stores if (run := self.reading.tried(partial(s.run, self.label, folder)))]
        if not runs:
            return
        self.found.runs += [(self.label, replace(run, label=runs[0][1].label)) for _, run in runs]
        for name, fingerprint in truths.items():
            self._result(runs, name, fingerprint)
        self._server(runs)

    def _result(self, runs: Sequence[tuple[Store, Run]], name: str, fingerprint: str) -> None:
        """Copy a result, else why there is none."""
        kept: tuple[Store, Result] | None = None
        holes: list[tuple[Store, Path]] = []
        again = False
        for store, run in runs:
            result = self.reading.tried(partial(store.result, self.label, run, name))
            path = store.result_file(self.label, run.folder, name)
            if isinstance(result, Hole):
                holes += [(store, path.with_suffix(".hole.json"))] if result.reason != NOT_RUN else []
            elif result is None:
                continue
            elif fingerprint and result.provenance.get("annotation") != fingerprint:
                self.found.outdated += 1
            elif kept is None:
                kept = store, result
                self.found.results[store.root] = self.found.results.get(store.root, 0) + 1
                self._copy(store, path)
            elif differ := _boxes_differ(kept[1], result):
                self._clash(f"{self.label}, {run.label or run.title}, {name}", kept[0], store, differ)
            else:
                again = True
        self.found.same += again
        if kept is None and holes:
            self._copy(*holes[0])

    def _server(self, runs: Sequence[tuple[Store, Run]]) -> None:
        kept: tuple[Store, dict[str, Any]] | None = None
        for store, run in runs:
            score = self.reading.tried(partial(store.server_score, self.label, run))
            if score is None:
                continue
            if kept is None:
                kept = store, score
                self._copy(store, store.run_folder(self.label, run.folder) / "server.json")
            elif kept[1] != score:
                self._clash(f"{self.label}, {run.label or run.title}", kept[0], store, "the server's scores differ")

    def _copy(self, store: Store, path: Path) -> None:
        into = self.found.into.root
        if store.root.resolve() != into.resolve():
            target = into / path.relative_to(store.root)
            self.found.copies[target] = path, store.root.resolve() == self.first

    def _clash(self, what: str, one: Store, other: Store, differ: str) -> None:
        decided = one.root.resolve() == self.first
        (self.found.decided if decided else self.found.conflicts).append(Conflict(what, (one.root, other.root), differ))


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
