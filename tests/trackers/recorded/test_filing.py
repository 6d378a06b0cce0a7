"""What each file below a root is taken for: two folders are never one tracker, and nothing is passed over unsaid."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets.base import Annotation, Hole, Sequence
from inmo.datasets.files import open_tree
from inmo.errors import UserError
from inmo.trackers.recorded.discovery import RawResults, find_results
from inmo.trackers.recorded.formats import FORMATS

NAMES = ("Couple", "Crossing", "Deer")


def sequence(name: str, place: str = "") -> Sequence:
    return Sequence("otb100", name, lambda: Annotation(np.ones((1, 4))), place=place)


def lay(root: Path, folder: str, *names: str, x: int = 1, suffix: str = ".txt") -> None:
    for name in names or NAMES:
        path = root / folder / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{x},2,3,4\n")


def read(root: Path, benchmark: str = "otb100", names: tuple[str, ...] = NAMES) -> RawResults:
    return find_results(open_tree(root), benchmark, benchmark, [sequence(name) for name in names])


def contents(raw: RawResults, names: tuple[str, ...] = NAMES) -> dict[str, list[list[int | None]]]:
    """Tracker -> the x of each of its runs on each sequence, None for a hole."""
    found: dict[str, list[list[int | None]]] = {}
    for tracker in raw.trackers:
        runs = [[raw.boxes(tracker, sequence(n), run) for n in names] for run in range(raw.runs(tracker))]
        found[tracker] = [[None if isinstance(b, Hole) else int(b[0, 0]) for b in run] for run in runs]
    return found


class TestTwoFoldersAreTwoTrackers:
    @pytest.mark.parametrize(
        ("first", "second", "names"),
        [
            ("OTB100/ECO", "ECO", ("OTB100/ECO", "ECO")),
            ("ECO", "ECO_results", ("ECO", "ECO_results")),
            ("OTB100/ECO", "OTB2015/ECO", ("OTB100/ECO", "OTB2015/ECO")),
            ("vitb", "vitb/otb", ("vitb", "vitb/otb")),
            ("results/ECO", "raw_results/ECO", ("results/ECO", "raw_results/ECO")),
            ("tomp/default", "dimp/default", ("tomp/default", "dimp/default")),
            ("old/ECO", "ECO", ("old/ECO", "ECO")),
            ("ECO", "ECO/ECO", ("ECO", "ECO/ECO")),
        ],
    )
    def test_whatever_their_paths_reduce_to(
        self, tmp_path: Path, first: str, second: str, names: tuple[str, str]
    ) -> None:
        lay(tmp_path, first, "Couple", "Crossing", x=3)
        lay(tmp_path, second, x=15)
        found = contents(read(tmp_path))
        assert found == {names[0]: [[3, 3, None]], names[1]: [[15, 15, 15]]}

    def test_the_folder_opened_and_one_below_of_its_name(self, tmp_path: Path) -> None:
        lay(tmp_path / "ECO", "", x=3)
        lay(tmp_path / "ECO", "ECO", x=15)
        assert contents(read(tmp_path / "ECO")) == {".": [[3, 3, 3]], "ECO": [[15, 15, 15]]}

    def test_a_flat_folder_and_repetitions_in_folders_of_their_own(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO", x=3)
        for name in NAMES:
            lay(tmp_path, f"ECO/{name}", f"{name}_001", x=15)
        assert contents(read(tmp_path)) == {"ECO": [[3, 3, 3]], "ECO_000": [[15, 15, 15]]}


class TestRuns:
    def test_an_unnumbered_folder_hides_no_numbered_one(self, tmp_path: Path) -> None:
        lay(tmp_path, "dimp/dimp50", x=0)
        lay(tmp_path, "dimp/dimp50_000", x=10)
        lay(tmp_path, "dimp/dimp50_001", x=20)
        raw = read(tmp_path)
        assert contents(raw) == {"dimp50": [[0] * 3], "dimp50_000..001": [[10] * 3, [20] * 3]}
        assert raw.path("dimp50_001", sequence("Deer")) == "dimp/dimp50_001/Deer.txt"

    def test_nor_a_single_numbered_one(self, tmp_path: Path) -> None:
        lay(tmp_path, "dimp50", x=0)
        lay(tmp_path, "dimp50_000", x=10)
        assert contents(read(tmp_path)) == {"dimp50": [[0] * 3], "dimp50_000": [[10] * 3]}

    def test_runs_of_one_tracker_lie_side_by_side(self, tmp_path: Path) -> None:
        lay(tmp_path, "OTB100/dimp50_000", x=1)
        lay(tmp_path, "OTB100/dimp50_001", x=2)
        lay(tmp_path, "OTB2015/dimp50_000", x=3)
        found = contents(read(tmp_path))
        assert found == {"OTB100/dimp50": [[1] * 3, [2] * 3], "OTB2015/dimp50": [[3] * 3]}

    def test_with_the_dataset_below_the_run(self, tmp_path: Path) -> None:
        lay(tmp_path, "vitb_000/otb", x=1)
        lay(tmp_path, "vitb_001/otb", x=2)
        assert contents(read(tmp_path)) == {"vitb": [[1] * 3, [2] * 3]}


class TestLinks:
    def test_a_linked_folder_is_a_folder(self, tmp_path: Path) -> None:
        lay(tmp_path, "elsewhere/Mine", x=5)
        lay(tmp_path, "results/Other", x=8)
        (tmp_path / "results/Mine").symlink_to("../elsewhere/Mine")
        assert contents(read(tmp_path / "results")) == {"Mine": [[5] * 3], "Other": [[8] * 3]}

    def test_loops_and_dead_ends_are_named(self, tmp_path: Path) -> None:
        lay(tmp_path, "results/ECO")
        for name, target in (("up", ".."), ("self", "self"), ("itself", "."), ("gone", "nowhere")):
            (tmp_path / "results" / name).symlink_to(target)
        os.mkfifo(tmp_path / "results/ECO/pipe.txt")
        raw = read(tmp_path / "results")
        assert raw.trackers == ("ECO",)
        reasons = {item.path: item.reason for item in raw.passed}
        assert reasons == {
            "ECO/pipe.txt": "no regular file",
            "gone": "a link to nothing",
            "itself": "a link that leads back to a folder it lies in",
            "self": "a link to nothing",
            "up": "a link that leads back to a folder it lies in",
        }
        assert "5 files were passed over" in raw.notes[0]

    def test_folders_linked_crosswise_come_to_an_end(self, tmp_path: Path) -> None:
        for name in "abcd":
            lay(tmp_path, name)
            for other in "abcd".replace(name, ""):
                (tmp_path / name / f"to_{other}").symlink_to(f"../{other}")
        assert set("abcd") <= {name.rpartition("/")[2] for name in read(tmp_path).trackers}

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
    def test_a_folder_of_somebody_else_is_named(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO")
        lay(tmp_path, "closed")
        (tmp_path / "closed").chmod(0)
        assert "closed (cannot be looked into" in read(tmp_path).notes[0]
        (tmp_path / "closed").chmod(0o700)


class TestNamesOfFiles:
    @pytest.mark.parametrize("suffix", [".TXT", ".csv", ".CSV", ".Txt"])
    def test_suffixes_in_any_case(self, tmp_path: Path, suffix: str) -> None:
        lay(tmp_path, "ECO", suffix=suffix)
        assert contents(read(tmp_path)) == {"ECO": [[1] * 3]}

    def test_of_two_suffixes_one_is_read_and_the_other_named(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO", x=1)
        lay(tmp_path, "ECO", "Deer", x=9, suffix=".csv")
        raw = read(tmp_path)
        assert contents(raw) == {"ECO": [[1] * 3]}
        assert raw.notes == ("1 file was passed over: ECO/Deer.csv (ECO/Deer.txt is read for this sequence)",)

    @pytest.mark.parametrize("name", ["{}_ECO", "{}_ECO_HC", "ECO_{}"])
    @pytest.mark.parametrize("suffix", [".txt", ".csv"])
    def test_a_tracker_in_the_files_names(self, tmp_path: Path, name: str, suffix: str) -> None:
        lay(tmp_path, "results_OPE", *[name.format(n) for n in NAMES], suffix=suffix)
        lay(tmp_path, "KCF", x=2)
        assert contents(read(tmp_path)) == {name.format("").strip("_"): [[1] * 3], "KCF": [[2] * 3]}

    def test_what_stands_beside_results_is_no_tracker(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO")
        lay(tmp_path, "ECO", "Deer_all_boxes", "Deer_time", "Deer_ECO")
        raw = read(tmp_path)
        assert contents(raw) == {"ECO": [[1] * 3]}
        assert raw.notes == ()  # nothing is lacking
        (tmp_path / "ECO/Couple.txt").unlink()
        assert "2 in ECO such as Deer_ECO.txt (no sequence is called so)" in read(tmp_path).notes[0]

    @pytest.mark.parametrize("path", ["ECO/Deer/Deer.txt", "ECO/deer/Deer.txt", "OTB100/ECO/Deer/Deer_001.txt"])
    def test_a_folder_per_sequence_is_no_tracker(self, tmp_path: Path, path: str) -> None:
        for name in NAMES:
            lay(tmp_path, path.rpartition("/")[0].replace("Deer", name).replace("deer", name.lower()),
                path.rpartition("/")[2].removesuffix(".txt").replace("Deer", name))  # fmt: skip
        assert contents(read(tmp_path)) == {"ECO": [[1] * 3]}

    def test_nor_is_a_folder_per_class(self, tmp_path: Path) -> None:
        names = ("airplane-1", "airplane-9", "bear-2")
        lay(tmp_path, "ECO/airplane", *names[:2])
        lay(tmp_path, "ECO/bear", *names[2:])
        assert contents(read(tmp_path, "lasot", names), names) == {"ECO": [[1] * 3]}

    def test_case_is_regarded_where_two_files_would_be_one(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO", "Couple", "Crossing", "deer", "DEER")
        raw = read(tmp_path)
        assert contents(raw) == {"ECO": [[1, 1, None]]}
        assert (
            "2 in ECO such as DEER.txt (another file is read for this sequence, or its name fits two)" in raw.notes[0]
        )

    def test_and_where_two_sequences_would_be_one(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO", "car", "Bus")
        names = ("Car", "car", "bus")
        assert contents(read(tmp_path, "folder", names), names) == {"ECO": [[None, 1, 1]]}


class TestNothingIsPassedOverUnsaid:
    def test_files_that_are_not_read(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO")
        lay(tmp_path, "KCF", suffix=".json")
        lay(tmp_path, "", "everything", suffix=".zip")
        lay(tmp_path, "plots", suffix=".png")
        raw = read(tmp_path)
        assert raw.trackers == ("ECO",)
        assert raw.notes == (
            "4 files were passed over: 3 in KCF such as Couple.json (JSON is not read), "
            "everything.zip (ZIP is not read)",
        )
        assert {item.path for item in raw.passed if not item.told} == {f"plots/{name}.png" for name in NAMES}

    def test_when_nothing_else_is_there(self, tmp_path: Path) -> None:
        lay(tmp_path, "KCF", suffix=".json")
        with pytest.raises(UserError, match=r"no raw results.*3 in KCF such as Couple\.json \(JSON is not read\)"):
            read(tmp_path)

    def test_files_without_a_suffix(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO")
        lay(tmp_path, "KCF", suffix="")
        assert "3 in KCF such as Couple (it has no suffix such as .txt)" in read(tmp_path).notes[0]

    def test_a_folder_whose_names_are_strange(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO")
        lay(tmp_path, "KCF", "otb-Deer", "otb-Couple")
        raw = read(tmp_path)
        assert raw.trackers == ("ECO",)
        assert raw.notes == ("2 files were passed over: 2 in KCF such as otb-Couple.txt (no sequence is called so)",)

    def test_a_folder_called_like_another_dataset(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO")
        lay(tmp_path, "OTB50/KCF", "Deer")
        assert "OTB50/KCF/Deer.txt (a result of another dataset, as OTB50 says)" in read(tmp_path).notes[0]

    def test_whatever_stands_behind_its_name(self, tmp_path: Path) -> None:
        lay(tmp_path, "ECO")
        lay(tmp_path, "UAV123_results/KCF")
        assert read(tmp_path).trackers == ("ECO",)

    def test_entries_of_an_archive(self, tmp_path: Path) -> None:
        path = tmp_path / "results.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in NAMES:
                archive.writestr(f"out\\ECO\\{name}.txt", "1,2,3,4\n")
                archive.writestr(f"./out/KCF/{name}.txt", "2,2,3,4\n")
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr("./out/KCF/Deer.txt", "3,2,3,4\n")
        raw = read(path)
        assert contents(raw) == {"ECO": [[1] * 3], "KCF": [[2, 2, 3]]}
        assert "out/KCF/Deer.txt (stands in the archive more than once" in raw.notes[0]

    def test_backslashes_left_in_names_on_disk(self, tmp_path: Path) -> None:
        lay(tmp_path, "", *[f"out\\ECO\\{name}" for name in NAMES])
        assert contents(read(tmp_path)) == {"ECO": [[1] * 3]}


class TestGroundTruthIsNoTracker:
    @pytest.mark.parametrize("folder", ["annos", "annos/absent", "annos/att", "anno/OTB100", "gt", "Groundtruth"])
    def test_by_its_folder(self, tmp_path: Path, folder: str) -> None:
        lay(tmp_path, "toolkit/tracking_results/ATOM_tracking_result")
        lay(tmp_path, f"toolkit/{folder}")
        raw = read(tmp_path)
        assert raw.trackers == ("ATOM",)
        assert f"3 in toolkit/{folder} such as Couple.txt (ground truth, by its name)" in raw.notes[0]

    def test_by_its_place(self, tmp_path: Path) -> None:
        lay(tmp_path, "boxes")
        lay(tmp_path, "ECO")
        wanted = [sequence(name, open_tree(tmp_path).place(f"boxes/{name}.txt")) for name in NAMES]
        (tmp_path / "link").symlink_to(tmp_path)
        assert find_results(open_tree(tmp_path / "link/ECO/.."), "otb100", "", wanted).trackers == ("ECO",)
        with pytest.raises(UserError, match=r"3 in boxes.*the ground truth that results are scored against"):
            (tmp_path / "link").unlink()
            for name in NAMES:
                (tmp_path / f"ECO/{name}.txt").unlink()
            find_results(open_tree(tmp_path), "otb100", "", wanted)


@pytest.mark.parametrize("writer", sorted(FORMATS))
def test_every_writers_layout_is_one_tracker(tmp_path: Path, writer: str) -> None:
    row = FORMATS[writer]
    words = {"dataset": "OTB100", "tracker": "ECO"}
    for name in NAMES:
        for pattern in (row.path, row.time_path, row.score_path):
            if pattern:
                path = tmp_path / pattern.format(sequence=name, **words)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("1,2,3,4\n" if pattern == row.path else "0.1\n")
    raw = read(tmp_path)
    assert contents(raw) == {"ECO": [[1] * 3]}
    assert raw.notes == ()
