"""Exports speak the names and the row ranges of the toolkit that they are for, and are read back as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.datasets import DATASETS, benchmark, family, open_dataset
from inmo.datasets.base import Dataset, Sequence, read_table
from inmo.datasets.files import open_tree
from inmo.datasets.otb import spellings
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.run.jobs import plan
from inmo.harness.run.recorded_results import import_recorded
from inmo.harness.run.setup import configure
from inmo.harness.store.export import export_store, write_results
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import Store, open_store
from inmo.reports.scoring.raw import score_dataset
from inmo.reports.scoring.stored import evaluate
from inmo.trackers.recorded.discovery import find_results
from inmo.trackers.recorded.formats import FORMATS
from tests.datasets.tiny import rows, write

TABLED = ("lasot", "tnl2k", "uav123", "uav123_10fps", "nfs", "otb100", "trackingnet")
TARGETS = ("Human4_2", "Jogging_1", "Jogging_2", "Skating2_1", "Skating2_2")  # all that toolkits spell differently
DASHED = ("Human4-2", "Jogging-1", "Jogging-2", "Skating2-1", "Skating2-2")
DOTTED = ("Human4", "Jogging.1", "Jogging.2", "Skating2.1", "Skating2.2")
OTB_TARGETS = {
    "pysot": DASHED, "sots": DASHED, "got10k": DOTTED, "pytracking": TARGETS, "ostrack": TARGETS, "lasot": TARGETS,
    "tnl2k": TARGETS, "trackingnet": TARGETS,
}  # fmt: skip
PREFIXED = {(writer, name): f"{word}_" for writer in ("pytracking", "ostrack")
            for name, word in (("uav123", "uav"), ("uav123_10fps", "uav"), ("nfs", "nfs"))}  # fmt: skip


def table(name: str) -> list[str]:
    return [line["name"] for line in read_table(benchmark(name).table)]


@pytest.mark.parametrize("name", TABLED)
@pytest.mark.parametrize("writer", FORMATS)
def test_every_name_in_every_format(writer: str, name: str) -> None:
    ours = table(name)
    theirs = [FORMATS[writer].spelt(each, name) for each in ours]
    assert len(set(theirs)) == len(ours)
    special = dict(zip(TARGETS, OTB_TARGETS[writer], strict=True)) if name == "otb100" else {}
    assert theirs == [special.get(each, PREFIXED.get((writer, name), "") + each) for each in ours]
    if f"mini-{name}" in DATASETS:
        assert theirs == [FORMATS[writer].spelt(each, f"mini-{name}") for each in ours]


@pytest.mark.parametrize("name", TABLED)
@pytest.mark.parametrize("writer", FORMATS)
def test_every_file_is_read_back_as_its_own_sequences(tmp_path: Path, writer: str, name: str) -> None:
    names = table(name)[:: 1 if len(table(name)) < 200 else 20]
    known = spellings(names) if name == "otb100" else {}
    wanted = [Sequence(name, each, lambda: pytest.fail("not needed"), aliases=known.get(each, ())) for each in names]
    for number, each in enumerate(names):
        write_results(tmp_path, writer, name, name, "csrt", each, np.array([[number, 1.0, 30, 40]]))
    raw = find_results(open_tree(tmp_path), name, name, wanted, format_in=writer)
    (tracker,) = raw.trackers
    found = [raw.boxes(tracker, each) for each in wanted]
    assert [boxes[0, 0] for boxes in found if isinstance(boxes, np.ndarray)] == list(range(len(names)))


def data_of(name: str, root: Path) -> Dataset:
    """Some short sequences of a benchmark, annotations alone, a row of integers per annotated frame."""
    for path, count in {
        "lasot": {"guitar-16/groundtruth.txt": 1000},
        "tnl2k": {"HaiBao_video_06-done/groundtruth.txt": 46},
        "uav123": {"anno/UAV123/uav1_2.txt": 823, "anno/UAV123/car1_s.txt": 1475},
        "uav123_10fps": {"anno/UAV123_10fps/bird1_2.txt": 235},
        "nfs": {"anno/nfs_Skiing_red.txt": 69, "anno/nfs_MachLoop_jet.txt": 99},
        "otb100": {"Jogging/groundtruth_rect.1.txt": 307, "Jogging/groundtruth_rect.2.txt": 307,
                   "Human4/groundtruth_rect.2.txt": 667, "Tiger1/groundtruth_rect.txt": 354,
                   "David/groundtruth_rect.txt": 770, "BlurCar1/groundtruth_rect.txt": 988,
                   "Diving/groundtruth_rect.txt": 231},
    }[family(name) if name != "uav123_10fps" else name].items():  # fmt: skip
        write(root / path, rows(count).replace(",5,6", ",50,60"))
    return open_dataset(name, str(root))


def tracked(dataset: Dataset, root: Path) -> Store:
    """Every box 5 px to the right, less the first of each sequence."""
    store, run = open_store(root, write=True), Run("csrt", "CSRT", "0123456789ab")
    store.put_dataset(dataset, tuple(s.name for s in dataset.sequences))
    store.put_run(dataset.label, run)
    for sequence in dataset.sequences:
        truth = sequence.annotation()
        boxes = truth.boxes + np.array([5.0, 0, 0, 0])
        boxes[0] = truth.boxes[0]
        store.put_sequence(dataset.label, sequence, truth)
        store.put_result(dataset.label, run, sequence.name, Result(boxes, np.full(len(boxes), np.nan), {}))
    return store


@pytest.mark.parametrize("name", [name for name in TABLED if name != "trackingnet"])
@pytest.mark.parametrize("writer", FORMATS)
def test_an_export_has_the_score_of_its_store(tmp_path: Path, writer: str, name: str) -> None:
    dataset = data_of(name, tmp_path / "data")
    store = tracked(dataset, tmp_path / "store")
    rules = (dataset.benchmark.protocol, "got10k", "clean")
    export_store(store, writer, tmp_path / "out")
    read = score_dataset(dataset, open_tree(tmp_path / "out"), protocols=rules, partial=True, format_in=writer)
    data = evaluate(store, protocols=rules).datasets[0]
    for ours in read:
        (stored,) = data.scores[ours.protocol]
        assert ours.sequences == stored.sequences == len(dataset.sequences)
        assert ours.mean.success_auc == stored.mean.success_auc
        assert ours.mean.frames == stored.mean.frames
        assert {n: m.success_auc for n, m in ours.per_sequence.items()} == {
            n: m.success_auc for n, m in stored.per_sequence.items()
        }


@pytest.mark.parametrize("writer", FORMATS)
def test_row_ranges_of_otb100(tmp_path: Path, writer: str) -> None:
    store = tracked(data_of("otb100", tmp_path / "data"), tmp_path / "store")
    export_store(store, writer, tmp_path / "out")
    counts = {path.stem: len(path.read_text().splitlines()) for path in (tmp_path / "out").rglob("*.txt")}
    human, first, second, *_ = OTB_TARGETS[writer]
    assert counts == {first: 307, second: 307, human: 667, "David": 471, "BlurCar1": 742, "Diving": 215,
                      "Tiger1": 354 if writer == "got10k" else 349}  # fmt: skip


def test_tiger1_has_the_annotation_before_the_tracker_started(tmp_path: Path) -> None:
    store, said = tracked(data_of("otb100", tmp_path / "data"), tmp_path / "store"), list[str]()
    export_store(store, "got10k", tmp_path / "out", say=said.append)
    lines = (tmp_path / "out/otb100/csrt/Tiger1.txt").read_text().splitlines()
    x = [float(line.split(",")[0]) for line in lines]
    assert x[:8] == [1, 2, 3, 4, 5, 6, 7 + 5, 8 + 5]  # the tracker was started at 6 and is 5 off from 7 on
    assert said == [
        "GOT-10k toolkit begins Tiger1 before the benchmark's first frame, where csrt started: the annotation stands "
        "in the rows before it"
    ]


def test_a_store_that_lacks_those_rows_is_not_exported_out_of_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "data/Tiger1/groundtruth_rect.txt", rows(349))
    write(tmp_path / "data/Deer/groundtruth_rect.txt", rows(71))
    store = tracked(open_dataset("otb100", str(tmp_path / "data")), tmp_path / "store")
    with pytest.raises(UserError, match=r"lacks the annotation of the frames before Tiger1's first.*--partial"):
        export_store(store, "got10k", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    words = ["export", "--store", str(store.root), "--format", "got10k", "--out", str(tmp_path / "out")]
    assert main([*words, "--partial"]) == 0
    assert [path.name for path in (tmp_path / "out").rglob("*.txt")] == ["Deer.txt"]
    assert "note: otb100 in the store" in capsys.readouterr().err


def test_what_a_recorded_result_has_of_those_frames_stands(tmp_path: Path) -> None:
    dataset = data_of("otb100", tmp_path / "data")
    write(tmp_path / "raw/T/Tiger1.txt", rows(354, first=1000))
    setup = configure("recorded", {"results": str(tmp_path / "raw")})
    jobs, _ = plan(open_store(tmp_path / "store", write=True), [dataset], [setup], names=("Tiger1",))
    assert [outcome.reason for outcome in import_recorded(jobs)] == [""]
    store, said = open_store(tmp_path / "store"), list[str]()
    (run,) = store.runs("otb100")
    result = store.result("otb100", run, "Tiger1")
    assert isinstance(result, Result)
    assert (len(result.boxes), len(result.whole), result.boxes[0, 0], result.whole[0, 0]) == (349, 354, 1005, 1000)
    for writer, count, first in (("got10k", 354, "1000"), ("pysot", 349, "1005")):
        export_store(store, writer, tmp_path / writer, partial=True, say=said.append)
        (file,) = (tmp_path / writer).rglob("Tiger1.txt")
        lines = file.read_text().splitlines()
        assert (len(lines), lines[0].split(".")[0]) == (count, first)
    assert not said
    (score,) = evaluate(store, protocols=("got10k",)).datasets[0].scores["got10k"]
    assert (score.mean.frames, score.notes) == (354, ())
