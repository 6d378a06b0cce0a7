"""Writing results as the raw files of other toolkits. What a file looks like is a row of ``recorded.formats``."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets import DATASETS
from inmo.datasets import benchmark as benchmark_row
from inmo.datasets.base import ROOT_TABLE, Hole, read_table
from inmo.errors import UserError
from inmo.harness.store.records import Result, Run, export_names
from inmo.harness.store.store import Store
from inmo.trackers.recorded.formats import GOT10K_FAMILY, Format, encode_values, result_format

SHOWN = 8  # names in a message
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def write_results(
    out: Path,
    format_name: str,
    dataset_label: str,
    benchmark_name: str,
    tracker: str,
    sequence_name: str,
    boxes: Boxes,
    times: NDArray[np.float64] | None = None,
    scores: NDArray[np.float64] | None = None,
) -> list[Path]:
    """Write one result.

    Args:
        out: the output folder.
        format_name: key of ``recorded.formats.FORMATS``.
        dataset_label, benchmark_name: the dataset's folder name, and what it is.
        tracker, sequence_name: for the path.
        boxes: (n, 4) x, y, w, h in the numbers of the benchmark's files, one per frame.
        times: (n,) seconds per frame, the first that of the initialisation; left out when None.
        scores: (n,) confidences; left out when None or NaN throughout.

    Returns:
        the files written. Raises UserError for an unknown format or a folder that cannot be written.
    """
    row = result_format(format_name)
    names = {
        "dataset": _part(dataset_label),
        "tracker": _part(tracker),
        "sequence": _part(row.spelt(sequence_name, benchmark_name)),
    }
    nested = row.nested if dataset_label.lower() in GOT10K_FAMILY else None
    result_path, time_path = nested or (row.path, row.time_path)
    files = {result_path: row.encode(boxes, benchmark_name)}
    if time_path and times is not None:
        files[time_path] = encode_values(times, row.nested_time if nested else row.time_number)
    if row.score_path and scores is not None and not np.isnan(scores).all():
        files[row.score_path] = encode_values(scores, row.score_number)
    return [_write(out / pattern.format(**names), data) for pattern, data in files.items()]


def pack_submission(folder: Path) -> Path:
    """Zip a tracker's folder as the TrackingNet server wants it: the files in the root, nothing else.

    The bytes depend on the files' names and contents alone. Returns ``<folder>.zip``, beside the folder.
    """
    packed = folder.parent / f"{folder.name}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.glob("*.txt")):
            entry = zipfile.ZipInfo(path.name, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, path.read_bytes())
    return packed


def export_store(
    store: Store,
    format_name: str,
    out: Path,
    *,
    partial: bool = False,
    datasets: Iterable[str] = (),
    say: Callable[[str], None] = lambda words: None,
) -> int:
    """Write every result of a store.

    Args:
        store: open store.
        format_name: key of ``recorded.formats.FORMATS``.
        out: the output folder.
        partial: write what is there although some wanted sequences have no result.
        datasets: labels; all when empty.
        say: is told what must be known of the files.

    Returns:
        how many results were written.

    Raises:
        UserError: unknown format, missing results without ``partial``, two datasets that would write one file, rows
            that the format needs and the store lacks, or a folder that cannot be written.
    """
    row = result_format(format_name)
    owners: dict[Path, str] = {}
    filled: dict[str, list[str]] = {}
    written = 0
    for label in tuple(datasets) or store.datasets():
        dataset, runs = store.dataset(label), store.runs(label)
        names = export_names(runs)
        openings = _openings(store, label, partial, say) if row.whole else {}
        for run in runs:
            tracker = names[run.folder]
            if not partial:
                _demand_complete(store, label, tracker, run, dataset.names)
            for sequence in dataset.names:
                result = store.result(label, run, sequence)
                if isinstance(result, Hole) or (row.whole and sequence not in openings):
                    continue
                columns = (result.boxes, result.seconds.get("track"), result.scores)
                if row.whole:
                    before = openings[sequence]
                    if len(before) and len(result.whole) == len(result.boxes):
                        filled.setdefault(sequence, []).append(tracker)
                    columns = _from_the_start(result, before)
                for path in write_results(out, format_name, label, dataset.benchmark, tracker, sequence, *columns):
                    if owners.setdefault(path, label) != label:
                        raise UserError(
                            f"{owners[path]} and {label} would both write {path}: {row.title} keeps no folder per "
                            "dataset, so export stores of one dataset each"
                        )
                written += 1
            if row.archive:
                pack_submission(_tracker_folder(out, row, label, tracker))
    for sequence, trackers in filled.items():
        say(
            f"{row.title} begins {sequence} before the benchmark's first frame, where {', '.join(trackers)} started: "
            "the annotation stands in the rows before it"
        )
    return written


def _openings(store: Store, label: str, partial: bool, say: Callable[[str], None]) -> dict[str, Boxes]:
    """Sequence -> the annotated boxes, (k, 4), of frames before the first that is scored; k is 0 for most of them.

    Raises UserError when the store does not know those of some sequence; with ``partial`` that one is left out.
    """
    dataset, found = store.dataset(label), {}
    known = _left_out(dataset.benchmark)
    for name in dataset.names:
        before = store.sequence(label, name).annotation.before
        if len(before) == known.get(name, len(before)) and not np.isnan(before).any():
            found[name] = before
            continue
        words = (
            f"{label} in the store {store.root} lacks the annotation of the frames before {name}'s first, where this "
            "format's results start"
        )
        if not partial:
            raise UserError(
                f"{words}: `track` once more with the whole annotation file, which runs nothing again, or add "
                "--partial to leave the sequence out"
            )
        say(f"{words}: it is left out")
    return found


def _left_out(benchmark: str) -> dict[str, int]:
    """Sequence -> annotated frames before its first, from the benchmark's table; nothing where it is not recorded."""
    table = benchmark_row(benchmark).table if benchmark in DATASETS else ""
    if not table or table.startswith(ROOT_TABLE):
        return {}
    return {line["name"]: int(line.get("init_omit") or 0) for line in read_table(table)}


def _from_the_start(result: Result, before: Boxes) -> tuple[Boxes, NDArray[np.float64] | None, NDArray[np.float64]]:
    """Boxes, times and scores from the first annotated frame on.

    A tracker that was started later has the annotation up to there, 0 seconds and no scores. What a recorded result
    itself has of these frames stands.
    """
    boxes, times = result.whole, result.seconds.get("track")
    if len(boxes) == len(result.boxes):
        boxes = np.concatenate([before, boxes])
    k = len(boxes) - len(result.boxes)
    if times is not None:
        times = np.concatenate([np.zeros(k), times])
    return boxes, times, np.concatenate([np.full(k, np.nan), result.scores])


def _demand_complete(store: Store, label: str, tracker: str, run: Run, names: tuple[str, ...]) -> None:
    missing = [n for n in names if store.result_facts(label, run, n) is None]
    if missing:
        holes = [hole for n in missing[:SHOWN] if isinstance(hole := store.result(label, run, n), Hole)]
        shown = "; ".join(f"{hole.sequence}: {hole.reason}" for hole in holes)
        more = " ..." if len(missing) > SHOWN else ""
        raise UserError(
            f"{tracker} has no result for {len(missing)} of {len(names)} sequences of {label} ({shown}{more}); "
            "mend what is wrong and `track` again, or add --partial to write what is there"
        )


def _tracker_folder(out: Path, row: Format, label: str, tracker: str) -> Path:
    return (out / row.path.format(dataset=_part(label), tracker=_part(tracker), sequence="x")).parent


def _part(name: str) -> str:
    """A name as one part of a path, whatever it holds."""
    safe = name.replace("/", "_").replace("\\", "_").replace("\0", "_")
    return safe if PurePosixPath(safe).name == safe and safe not in ("", ".", "..") else f"_{safe.strip('.')}"


def _write(path: Path, data: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another output folder") from error
    return path
