"""How fast scoring is: LaSOT's 280 test sequences times a number of trackers, text files to printed table.

Run it as ``python -m tools.bench_scoring [--annotations PATH]``. Processor time is that of the whole command, all
threads and the start of the process included. Without annotations ones of the same size are made up.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from inmo.boxes import Boxes
from inmo.datasets import open_dataset
from inmo.datasets.base import read_table
from inmo.paths import ROOT
from tools.door import leave_after

SEED = 20211
NOISE = 0.12  # of the box size, on centre and on log size: a tracker of AUC 0.65


@dataclass(frozen=True)
class BenchScoring:
    """Print the processor time of scoring, how it grows, and numpy.loadtxt's on the same files."""

    annotations: Path | None = None
    """LaSOT's annotations, folder or zip; made up when not given."""
    trackers: int = 5
    """How many trackers."""
    protocol: str = "lasot-matlab"
    """Evaluation protocol."""
    repeats: int = 3
    """The least of so many measurements is printed."""


def measurements(command: BenchScoring) -> Iterator[str]:
    """Make the files and score them; lines to print."""
    with tempfile.TemporaryDirectory() as folder:
        annotations = command.annotations or _made_up(Path(folder) / "annos")
        truth = {s.name: s.annotation().boxes for s in open_dataset("lasot", str(annotations)).sequences}
        frames = sum(map(len, truth.values()))
        results = Path(folder) / "results"
        for number in range(command.trackers):
            _write(results / f"tracker{number}", dict(_noisy(truth, number)))
        size = sum(path.stat().st_size for path in results.rglob("*.txt")) / 1e6
        boxes = frames * command.trackers
        yield f"{len(truth)} sequences, {command.trackers} trackers, {boxes:,} boxes, {size:.0f} MB of text"
        for count in sorted({1, (command.trackers + 1) // 2, command.trackers}):
            seconds = min(_score(annotations, results, count, command.protocol) for _ in range(command.repeats))
            rate, memory = frames * count / seconds / 1e6, _most_memory() / 2**20
            yield (
                f"score, {count} trackers: {seconds:.2f} s of processor time, {rate:.1f} M boxes per second, "
                f"{memory:.0f} MiB at the peak"
            )
        start = time.process_time()
        for path in results.rglob("*.txt"):
            np.loadtxt(path, delimiter=",")
        loading = time.process_time() - start
        yield f"numpy.loadtxt of the same files: {loading:.2f} s, {loading / seconds:.1f} times as long"


def _score(annotations: Path, results: Path, count: int, protocol: str) -> float:
    """Processor seconds, user and system, of the score command on the first ``count`` trackers."""
    words = ["score", "--dataset", "lasot", "--annotations", str(annotations), "--results", str(results)]
    words += ["--protocol", protocol, "--trackers", *[f"tracker{number}" for number in range(count)]]
    before = os.times()
    subprocess.run([sys.executable, str(ROOT / "run_all.py"), *words], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


def _most_memory() -> int:
    """Bytes that the largest of the processes so far had resident; the counts grow, so that it is the last one's."""
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _noisy(truth: dict[str, Boxes], number: int) -> Iterator[tuple[str, Boxes]]:
    for index, (name, boxes) in enumerate(truth.items()):
        rng = np.random.default_rng([SEED, number, index])
        sizes = np.maximum(boxes[:, 2:], 1.0)
        centres = boxes[:, :2] + sizes / 2 + rng.normal(0, NOISE, sizes.shape) * sizes
        sizes = sizes * np.exp(rng.normal(0, NOISE, sizes.shape))
        yield name, np.concatenate([centres - sizes / 2, sizes], axis=1)


def _made_up(folder: Path) -> Path:
    """Annotations of LaSOT's names and size: integer boxes on a random walk."""
    truth = {}
    for index, row in enumerate(read_table("lasot_test.csv")):
        rng = np.random.default_rng([SEED, index])
        frames = int(row["end_frame"]) - int(row["start_frame"]) + 1
        walk = np.cumsum(rng.normal(0, 2, (frames, 4)), axis=0) * [1, 1, 0.1, 0.1]
        truth[row["name"]] = np.rint(np.maximum(walk + np.array([400, 300, 80, 60]), 1.0))
    _write(folder, truth, "%d")
    return folder


def _write(folder: Path, table: dict[str, Boxes], number: str = "%.2f") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    line = ",".join([number] * 4)
    for name, boxes in table.items():
        (folder / f"{name}.txt").write_text("".join(f"{line % tuple(row)}\n" for row in boxes.tolist()))


def main() -> None:
    for text in measurements(tyro.cli(BenchScoring)):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    leave_after(main)
