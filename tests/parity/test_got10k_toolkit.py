"""The GOT-10k toolkit reads what is exported for it, and its numbers are those of our protocol of its name.

Its loaders pair results with annotations by name and refuse a file of another length.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest

from inmo.datasets import open_dataset
from inmo.datasets.base import Dataset
from inmo.datasets.files import open_tree
from inmo.harness.store.export import export_store
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import Store, open_store
from inmo.reports.scoring.raw import score_dataset
from inmo.reports.scoring.stored import evaluate
from tests.datasets.tiny import numbered, write

TRACKER = "csrt"


@pytest.fixture(scope="module")
def toolkit() -> Any:
    matplotlib.use("Agg")
    return pytest.importorskip("got10k.experiments", reason="the GOT-10k toolkit is not installed (extra 'test')")


def walk(rows: int, seed: int) -> str:
    xy = 100 + np.cumsum(np.random.default_rng(seed).integers(-5, 6, (rows, 2)), axis=0)
    return "".join(f"{x},{y},30,40\n" for x, y in xy)


def tracked(dataset: Dataset, root: Path) -> Store:
    """Boxes some pixels off, as of a tracker that was started at each sequence's first frame."""
    store, run, random = open_store(root, write=True), Run(TRACKER, "CSRT", "0123456789ab"), np.random.default_rng(0)
    store.put_dataset(dataset, tuple(s.name for s in dataset.sequences))
    store.put_run(dataset.label, run)
    for sequence in dataset.sequences:
        truth = sequence.annotation()
        boxes = np.nan_to_num(truth.boxes, nan=50.0) + random.normal(0, 5, truth.boxes.shape) * [1, 1, 0.2, 0.2]
        boxes[0] = truth.boxes[0]
        nothing = np.full(len(boxes), np.nan)
        result = Result(np.round(boxes, 3), nothing, {"track": np.full(len(boxes), 0.02)})
        store.put_sequence(dataset.label, sequence, truth)
        store.put_result(dataset.label, run, sequence.name, result)
    return store


def alike(performance: Any, store: Store, dataset: Dataset, files: Path) -> None:
    theirs = performance[TRACKER]
    stored = evaluate(store, protocols=("got10k",)).datasets[0].scores["got10k"][0]
    (read,) = score_dataset(dataset, open_tree(files), protocols=("got10k",), partial=True)
    for ours in (stored, read):
        assert ours.sequences == len(theirs["seq_wise"]) == len(dataset.sequences)
        assert ours.mean.success_auc == pytest.approx(theirs["overall"]["success_score"], abs=1e-12)
        assert ours.mean.precision_20 == pytest.approx(theirs["overall"]["precision_score"], abs=1e-12)
        found = sorted(m.success_auc or 0 for m in ours.per_sequence.values())
        assert found == pytest.approx(sorted(s["success_score"] for s in theirs["seq_wise"].values()), abs=1e-12)
    assert theirs["overall"]["speed_fps"] == pytest.approx(50, rel=0.05)


def test_otb100(toolkit: Any, tmp_path: Path) -> None:
    root, versions = tmp_path / "OTB", vars(toolkit.otb.OTB)["_OTB__version_dict"]
    for name in versions[2015]:
        (root / name / "img").mkdir(parents=True)
    for seed, (name, images, rows, *files) in enumerate(
        [
            ("Jogging", range(1, 308), 307, "groundtruth_rect.1.txt", "groundtruth_rect.2.txt"),
            ("Skating2", range(1, 474), 473, "groundtruth_rect.1.txt", "groundtruth_rect.2.txt"),
            ("Human4", range(1, 668), 667, "groundtruth_rect.2.txt"),
            ("Tiger1", range(1, 355), 354, "groundtruth_rect.txt"),
            ("David", range(1, 771), 471, "groundtruth_rect.txt"),
            ("BlurCar3", range(3, 360), 357, "groundtruth_rect.txt"),
            ("Football1", range(1, 76), 74, "groundtruth_rect.txt"),
        ]
    ):
        numbered(root / name / "img", images[0], images[-1], 4)
        for number, file in enumerate(files):
            write(root / name / file, walk(rows, 10 * seed + number))
    write(root / "Human4/groundtruth_rect.1.txt", "")
    dataset = open_dataset("otb100", str(root), label="OTB2015")
    store = tracked(dataset, tmp_path / "store")
    said: list[str] = []
    assert export_store(store, "got10k", tmp_path / "results", say=said.append) == 9
    assert ["Tiger1" in words for words in said] == [True]
    experiment = toolkit.ExperimentOTB(str(root), 2015, str(tmp_path / "results"), str(tmp_path / "reports"))
    assert len(experiment.dataset) == 9
    alike(experiment.report([TRACKER]), store, dataset, tmp_path / "results")


def test_uav123(toolkit: Any, tmp_path: Path) -> None:
    root = tmp_path / "UAV123"
    for folder in ("a", "b", "c"):  # fewer entries than four are no download to it
        (root / folder).mkdir(parents=True)
    for seed, (name, rows) in enumerate([("bird1_1", 253), ("car1_s", 1475), ("uav1_2", 823), ("wakeboard1", 421)]):
        lines = walk(rows, seed).splitlines()
        lines[100:110] = ["NaN,NaN,NaN,NaN"] * 10
        write(root / "anno/UAV123" / f"{name}.txt", "\n".join(lines) + "\n")
    dataset = open_dataset("uav123", str(root), label="UAV123")
    store = tracked(dataset, tmp_path / "store")
    export_store(store, "got10k", tmp_path / "results")
    experiment = toolkit.ExperimentUAV123(str(root), "UAV123", str(tmp_path / "results"), str(tmp_path / "reports"))
    alike(experiment.report([TRACKER]), store, dataset, tmp_path / "results")


def test_nfs(toolkit: Any, tmp_path: Path) -> None:
    root = tmp_path / "Nfs"
    for name, frames, lack in (("Skiing_red", 69, 0), ("Gymnastics", 368, 1), ("MachLoop_jet", 99, 0)):
        numbered(root / name / "30" / name, 1, frames, 5)
        rows = "".join(f'0 {k} 10 {k + 20} 40 {k} 0 0 0 "x"\n' for k in range(8 * (frames - lack)))
        write(root / name / "30" / f"{name}.txt", rows)
    dataset = open_dataset("nfs", str(root), label="30")
    store = tracked(dataset, tmp_path / "store")
    export_store(store, "got10k", tmp_path / "results/NfS")
    experiment = toolkit.ExperimentNfS(str(root), 30, str(tmp_path / "results"), str(tmp_path / "reports"))
    alike(experiment.report([TRACKER]), store, dataset, tmp_path / "results/NfS")
