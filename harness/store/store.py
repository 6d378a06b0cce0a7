"""The result store: a folder that holds, per dataset, the ground truth that was used and what each tracker gave.

    STORE/<dataset>/dataset.json                     what the dataset is, which sequences it has, what is missing
    STORE/<dataset>/sequences/<sequence>.parquet     annotation and attributes
    STORE/<dataset>/runs/<tracker>-<hash>/run.json   tracker, config, label
    STORE/<dataset>/runs/<tracker>-<hash>/<sequence>.parquet     one row per frame, provenance in its metadata
    STORE/<dataset>/runs/<tracker>-<hash>/<sequence>.hole.json   why there is no result
    STORE/<dataset>/runs/<tracker>-<hash>/server.json            what an evaluation server said of a submission
    STORE/.claims/                                   what is under way, see ``claims``

A report needs nothing else: no annotations, no images. Boxes are stored in the numbers of the benchmark's files
(its own origin), so that scoring and export take them as they stand.

A file is complete because it was renamed into place; nobody ever opens a half-written one. It carries a seal
(``inmo.seals``), and whoever reads it is told when it is not what was written. Two writers of the same
result may race: the first one wins, the second one's copy is dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from math import isnan
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pyarrow as pa

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Dataset, Hole, Sequence, fingerprint
from inmo.errors import UserError
from inmo.harness.store.claims import sweep_claims
from inmo.harness.store.records import Result, Run, StoredDataset, StoredSequence
from inmo.locks import locked
from inmo.whole_files import fitting, read_facts, read_json, read_table, sweep, write_json, write_table

PARTS = ("read", "pre", "network", "post", "track")
BOX = ("x", "y", "w", "h")
LOCK = ".lock"
NOT_RUN = "not run yet"
LONGEST = 200
RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
"""What Windows keeps for devices, whatever follows after a dot."""


@dataclass(frozen=True)
class Store:
    """A folder of results; see the module's text for its layout."""

    root: Path

    # ---- writing

    def put_dataset(self, dataset: Dataset, names: tuple[str, ...]) -> None:
        """Note what a dataset is and which of its sequences are wanted; earlier wanted ones stay.

        A benchmark may move to another root: its annotations decide what must be run again. Raises UserError when the
        store holds another benchmark, or another folder of own sequences, under the same label.
        """
        row, root = dataset.benchmark, str(Path(dataset.root).resolve())
        with locked(self._file(dataset.label, LOCK)):  # names wanted by two runs at once must not be lost
            if self._file(dataset.label, "dataset.json").exists():
                earlier = self.dataset(dataset.label)
                if earlier.label != dataset.label:
                    raise UserError(
                        f"the disk of the store {self.root} does not tell the names {earlier.label} and "
                        f"{dataset.label} apart: give one of them another name (BENCHMARK:NAME=ROOT), or use another "
                        "store"
                    )
                if earlier.benchmark != row.name or (not row.table and earlier.root != root):
                    raise UserError(
                        f"the store {self.root} already holds '{dataset.label}' from {earlier.root}: give "
                        f"{dataset.root} a name of its own ({row.name}:NAME=ROOT), or use another store"
                    )
                names = tuple(s.name for s in dataset.sequences if s.name in {*names, *earlier.names})
            unwanted = sorted({s.name for s in dataset.sequences} - set(names))
            stored = StoredDataset(
                label=dataset.label,
                benchmark=row.name,
                title=row.title if dataset.label == row.name else dataset.label,
                protocol=row.protocol,
                origin=row.origin,
                root=root,
                names=names,
                holes=dataset.holes + tuple(Hole(name, "not asked for (--sequences)") for name in unwanted),
                attributes=dict(row.attributes),
                ground_truth=row.ground_truth,
            )
            self._write_dataset(stored)

    def _write_dataset(self, stored: StoredDataset) -> None:
        if _blind(self._file(stored.label, LOCK)) and (pair := _same_file(stored.names)):
            raise UserError(
                f"the disk of the store {self.root} does not tell {pair[0]} from {pair[1]}, sequences of "
                f"{stored.label}: choose a --store on a disk where case counts, or leave one out with --sequences"
            )
        write_json(self._file(stored.label, "dataset.json"), asdict(stored))

    def join_dataset(self, other: StoredDataset) -> None:
        """Add what another store knows of a dataset; see ``StoredDataset.joined``."""
        with locked(self._file(other.label, LOCK)):
            known = self._file(other.label, "dataset.json").exists()
            self._write_dataset(self.dataset(other.label).joined(other) if known else other)

    def put_sequence(self, label: str, sequence: Sequence, annotation: Annotation) -> None:
        """Keep the ground truth of a sequence beside its results; written anew only when it changed."""
        path = self.sequence_file(label, sequence.name)
        facts: dict[str, Any] = {
            "name": sequence.name,
            "attributes": list(sequence.attributes),
            "first_only": sequence.first_only,
            "fingerprint": annotation.fingerprint(),
        }
        if len(annotation.before):  # NaN as None: facts are compared, and NaN equals nothing
            facts["before"] = [[None if isnan(v) else v for v in row] for row in annotation.before.tolist()]
        others, reason = np.zeros((0, 0, 4)), ""
        try:
            others = others if sequence.others is None else sequence.others()
        except UserError as error:  # boxes of other targets that cannot be read are no reason not to track
            reason = str(error)
        if len(others) or reason:
            facts["others"] = {"count": len(others), "fingerprint": fingerprint(others), "reason": reason}
        if path.exists() and read_facts(path) == facts:
            return
        columns: dict[str, Any] = dict(zip(BOX, annotation.boxes.T, strict=True))
        if annotation.absent is not None:
            columns["absent"] = annotation.absent
        for k, boxes in enumerate(others):
            columns |= {f"{name}{k + 1}": column for name, column in zip(BOX, boxes.T, strict=True)}
        write_table(path, columns, facts)

    def put_run(self, label: str, run: Run) -> None:
        """Note a tracker and its config. A label given later replaces the earlier one; what was tuned on stays."""
        path = self._file(label, "runs", run.folder, "run.json")
        if path.exists():
            earlier = self.run(label, run.folder)
            more = tuple(mark for mark in run.tuned if mark not in earlier.tuned)
            if not more and run.label in ("", earlier.label):
                return
            run = replace(run, label=run.label or earlier.label, tuned=earlier.tuned + more)
        write_json(path, asdict(run))

    def put_result(self, label: str, run: Run, sequence: str, result: Result) -> bool:
        """Store a result; True when it is this one that now stands, False when another was there first."""
        path = self.result_file(label, run.folder, sequence)
        columns = dict(zip(BOX, result.boxes.T, strict=True)) | {"score": result.scores} | dict(result.seconds)
        placed = write_table(path, columns, {**result.provenance, "rows": len(result.boxes)}, keep_first=True)
        path.with_suffix(".hole.json").unlink(missing_ok=True)
        return placed

    def put_hole(self, label: str, run: Run, hole: Hole) -> None:
        """Note why a sequence has no result. A later result removes the note."""
        write_json(self.result_file(label, run.folder, hole.sequence).with_suffix(".hole.json"), asdict(hole))

    def put_server_score(self, label: str, run: Run, score: Mapping[str, Any]) -> None:
        """Keep what a server said of this run's submission: success, precision, norm_precision (0..1) and source."""
        write_json(self._file(label, "runs", run.folder, "server.json"), score)

    def drop_result(self, label: str, run: Run, sequence: str) -> None:
        """Forget a result that no longer fits the data."""
        self.result_file(label, run.folder, sequence).unlink(missing_ok=True)

    # ---- reading

    def datasets(self) -> tuple[str, ...]:
        """Labels of the datasets in the store, sorted."""
        return tuple(sorted(unquote(p.parent.name) for p in self.root.glob("*/dataset.json")))

    def dataset(self, label: str) -> StoredDataset:
        """Raises UserError when the store has none of that label."""
        path = self._file(label, "dataset.json")
        if not path.exists():
            raise UserError(f"the store {self.root} holds no dataset '{label}'; it has: {', '.join(self.datasets())}")
        values = read_json(path)
        with fitting(path):
            values |= {"names": tuple(values["names"]), "holes": tuple(Hole(**h) for h in values["holes"])}
            return StoredDataset(**values)

    def sequence(self, label: str, name: str) -> StoredSequence:
        """Ground truth of one sequence. Raises UserError when it is missing or damaged."""
        path = self.sequence_file(label, name)
        table, facts = read_table(path)
        with fitting(path):
            absent = table["absent"].to_numpy() if "absent" in table.column_names else None
            before = np.array(facts.get("before", ()), dtype=np.float64).reshape(-1, 4)
            annotation = Annotation(_boxes(table), absent, before)
            kept = facts.get("others", {"count": 0, "reason": ""})
            others = np.zeros((kept["count"], len(annotation), 4))
            for k, boxes in enumerate(others):
                boxes[:] = _boxes(table, str(k + 1))
            attributes = tuple(facts["attributes"])
            return StoredSequence(facts["name"], annotation, attributes, facts["first_only"], others, kept["reason"])

    def folders(self, label: str) -> tuple[str, ...]:
        """The folders of the runs on a dataset (``Run.folder``), sorted by tracker and hash."""
        return tuple(path.parent.name for path in sorted(self._file(label, "runs").glob("*/run.json")))

    def run(self, label: str, folder: str) -> Run:
        """The run in one of ``folders``. Raises UserError when it is missing or damaged."""
        path = self._file(label, "runs", folder, "run.json")
        with fitting(path):
            values = dict(read_json(path))
            return Run(**values | {"tuned": tuple(values.get("tuned", ()))})

    def runs(self, label: str) -> tuple[Run, ...]:
        """The runs on a dataset, sorted by tracker and hash. Raises UserError for a damaged file."""
        return tuple(self.run(label, folder) for folder in self.folders(label))

    def result(self, label: str, run: Run, sequence: str) -> Result | Hole:
        """A result, or the hole in its place with the reason. Raises UserError for a damaged file."""
        path = self.result_file(label, run.folder, sequence)
        if not path.exists():
            note = path.with_suffix(".hole.json")
            with fitting(note):
                return Hole(**read_json(note)) if note.exists() else Hole(sequence, NOT_RUN)
        table, facts = read_table(path)
        if table.num_rows != facts.get("rows"):
            raise UserError(f"{path} has {table.num_rows} rows instead of {facts.get('rows')}: delete it and run again")
        with fitting(path):
            columns = {name: table[name].to_numpy().astype(np.float64, copy=False) for name in table.column_names}
            seconds = {part: columns[part] for part in PARTS if part in columns}
            return Result(np.stack([columns[c] for c in BOX], axis=1), columns["score"], seconds, facts)

    def result_facts(self, label: str, run: Run, sequence: str) -> dict[str, Any] | None:
        """Provenance of a finished result without its rows; None when there is none."""
        path = self.result_file(label, run.folder, sequence)
        return read_facts(path) if path.exists() else None

    def server_score(self, label: str, run: Run) -> dict[str, Any] | None:
        """What the server said, or None when nothing was entered."""
        path = self._file(label, "runs", run.folder, "server.json")
        return read_json(path) if path.exists() else None

    # ---- places

    def _file(self, label: str, *parts: str) -> Path:
        return self.root.joinpath(file_name(label), *parts)

    def folder(self, label: str) -> Path:
        """Where all of a dataset is."""
        return self._file(label)

    def run_folder(self, label: str, folder: str) -> Path:
        """Where the files of a run are."""
        return self._file(label, "runs", folder)

    def result_file(self, label: str, folder: str, sequence: str) -> Path:
        """Where a result of a run is; a hole's note beside it ends in ``.hole.json``."""
        return self.run_folder(label, folder) / f"{file_name(sequence)}.parquet"

    def sequence_file(self, label: str, name: str) -> Path:
        """Where the ground truth of a sequence is."""
        return self._file(label, "sequences", file_name(name) + ".parquet")


def open_store(path: str | Path, *, write: bool = False) -> Store:
    """Open a store; ``write`` creates the folder. Raises UserError when it is missing or cannot be written."""
    store = Store(Path(path).expanduser())
    if write:
        try:
            store.root.mkdir(parents=True, exist_ok=True)
            sweep(store.root)
            sweep_claims(store.root)
        except OSError as error:
            raise UserError(f"cannot write the store {store.root}: {error.strerror}; choose another --store") from error
    elif not store.datasets():
        raise UserError(f"{store.root} holds no results: give the folder that `track --store` wrote")
    return store


def file_name(name: str) -> str:
    """A name as a file name on any system: everything but letters, digits, ``-_~ ()`` and inner dots is escaped.

    Of more than 200 bytes, its beginning and its SHA-256.
    """
    escaped = quote(name, safe="~ ()")
    if len(escaped) > LONGEST:  # file systems end at 255 bytes, and temporary files and suffixes are longer
        escaped = f"{escaped[:80]}~{hashlib.sha256(name.encode()).hexdigest()}"
    if escaped[-1:] in (".", " "):  # Windows drops them
        escaped = escaped[:-1] + f"%{ord(escaped[-1]):02X}"
    if escaped.startswith(".") or escaped.partition(".")[0].rstrip().lower() in RESERVED:
        escaped = f"%{ord(escaped[0]):02X}" + escaped[1:]
    return escaped


def _blind(path: Path) -> bool:
    """Whether the file system takes names that differ in case alone for one, as those of Windows and macOS do; ``path``
    is a file there whose name is in lower case."""
    return path.with_name(path.name.upper()).exists()


def _same_file(names: Iterable[str]) -> tuple[str, str] | None:
    """Two names whose files would be one where case does not count; None where all differ."""
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(file_name(name).lower(), name)) != name:
            return other, name
    return None


def _boxes(table: pa.Table, suffix: str = "") -> Boxes:
    return np.stack([table[c + suffix].to_numpy() for c in BOX], axis=1)
