"""Raw files as other toolkits write them: byte for byte the samples, and back."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets.base import Annotation, Benchmark, Dataset, Hole, Sequence
from inmo.datasets.files import open_tree
from inmo.errors import UserError
from inmo.harness.store.export import export_store, pack_submission, write_results
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import Store, open_store
from inmo.trackers.recorded.discovery import find_results
from inmo.trackers.recorded.formats import FORMATS

BOXES = np.array([[10, 20, 30, 40], [11.2345678, 20.5, 30.125, 39.875], [13.9999, 22.0001, 29.5, 41.25]])
TIMES = np.array([0.5123456789, 0.0213456, 0.0198765])
SCORES = np.array([1.0, 0.912345, 0.8])

# format, dataset, benchmark, tracker, sequence -> folder of the sample and, where folders differ, ours -> theirs
SAMPLES = [
    ("pytracking", "otb100", "otb100", "dimp50", "Basketball", "pytracking", {"dimp50/": "dimp/"}),
    ("ostrack", "lasot", "lasot", "vitb_256", "airplane-1", "ostrack", {}),
    ("pysot", "OTB100", "otb100", "mytracker", "Basketball", "pysot", {}),
    ("pysot", "GOT-10k", "got10k", "mytracker", "GOT-10k_Test_000001", "pysot", {}),
    ("got10k", "OTB2015", "otb100", "mytracker", "Basketball", "got10k", {}),
    ("got10k", "GOT-10k", "got10k", "mytracker", "GOT-10k_Val_000001", "got10k", {}),
    ("lasot", "lasot", "lasot", "MyTracker", "airplane-1", "lasot_toolkit", {}),
    ("tnl2k", "lasot", "tnl2k", "MyTracker", "airplane-1", "lasot_toolkit", {}),
    ("trackingnet", "x", "trackingnet", "y", "0-6LB4FqxoE_0", "trackingnet_submission", {"x/y/": ""}),
]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "dataset", "benchmark", "tracker", "sequence", "folder", "moved"), SAMPLES)
def test_the_samples_byte_for_byte(
    shared: Path, tmp_path: Path, name: str, dataset: str, benchmark: str, tracker: str, sequence: str, folder: str,
    moved: dict[str, str],
) -> None:  # fmt: skip
    sample = shared / "reference" / "result_formats" / folder
    written = write_results(tmp_path, name, dataset, benchmark, tracker, sequence, BOXES, TIMES, SCORES)
    ours = {}
    for path in written:
        place = path.relative_to(tmp_path).as_posix()
        for old, new in moved.items():
            place = new + place.removeprefix(old)
        ours[place] = path.read_bytes()
    expected = {p.relative_to(sample).as_posix(): p.read_bytes() for p in sample.rglob("*.txt")}
    for place, data in ours.items():
        assert data == expected[place], place
    # everything the sample has for this sequence was written
    assert set(ours) == {place for place in expected if sequence in place}


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize(
    ("benchmark", "sequence"), [("lasot", "a-1"), ("uav123", "car1"), ("nfs", "dog_2"), ("otb100", "Deer")]
)
def test_what_is_written_is_found_again(tmp_path: Path, name: str, benchmark: str, sequence: str) -> None:
    boxes = np.array([[1.0, 2.0, 30.0, 40.0], [-5.0, 0.0, 12.0, 13.0]])
    write_results(tmp_path, name, benchmark, benchmark, "csrt", sequence, boxes, np.ones(2), np.ones(2))
    wanted = Sequence(benchmark, sequence, lambda: pytest.fail("not needed"))
    raw = find_results(open_tree(tmp_path), benchmark, benchmark, [wanted], format_in=name)
    assert len(raw.trackers) == 1
    assert raw.trackers[0].startswith("csrt")
    found = raw.boxes(raw.trackers[0], wanted)
    assert not isinstance(found, Hole)
    np.testing.assert_array_equal(found, boxes)


def test_sots_adds_one_where_sots_is_off_by_one(tmp_path: Path) -> None:
    for benchmark, x in (("lasot", "2.0"), ("otb100", "1.0"), ("uav123", "1.0")):
        (path,) = write_results(tmp_path, "sots", benchmark, benchmark, "t", "s", np.array([[1.0, 1, 3, 4]]))
        assert path.read_text() == f"{x},{x},3.0,4.0\n"


def test_prefixes_of_pytracking(tmp_path: Path) -> None:
    (path,) = write_results(tmp_path, "pytracking", "uav", "uav123", "t", "car1", BOXES)
    assert path == tmp_path / "t" / "t_000" / "uav_car1.txt"


def test_scores_that_do_not_exist_are_not_written(tmp_path: Path) -> None:
    written = write_results(tmp_path, "pytracking", "otb100", "otb100", "t", "a", BOXES, None, np.full(3, np.nan))
    assert [p.name for p in written] == ["a.txt"]


def test_a_submission_has_its_files_in_the_root_and_always_the_same_bytes(tmp_path: Path) -> None:
    packed = []
    for place in ("first", "second"):
        for sequence in ("b_0", "-a_1"):
            write_results(tmp_path / place, "trackingnet", "trackingnet", "trackingnet", "t", sequence, BOXES)
        packed.append(pack_submission(tmp_path / place / "trackingnet" / "t"))
    assert packed[0] == tmp_path / "first" / "trackingnet" / "t.zip"
    assert packed[0].read_bytes() == packed[1].read_bytes()
    with zipfile.ZipFile(packed[0]) as archive:
        assert archive.namelist() == ["-a_1.txt", "b_0.txt"]
        assert archive.read("b_0.txt").decode().splitlines()[1] == "11.23,20.50,30.12,39.88"


def test_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("../evil", "a/b", "..", "/etc/x"):
        for path in write_results(out, "pysot", name, "otb100", name, name, BOXES):
            assert out.resolve() in path.resolve().parents


def test_an_unknown_format_gets_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean pysot"):
        write_results(tmp_path, "pysott", "otb100", "otb100", "t", "a", BOXES)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_results(tmp_path / "file", "pysot", "otb100", "otb100", "t", "a", BOXES)


def store_with(root: Path, *labels: str, sequences: tuple[str, ...] = ("a", "b"), done: tuple[str, ...]) -> Store:
    store = open_store(root, write=True)
    run = Run("csrt", "CSRT", "0123456789ab")
    for label in labels:
        benchmark = Benchmark("folder", "Folder", lambda *_: pytest.fail("not needed"), origin=0, protocol="pysot")
        wanted = tuple(Sequence(label, n, lambda: Annotation(BOXES)) for n in sequences)
        store.put_dataset(Dataset(benchmark, label, str(root), wanted), sequences)
        store.put_run(label, run)
        for name in done:
            store.put_result(label, run, name, Result(BOXES, np.full(3, np.nan), {"track": TIMES}))
    return store


def test_a_store_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    store = store_with(tmp_path / "store", "mine", done=("a",))
    with pytest.raises(UserError, match=r"csrt has no result for 1 of 2 sequences of mine \(b: not run yet\)"):
        export_store(store, "pysot", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert export_store(store, "pysot", tmp_path / "out", partial=True) == 1
    assert [p.name for p in (tmp_path / "out/mine/csrt").iterdir()] == ["a.txt"]


def test_a_store_becomes_a_submission(tmp_path: Path) -> None:
    store = store_with(tmp_path / "store", "mine", "yours", done=("a", "b"))
    assert export_store(store, "trackingnet", tmp_path / "out", datasets=("mine",)) == 2
    assert sorted(p.name for p in (tmp_path / "out/mine").iterdir()) == ["csrt", "csrt.zip"]
    assert not (tmp_path / "out/yours").exists()


def test_datasets_that_would_write_one_file_are_refused(tmp_path: Path) -> None:
    store = store_with(tmp_path / "store", "mine", "yours", done=("a", "b"))
    assert export_store(store, "pysot", tmp_path / "pysot") == 4
    with pytest.raises(UserError, match="mine and yours would both write"):
        export_store(store, "pytracking", tmp_path / "pytracking")
