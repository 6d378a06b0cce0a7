"""What a folder of results was taken for, in lines for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.datasets.base import Annotation, Benchmark, Dataset, Hole, Sequence
from inmo.datasets.files import Tree, open_tree
from inmo.reports.scoring.explain import explain
from inmo.trackers.recorded.discovery import find_results


def no_opener(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    raise AssertionError("not needed here")


def dataset() -> Dataset:
    benchmark = Benchmark("lasot", "LaSOT", no_opener, origin=1, protocol="lasot-matlab", flagged=True)
    boxes = np.array([[10.0, 20, 30, 40]] * 4)
    flags = np.array([False, False, True, False])
    sequences = (
        Sequence("lasot", "a-1", lambda: Annotation(boxes, flags), aliases=("a1",)),
        Sequence("lasot", "a-2", lambda: Annotation(boxes)),
        Sequence("lasot", "b-1", lambda: Annotation(boxes, flags)),
    )
    return Dataset(
        benchmark, "lasot", "/data", sequences, (Hole("c-1", "not found below the root"),), ("C is passed over",)
    )


def write(root: Path, path: str, rows: int, text: str = "10,20,30,40\n") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text * rows)


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    for run in ("T_000", "T_001"):
        write(tmp_path, f"{run}/a1.txt", 5)
        write(tmp_path, f"{run}/a-2.txt", 4)
    write(tmp_path, "T_000/b-1.txt", 4)
    write(tmp_path, "T_000/b-1_time.txt", 4, "0.1\n")
    write(tmp_path, "U/a-1.txt", 1, "x,y\n")
    write(tmp_path, "U/a-2.txt", 4, "10,20,30,nan\n")
    write(tmp_path, "U/b-1.json", 1)
    data = dataset()
    raw = find_results(open_tree(tmp_path), "lasot", "lasot", data.sequences)
    return [line.replace(str(tmp_path), "ROOT") for line in explain(data, raw, protocols=("trackingnet-devkit",))]


def test_all_that_was_decided(lines: list[str]) -> None:
    assert lines == [
        "LaSOT at /data: annotations of 3 of 4 sequences",
        "  absent flags of 2 sequences; none for a-2",
        "  C is passed over",
        "ROOT: 2 trackers",
        "T: 2 runs",
        "  T_000: 3 of 3 sequences",
        "    under other names: a-1 from T_000/a1.txt",
        "  T_001: 2 of 3 sequences, without b-1",
        "    under other names: a-1 from T_001/a1.txt",
        "  trackingnet-devkit: 2 sequences scored",
        "  trackingnet-devkit: rows cut off: a-1 (2)",
        "U",
        "  U: 2 of 3 sequences, without b-1",
        "  trackingnet-devkit: 1 sequence scored",
        "  trackingnet-devkit: NaN, infinite or without size: a-2 (4)",
        "  trackingnet-devkit: not scored: a-1: line 1 of ROOT/U/a-1.txt has 2 numbers instead of 4: "
        "mend or replace the file",
        "passed over: 2 files",
        "  T_000: times or scores beside results: b-1_time.txt",
        "  U: JSON is not read: b-1.json",
    ]


def test_one_run_alone(tmp_path: Path) -> None:
    write(tmp_path, "T_000/a-1.txt", 4)
    write(tmp_path, "T_001/a-1.txt", 4)
    data = dataset()
    raw = find_results(open_tree(tmp_path), "lasot", "lasot", data.sequences)
    found = explain(data, raw, ("T_001",))
    assert found[4:6] == ["T_001", "  T_001: 1 of 3 sequences, without a-2, b-1"]
