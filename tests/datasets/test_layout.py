"""The search for sequences below a root: its laziness, its order, and that it never confuses two of them."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inmo.datasets import open_dataset
from inmo.datasets.base import Dataset
from inmo.datasets.files import open_tree
from inmo.datasets.layout import Wanted, distinct, locate
from inmo.datasets.otb import OTB100
from inmo.datasets.trackingnet import TRACKINGNET
from inmo.errors import UserError
from tests.datasets.tiny import images, numbered, rows, write, zipped

HEADER = "name,path,start_frame,end_frame,n_zfill,ext,anno_path,object_class,init_omit,attributes\n"


def mini(root: Path) -> Dataset:
    row = replace(OTB100, name="mini-otb100", title="mini", table="root:sequences.csv")
    return row.open(row, "mini", open_tree(root))


def test_a_table_in_the_root(tmp_path: Path) -> None:
    write(tmp_path / "sequences.csv", HEADER + "Ball,Ball/img,3,5,4,jpg,Ball/groundtruth_rect.txt,,0,OCC SV\n")
    write(tmp_path / "Ball/groundtruth_rect.txt", rows(3))
    numbered(tmp_path / "Ball/img", 1, 9, 4)
    (sequence,) = mini(tmp_path).sequences
    assert sequence.dataset == "mini"
    assert sequence.attributes == ("OCC", "SV")
    assert sequence.frames is not None
    assert [Path(n).name for n in sequence.frames().names()] == ["0003.jpg", "0004.jpg", "0005.jpg"]


def test_a_mini_trackingnet_without_an_end_frame(tmp_path: Path) -> None:
    table = HEADER + "a_0,TEST/frames/a_0,0,,0,jpg,TEST/anno/a_0.txt,,0,\n"
    write(tmp_path / "sequences.csv", table)
    images(tmp_path / "TEST/frames/a_0", ("0.jpg", "1.jpg"))
    write(tmp_path / "TEST/anno/a_0.txt", rows(1))
    row = replace(TRACKINGNET, table="root:sequences.csv")
    (sequence,) = row.open(row, "mini", open_tree(tmp_path)).sequences
    assert sequence.frames is not None
    assert (len(sequence.annotation()), len(sequence.frames())) == (2, 2)


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", ""])
def test_a_table_in_the_root_cannot_name_places_outside(tmp_path: Path, name: str) -> None:
    write(tmp_path / "sequences.csv", HEADER + f"{name},x,1,1,4,jpg,x.txt,,0,\n")
    with pytest.raises(UserError, match=r"line 2 of .*sequences\.csv"):
        mini(tmp_path)


def test_a_missing_table(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"sequences\.csv is missing"):
        mini(tmp_path)


def test_nothing_of_the_benchmark_names_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds nothing of LaSOT.*airplane/airplane-1/groundtruth\.txt"):
        open_dataset("lasot", str(tmp_path))


def test_names_that_differ_in_case_alone_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "SUV.txt", rows(945))
    write(tmp_path / "suV.txt", rows(945))
    write(tmp_path / "Deer.txt", rows(71))
    assert [s.name for s in open_dataset("otb100", str(tmp_path)).sequences] == ["Deer"]
    write(tmp_path / "Suv.txt", rows(945))
    assert [s.name for s in open_dataset("otb100", str(tmp_path)).sequences] == ["Deer", "Suv"]


def test_one_file_never_serves_two(tmp_path: Path) -> None:
    write(tmp_path / "both.txt", rows(2))
    wanted = [Wanted({"name": "a"}), Wanted({"name": "b"})]
    with pytest.raises(UserError, match="both a and b"):
        locate(replace(OTB100, annotations=("both.txt",), folders=()), open_tree(tmp_path), wanted)


def test_the_folder_called_like_the_benchmark_wins_over_a_fuller_stranger(tmp_path: Path) -> None:
    for name in ("Deer", "Basketball", "Bolt"):
        write(tmp_path / f"a_clips/{name}/groundtruth_rect.txt", rows(3))
    write(tmp_path / "OTB100/Deer/groundtruth_rect.txt", rows(71))
    (sequence,) = open_dataset("otb100", str(tmp_path)).sequences
    assert len(sequence.annotation()) == 71


def test_among_strangers_the_fullest_wins(tmp_path: Path) -> None:
    write(tmp_path / "a/Deer.txt", rows(71))
    write(tmp_path / "b/Deer.txt", rows(71))
    write(tmp_path / "b/Couple.txt", rows(140))
    assert [s.name for s in open_dataset("otb100", str(tmp_path)).sequences] == ["Couple", "Deer"]


class TestSequencesInSeveralFolders:
    """The first folder with some of them does not end the search for the others."""

    @pytest.mark.parametrize(
        "folders", [("TB-50", "TB-100"), ("OTB/TB-50", "OTB/TB-100"), ("", "TB-100"), ("a", "b/c")]
    )
    def test_groups_of_a_benchmark(self, tmp_path: Path, folders: tuple[str, str]) -> None:
        for folder, name, count in ((0, "Deer", 71), (0, "Couple", 140), (1, "Crossing", 120), (1, "Football1", 74)):
            write(tmp_path / "tree" / folders[folder] / f"{name}/groundtruth_rect.txt", rows(count))
            numbered(tmp_path / "tree" / folders[folder] / f"{name}/img", 1, count, 4)
        dataset = open_dataset("otb100", str(tmp_path / "tree"))
        assert [s.name for s in dataset.sequences] == ["Couple", "Crossing", "Deer", "Football1"]
        frames = [s.frames() for s in dataset.sequences if s.frames is not None]
        assert [len(f) for f in frames] == [140, 120, 71, 74]
        packed = open_dataset("otb100", str(zipped(tmp_path / "tree", tmp_path / "otb.zip")))
        assert [s.name for s in packed.sequences] == ["Couple", "Crossing", "Deer", "Football1"]

    @pytest.mark.parametrize("first", ["airplane/airplane", "airplane"])
    def test_archives_unpacked_class_by_class(self, tmp_path: Path, first: str) -> None:
        for folder, name in (
            (first, "airplane-1"),
            (first, "airplane-9"),
            ("bear/bear", "bear-2"),
            ("bear/bear", "bear-4"),
        ):
            write(tmp_path / folder / name / "groundtruth.txt", rows(3))
            for flag in ("full_occlusion", "out_of_view"):
                write(tmp_path / folder / name / f"{flag}.txt", "0,0,0")
        assert [s.name for s in open_dataset("lasot", str(tmp_path)).sequences] == [
            "airplane-1", "airplane-9", "bear-2", "bear-4",
        ]  # fmt: skip

    def test_a_flat_file_elsewhere_may_be_a_result_and_is_said(self, tmp_path: Path) -> None:
        for name, count in (("Deer", 71), ("Couple", 140)):
            write(tmp_path / f"anno/{name}.txt", rows(count))
        write(tmp_path / "results/ECO/Crossing.txt", rows(120))
        write(tmp_path / "ECO/Bolt.txt", rows(350))
        dataset = open_dataset("otb100", str(tmp_path))
        assert [s.name for s in dataset.sequences] == ["Couple", "Deer"]
        reasons = {hole.sequence: hole.reason for hole in dataset.holes}
        assert reasons["Crossing"] == "not in anno/, where the others are; results/ECO/ has a file of its name"
        assert reasons["Bolt"] == "not in anno/, where the others are; ECO/ has a file of its name"
        assert reasons["Basketball"] == "not found below the root"

    def test_a_stranger_beside_the_benchmarks_own_folder_is_said(self, tmp_path: Path) -> None:
        write(tmp_path / "OTB100/Deer/groundtruth_rect.txt", rows(71))
        write(tmp_path / "clips/Bolt/groundtruth_rect.txt", rows(3))
        dataset = open_dataset("otb100", str(tmp_path))
        assert [s.name for s in dataset.sequences] == ["Deer"]
        reasons = {hole.sequence: hole.reason for hole in dataset.holes}
        assert reasons["Bolt"] == "not in OTB100/, where the others are; clips/ has a file of its name"

    def test_nothing_but_flat_files_further_down(self, tmp_path: Path) -> None:
        write(tmp_path / "some/where/Deer.txt", rows(71))
        with pytest.raises(UserError, match=r"holds nothing of OTB100.*; some/where/ has files called so"):
            open_dataset("otb100", str(tmp_path))


@pytest.mark.parametrize("wrapped", ["", "annotations/"])
def test_a_zip_and_its_folder_agree(tmp_path: Path, wrapped: str) -> None:
    write(tmp_path / f"tree/{wrapped}deer.txt", rows(71))
    write(tmp_path / f"tree/{wrapped}jogging-2.txt", rows(307))
    write(tmp_path / f"tree/__MACOSX/{wrapped}deer.txt", "rubbish")
    archive = zipped(tmp_path / "tree", tmp_path / "a.zip")
    for root in (tmp_path / "tree", archive):
        sequences = open_dataset("otb100", str(root)).sequences
        assert [(s.name, len(s.annotation())) for s in sequences] == [("Deer", 71), ("Jogging_2", 307)]


def test_opening_reads_no_annotation_and_lists_no_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "Deer/groundtruth_rect.txt", "this is no box\n")
    images(tmp_path / "Deer/img", ("0001.jpg",))
    listed: list[str] = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or scan(path))
    (sequence,) = open_dataset("otb100", str(tmp_path)).sequences
    assert not [path for path in listed if path.rstrip("/").endswith("img")]
    with pytest.raises(UserError, match="groundtruth_rect"):
        sequence.annotation()


def test_sequences_travel_to_other_processes(tmp_path: Path) -> None:
    numbered(tmp_path / "Deer/img", 1, 71, 4)
    write(tmp_path / "Deer/groundtruth_rect.txt", rows(71))
    (sequence,) = pickle.loads(pickle.dumps(open_dataset("otb100", str(tmp_path)).sequences))
    assert sequence.frames is not None
    assert len(sequence.frames()) == len(sequence.annotation()) == 71


@given(st.dictionaries(st.text("aAbB_1", min_size=1, max_size=4), st.lists(st.text("aAbB_1", min_size=1, max_size=4))))
def test_a_distinct_alias_means_one_sequence_whatever_the_case(spellings: dict[str, list[str]]) -> None:
    aliases = distinct(spellings)
    assert aliases.keys() == spellings.keys()
    owners: dict[str, str] = {}
    for name, kept in aliases.items():
        for alias in kept:
            assert alias in spellings[name]
            assert owners.setdefault(alias.casefold(), name) == name
            assert all(alias.casefold() != other.casefold() for other in spellings if other != name)
