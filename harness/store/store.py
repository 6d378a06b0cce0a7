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
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Dataset, Hole, Sequence, fingerprint
from inmo.errors import UserError
from inmo.harness.store.claims import sweep_claims
from inmo.locks import locked
from inmo.whole_files import fitting, read_facts, read_json, read_table, sweep, write_json, write_table

PARTS = ("read", "pre", "network", "post", "track")
BOX = ("x", "y", "w", "h")
LOCK = ".lock"
LONGEST = 200
RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
"""What Windows keeps for devices, whatever follows after a dot."""


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
class Store:
    """A folder of results; see the module's text for its layout."""

    root: Path

    # ---- writing

    def put_dataset(self, dataset: Dataset, names: tuple[str, ...]) -> None:
        """Note what a dataset is and which of its sequences are wanted; earlier wanted ones stay.

        A benchmark may move to another root: its annotations decide what must be run again. Raises UserError when the
        store holds another benchmark, or another folder of own sequences, under the same label.
        """
        with locked(self._file(dataset.label, LOCK)):  # names wanted by two runs at once must not be lost
            self._put_dataset(dataset, names)

    def _put_dataset(self, dataset: Dataset, names: tuple[str, ...]) -> None:
        row, unwanted = dataset.benchmark, {s.name for s in dataset.sequences}
        root = str(Path(dataset.root).resolve())
        if self._file(dataset.label, "dataset.json").exists():
            earlier = self.dataset(dataset.label)
            if earlier.label != dataset.label:
                raise UserError(
                    f"the disk of the store {self.root} does not tell the names {earlier.label} and {dataset.label} "
                    "apart: give one of them another name (BENCHMARK:NAME=ROOT), or use another store"
                )
            if earlier.benchmark != row.name or (not row.table and earlier.root != root):
                raise UserError(
                    f"the store {self.root} already holds '{dataset.label}' from {earlier.root}: give {dataset.root} a "
                    f"name of its own ({row.name}:NAME=ROOT), or use another store"
                )
            names = tuple(s.name for s in dataset.sequences if s.name in {*names, *earlier.names})
        unwanted -= set(names)
        holes = dataset.holes + tuple(Hole(n, "not asked for (--sequences)") for n in sorted(unwanted))
        stored = StoredDataset(
            label=dataset.label,
            benchmark=row.name,
            title=row.title if dataset.label == row.name else dataset.label,
            protocol=row.protocol,
            origin=row.origin,
            root=root,
            names=names,
            holes=holes,
            attributes=dict(row.attributes),
            ground_truth=row.ground_truth,
        )
        if _blind(self._file(dataset.label, LOCK)) and (pair := _same_file(names)):
            raise UserError(
                f"the disk of the store {self.root} does not tell {pair[0]} from {pair[1]}, sequences of "
                f"{dataset.label}: choose a --store on a disk where case counts, or leave one out with --sequences"
            )
        write_json(self._file(dataset.label, "dataset.json"), asdict(stored))

    def put_sequence(self, label: str, sequence: Sequence, annotation: Annotation) -> None:
        """Keep the ground truth of a sequence beside its results; written anew only when it changed."""
        path = self._file(label, "sequences", file_name(sequence.name) + ".parquet")
        facts = {
            "name": sequence.name,
            "attributes": list(sequence.attributes),
            "first_only": sequence.first_only,
            "fingerprint": annotation.fingerprint(),
        } | ({"before": _numbers(annotation.before)} if len(annotation.before) else {})
        others, reason = _others(sequence)
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
            earlier = self._run(path)
            more = tuple(mark for mark in run.tuned if mark not in earlier.tuned)
            if not more and run.label in ("", earlier.label):
                return
            run = replace(run, label=run.label or earlier.label, tuned=earlier.tuned + more)
        write_json(path, asdict(run))

    def put_result(self, label: str, run: Run, sequence: str, result: Result) -> bool:
        """Store a result; True when it is this one that now stands, False when another was there first."""
        path = self._result(label, run, sequence)
        columns = dict(zip(BOX, result.boxes.T, strict=True)) | {"score": result.scores} | dict(result.seconds)
        placed = write_table(path, columns, {**result.provenance, "rows": len(result.boxes)}, keep_first=True)
        path.with_suffix(".hole.json").unlink(missing_ok=True)
        return placed

    def put_hole(self, label: str, run: Run, hole: Hole) -> None:
        """Note why a sequence has no result. A later result removes the note."""
        write_json(self._result(label, run, hole.sequence).with_suffix(".hole.json"), asdict(hole))

    def put_server_score(self, label: str, run: Run, score: Mapping[str, Any]) -> None:
        """Keep what a server said of this run's submission: success, precision, norm_precision (0..1) and source."""
        write_json(self._file(label, "runs", run.folder, "server.json"), score)

    def drop_result(self, label: str, run: Run, sequence: str) -> None:
        """Forget a result that no longer fits the data."""
        self._result(label, run, sequence).unlink(missing_ok=True)

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
        path = self._file(label, "sequences", file_name(name) + ".parquet")
        table, facts = read_table(path)
        with fitting(path):
            return self._sequence(table, facts)

    @staticmethod
    def _sequence(table: pa.Table, facts: Mapping[str, Any]) -> StoredSequence:
        absent = table["absent"].to_numpy() if "absent" in table.column_names else None
        before = np.array(facts.get("before", ()), dtype=np.float64).reshape(-1, 4)
        annotation = Annotation(_boxes(table), absent, before)
        kept = facts.get("others", {"count": 0, "reason": ""})
        others = [_boxes(table, str(k + 1)) for k in range(kept["count"])]
        return StoredSequence(
            facts["name"],
            annotation,
            tuple(facts["attributes"]),
            facts["first_only"],
            np.stack(others) if others else np.zeros((0, len(annotation), 4)),
            kept["reason"],
        )

    def runs(self, label: str) -> tuple[Run, ...]:
        """The runs on a dataset, sorted by tracker and hash."""
        return tuple(self._run(p) for p in sorted(self._file(label, "runs").glob("*/run.json")))

    def result(self, label: str, run: Run, sequence: str) -> Result | Hole:
        """A result, or the hole in its place with the reason. Raises UserError for a damaged file."""
        path = self._result(label, run, sequence)
        if not path.exists():
            note = path.with_suffix(".hole.json")
            with fitting(note):
                return Hole(**read_json(note)) if note.exists() else Hole(sequence, "not run yet")
        table, facts = read_table(path)
        if table.num_rows != facts.get("rows"):
            raise UserError(f"{path} has {table.num_rows} rows instead of {facts.get('rows')}: delete it and run again")
        with fitting(path):
            columns = {name: table[name].to_numpy().astype(np.float64, copy=False) for name in table.column_names}
            seconds = {part: columns[part] for part in PARTS if part in columns}
            return Result(np.stack([columns[c] for c in BOX], axis=1), columns["score"], seconds, facts)

    def result_facts(self, label: str, run: Run, sequence: str) -> dict[str, Any] | None:
        """Provenance of a finished result without its rows; None when there is none."""
        path = self._result(label, run, sequence)
        return read_facts(path) if path.exists() else None

    def server_score(self, label: str, run: Run) -> dict[str, Any] | None:
        """What the server said, or None when nothing was entered."""
        path = self._file(label, "runs", run.folder, "server.json")
        return read_json(path) if path.exists() else None

    # ---- places

    def _file(self, label: str, *parts: str) -> Path:
        return self.root.joinpath(file_name(label), *parts)

    def _result(self, label: str, run: Run, sequence: str) -> Path:
        return self._file(label, "runs", run.folder, file_name(sequence) + ".parquet")

    def _run(self, path: Path) -> Run:
        with fitting(path):
            values = dict(read_json(path))
            return Run(**values | {"tuned": tuple(values.get("tuned", ()))})


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


def display_names(runs: tuple[Run, ...]) -> dict[str, str]:
    """Run folder -> the name to print: the label, else the title; with the hash where two would be alike."""
    return _told_apart([(run, run.label or run.title) for run in runs], "{} [{}]")


def export_names(runs: tuple[Run, ...]) -> dict[str, str]:
    """Run folder -> the folder name in exports: label or registry name, with the hash where two would be alike."""
    return _told_apart([(run, run.label or run.tracker) for run in runs], "{}-{}")


def _told_apart(names: list[tuple[Run, str]], pattern: str) -> dict[str, str]:
    counts = Counter(name for _, name in names)
    return {run.folder: pattern.format(name, run.hash[:6]) if counts[name] > 1 else name for run, name in names}


def _numbers(boxes: Boxes) -> list[list[float | None]]:
    """Boxes for a file's facts, NaN as None: facts are compared, and NaN equals nothing."""
    return [[None if np.isnan(value) else value for value in row] for row in boxes.tolist()]


def _boxes(table: pa.Table, suffix: str = "") -> Boxes:
    return np.stack([table[c + suffix].to_numpy() for c in BOX], axis=1)


def _others(sequence: Sequence) -> tuple[Boxes, str]:
    """Boxes of other targets, and why there are none where one cannot be read: that is no reason not to track."""
    nothing = np.zeros((0, 0, 4))
    try:
        return (sequence.others() if sequence.others is not None else nothing), ""
    except UserError as error:
        return nothing, str(error)
