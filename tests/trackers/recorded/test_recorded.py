"""Raw results: found in every nesting, read in every format, replayed through the tracker protocol."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets.base import Annotation, Hole, Sequence
from inmo.datasets.files import open_tree
from inmo.errors import UserError
from inmo.trackers.base import SequenceAware, config_hash
from inmo.trackers.recorded.discovery import RawResults, find_results
from inmo.trackers.recorded.formats import FORMATS, result_format
from inmo.trackers.recorded.tracker import RECORDED, RecordedConfig

ROWS = "1,2,3,4\n5,6,7,8\n"


def sequence(name: str, *aliases: str, rows: int = 2, origin: int = 0) -> Sequence:
    return Sequence("otb100", name, lambda: Annotation(np.ones((rows, 4))), aliases=aliases, origin=origin)


def lay(root: Path, *paths: str, text: str = ROWS) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def found(root: Path, benchmark: str = "otb100", *names: str) -> RawResults:
    return find_results(open_tree(root), benchmark, benchmark, [sequence(n) for n in names or ("Basketball",)])


@pytest.mark.parametrize(
    "path",
    [
        "ECO/Basketball.txt",
        "results/OTB100/ECO/Basketball.txt",
        "OTB2015/ECO/Basketball.txt",
        "ECO/otb/Basketball.txt",
        "ECO/OTB100_results/Basketball.txt",
        "OTB_2015_tracking_results/ECO/Basketball.txt",
        "results/ECO/Basketball.txt",
        "tracking_results/ECO_tracking_result/Basketball.txt",
        "ECO_tracking_result/Basketball.txt",
        "ECO/ECO/Basketball.txt",
        "deep/down/OTB100/ECO/Basketball.txt",
        "OTB100/ECO/Basketball/Basketball_001.txt",
    ],
)
def test_every_nesting_leads_to_the_tracker(tmp_path: Path, path: str) -> None:
    raw = found(lay(tmp_path, path))
    assert raw.trackers == ("ECO",)
    np.testing.assert_array_equal(raw.boxes("ECO", sequence("Basketball")), [[1, 2, 3, 4], [5, 6, 7, 8]])


def test_the_folder_opened_may_be_one_tracker(tmp_path: Path) -> None:
    raw = found(lay(tmp_path / "ECO", "Basketball.txt", "Bolt.txt"))
    assert raw.trackers == ("ECO",)
    raw = found(lay(tmp_path / "MEEM_tracking_result", "Basketball.txt"))
    assert raw.trackers == ("MEEM",)


@pytest.mark.parametrize("top", ["", "OTB100/", "whatever/"])
def test_a_zip_with_or_without_a_top_folder(tmp_path: Path, top: str) -> None:
    path = tmp_path / "OTB100.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for tracker in ("ECO", "KCF"):
            archive.writestr(f"{top}{tracker}/Basketball.txt", ROWS)
        archive.writestr("__MACOSX/ECO/._Basketball.txt", "rubbish")
    assert found(path).trackers == ("ECO", "KCF")


def test_a_zip_of_one_tracker_is_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "ECO.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Basketball.txt", ROWS)
    assert found(path).trackers == ("ECO",)


def test_datasets_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    lay(tmp_path, "results/UAV123/ECO/car1.txt", "results/LaSOT/ECO/car1.txt")
    lay(tmp_path, "results/OTB100/ECO/car1.txt", text="9,9,9,9\n")
    raw = found(tmp_path, "otb100", "car1")
    assert raw.trackers == ("ECO",)
    np.testing.assert_array_equal(raw.boxes("ECO", sequence("car1")), [[9, 9, 9, 9]])
    with pytest.raises(UserError, match="no raw results of nfs"):
        found(tmp_path, "nfs", "car1")


def test_ten_frames_per_second_is_another_dataset(tmp_path: Path) -> None:
    lay(tmp_path, "UAV123/A/car1.txt", "UAV123_10fps/B/car1.txt", "C/car1.txt")
    assert found(tmp_path, "uav123", "car1").trackers == ("A", "C")
    assert found(tmp_path, "uav123_10fps", "car1").trackers == ("B", "C")


def test_times_and_scores_are_no_results(tmp_path: Path) -> None:
    lay(tmp_path, "ECO/Basketball.txt")
    aside = ("Basketball_time", "Basketball_all_scores", "Basketball_object_presence_scores", "times/Basketball_time")
    lay(tmp_path, *[f"ECO/{name}.txt" for name in aside], text="0.1\n")
    raw = found(tmp_path)
    assert raw.trackers == ("ECO",)
    assert isinstance(raw.boxes("ECO", sequence("Bolt")), Hole)
    assert list(raw.table["ECO"][0].files) == ["Basketball"]


def test_runs_of_one_tracker(tmp_path: Path) -> None:
    lay(tmp_path, *[f"dimp/dimp50_{run:03d}/Basketball.txt" for run in range(5)], "dimp/prdimp_000/Basketball.txt")
    raw = found(tmp_path)
    assert raw.trackers == ("dimp50", "prdimp")
    assert (raw.runs("dimp50"), raw.runs("prdimp")) == (5, 1)
    assert raw.runs("dimp50_003") == 1


def test_sizes_in_names_are_no_runs(tmp_path: Path) -> None:
    assert found(lay(tmp_path, "vitb_256/Basketball.txt", "vitb_384/Basketball.txt")).trackers == (
        "vitb_256",
        "vitb_384",
    )


def test_equal_last_names_are_told_apart(tmp_path: Path) -> None:
    raw = found(lay(tmp_path, "tomp/default/Basketball.txt", "dimp/default/Basketball.txt"))
    assert raw.trackers == ("dimp/default", "tomp/default")


def test_names_aliases_prefixes_and_case(tmp_path: Path) -> None:
    lay(tmp_path, "T/Jogging-1.txt", "T/basketball.txt", "T/uav_car1.txt")
    raw = find_results(open_tree(tmp_path), "otb100", "", [sequence("Jogging_1", "Jogging-1")])
    assert not isinstance(raw.boxes("T", sequence("Jogging_1", "Jogging-1")), Hole)
    assert not isinstance(raw.boxes("T", sequence("Basketball")), Hole)
    assert not isinstance(raw.boxes("T", sequence("car1")), Hole)
    assert isinstance(raw.boxes("T", sequence("Jogging_2")), Hole)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no raw results of otb100"):
        found(tmp_path)
    with pytest.raises(UserError, match="did you mean ECO"):
        found(lay(tmp_path, "ECO/Basketball.txt")).boxes("EC0", sequence("Basketball"))


def test_matlab_results(tmp_path: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = {"res": np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]]), "type": "rect"}
    stream = io.BytesIO()
    scipy_io.savemat(stream, {"results": cell})
    for path in ("ECO/Basketball.mat", "results_OPE/basketball_KCF.mat"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(stream.getvalue())
    raw = found(tmp_path)
    assert raw.trackers == ("ECO", "KCF")
    for tracker in raw.trackers:
        np.testing.assert_array_equal(raw.boxes(tracker, sequence("Basketball")), [[1, 2, 3, 4], [5, 6, 7, 8]])
    (tmp_path / "ECO/Basketball.mat").write_bytes(b"no mat")
    with pytest.raises(UserError, match="no OTB result"):
        raw.boxes("ECO", sequence("Basketball"))


SAMPLES = [
    ("pytracking", "otb100", "Basketball", "dimp50"),
    ("ostrack", "lasot", "airplane-1", "vitb_256"),
    ("pysot", "otb100", "Basketball", "mytracker"),
    ("got10k", "otb100", "Basketball", "mytracker"),
    ("lasot_toolkit", "lasot", "airplane-1", "MyTracker"),
    ("trackingnet_submission", "trackingnet", "0-6LB4FqxoE_0", "trackingnet_submission"),
]


@pytest.mark.shared
@pytest.mark.parametrize(("folder", "benchmark", "name", "tracker"), SAMPLES)
def test_the_samples_of_every_writer(shared: Path, folder: str, benchmark: str, name: str, tracker: str) -> None:
    raw = found(shared / "reference" / "result_formats" / folder, benchmark, name)
    assert raw.trackers == (tracker,)
    boxes = raw.boxes(tracker, sequence(name))
    assert not isinstance(boxes, Hole)
    np.testing.assert_allclose(
        boxes, [[10, 20, 30, 40], [11.2345678, 20.5, 30.125, 39.875], [13.9999, 22.0001, 29.5, 41.25]], atol=1
    )


@pytest.mark.shared
@pytest.mark.parametrize("writer", ["pysot", "got10k"])
def test_the_samples_of_the_got10k_layout(shared: Path, writer: str) -> None:
    name = {"pysot": "GOT-10k_Test_000001", "got10k": "GOT-10k_Val_000001"}[writer]
    raw = find_results(open_tree(shared / "reference" / "result_formats" / writer), sequences=[sequence(name)])
    assert raw.trackers == ("mytracker",)
    assert len(raw.boxes("mytracker", sequence(name))) == 3


def test_sots_offset_is_undone_for_lasot_alone(tmp_path: Path) -> None:
    lay(tmp_path, "T/airplane-1.txt", "T/Basketball.txt", text="1.1,2.0,3,4\n")
    tree = open_tree(tmp_path)
    for benchmark, name, x in (("lasot", "airplane-1", 0.1), ("otb100", "Basketball", 1.1)):
        raw = find_results(tree, benchmark, "", [sequence(name)], format_in="sots")
        assert raw.boxes("T", sequence(name))[0, 0] == x
        plain = find_results(tree, benchmark, "", [sequence(name)])
        assert plain.boxes("T", sequence(name))[0, 0] == 1.1
    with pytest.raises(UserError, match="did you mean sots"):
        find_results(tree, "lasot", "", [sequence("airplane-1")], format_in="sotss")


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_reads_back_what_it_wrote(name: str) -> None:
    from inmo.datasets.text import parse_rows

    row = result_format(name)
    boxes = np.array([[1.0, 2.0, 30.0, 40.0], [-5.0, 0.0, 12.0, 13.0]])
    for benchmark in ("lasot", "otb100", "uav123"):
        data = row.encode(boxes, benchmark)
        again = row.decode_offset(parse_rows(data, where=name), benchmark)
        np.testing.assert_array_equal(again, boxes)
        assert row.encode(again, benchmark) == data


class TestReplay:
    def test_frames_come_out_as_they_were_recorded(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO/Basketball.txt", text="1,2,3,4\n0.1,6,7,8\nnan,nan,nan,nan\n")
        config = RECORDED.for_dataset(RecordedConfig(results=str(tmp_path)), "otb100")
        assert config.tracker == "ECO"
        tracker = RECORDED.build(config, "auto")
        assert isinstance(tracker, SequenceAware)
        replay = tracker.for_sequence(sequence("Basketball", rows=3, origin=1))
        state = replay.init([], np.zeros((1, 4)))
        first = replay.step([], state)
        assert first.boxes.tolist() == [[0.1, 6, 7, 8]]
        assert np.isnan(first.scores).all()
        assert np.isnan(replay.step([], first.state).boxes).all()

    def test_a_result_of_another_length_is_refused(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO/Basketball.txt")
        tracker = RECORDED.build(RecordedConfig(results=str(tmp_path), tracker="ECO"), "auto")
        with pytest.raises(UserError, match="2 rows for 3 frames"):
            tracker.for_sequence(sequence("Basketball", rows=3))
        with pytest.raises(UserError, match="no recorded result for Bolt"):
            tracker.for_sequence(sequence("Bolt"))

    def test_content_and_not_place_decides_the_hash(self, tmp_path: Path) -> None:
        hashes = []
        for folder, text in (("one", ROWS), ("two", ROWS), ("three", "1,2,3,4\n5,6,7,9\n")):
            lay(tmp_path / folder, "ECO/Basketball.txt", text=text)
            config = RECORDED.for_dataset(RecordedConfig(results=str(tmp_path / folder)), "otb100")
            hashes.append(config_hash("recorded", config))
        assert hashes[0] == hashes[1] != hashes[2]

    def test_what_to_replay_must_be_clear(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="--set results=FOLDER"):
            RECORDED.build(RecordedConfig(), "auto")
        lay(tmp_path, "ECO/Basketball.txt", "KCF/Basketball.txt")
        with pytest.raises(UserError, match="results of ECO, KCF: add --set tracker=NAME"):
            RECORDED.build(RecordedConfig(results=str(tmp_path)), "auto")
