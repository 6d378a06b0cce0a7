"""OTB100: names, shared folders, odd starts and odd lengths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.datasets import open_dataset
from inmo.datasets.base import Sequence
from inmo.datasets.otb import spellings
from inmo.errors import UserError
from tests.datasets.tiny import numbered, rows, write, zipped


def one(root: Path, name: str) -> Sequence:
    return next(s for s in open_dataset("otb100", str(root)).sequences if s.name == name)


@pytest.mark.parametrize(
    "spelling",
    ["Jogging-2", "Jogging.2", "Jogging(2)", "Jogging2", "jogging_2", "jogging-2", "JOGGING-2", "Jogging_2"],
)
def test_every_spelling_of_a_second_target_is_that_target(tmp_path: Path, spelling: str) -> None:
    write(tmp_path / f"{spelling}.txt", rows(307))
    dataset = open_dataset("otb100", str(tmp_path))
    assert [s.name for s in dataset.sequences] == ["Jogging_2"]
    assert len(dataset.holes) == 99


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Jogging", "Jogging_1"),
        ("Human4", "Human4_2"),
        ("Human4-2", "Human4_2"),
        ("fleetface", "FleetFace"),
        ("suv", "Suv"),
        ("SUV", "Suv"),
        ("carDark", "CarDark"),
        ("Skating2(2)", "Skating2_2"),
        ("skating1", "Skating1"),
    ],
)
def test_flat_names_of_old_result_files(tmp_path: Path, file: str, name: str) -> None:
    write(tmp_path / f"{file}.txt", rows(1))
    assert [s.name for s in open_dataset("otb100", str(tmp_path)).sequences] == [name]


def test_spellings_never_meet() -> None:
    table = spellings(["Jogging_1", "Jogging_2", "Human4_2", "Deer"])
    assert "Jogging" in table["Jogging_1"]
    assert "Jogging" not in table["Jogging_2"]
    assert "Human4" in table["Human4_2"]
    assert table["Deer"] == ("deer",)


def test_two_targets_share_a_folder_of_images(tmp_path: Path) -> None:
    numbered(tmp_path / "Jogging/img", 1, 307, 4)
    write(tmp_path / "Jogging/groundtruth_rect.1.txt", rows(307))
    write(tmp_path / "Jogging/groundtruth_rect.2.txt", rows(307, first=500))
    first, second = open_dataset("otb100", str(tmp_path)).sequences
    assert (first.name, second.name) == ("Jogging_1", "Jogging_2")
    assert first.annotation().boxes[0, 0] == 1
    assert second.annotation().boxes[0, 0] == 500
    assert first.frames is not None
    assert second.frames is not None
    assert first.frames().names() == second.frames().names()


def test_an_unnumbered_file_in_a_shared_folder_is_nobodys(tmp_path: Path) -> None:
    write(tmp_path / "Jogging/groundtruth_rect.txt", rows(307))
    write(tmp_path / "Deer/groundtruth_rect.txt", rows(71))
    assert [s.name for s in open_dataset("otb100", str(tmp_path)).sequences] == ["Deer"]


def test_human4_takes_the_second_file_since_the_first_is_empty(tmp_path: Path) -> None:
    write(tmp_path / "Human4/groundtruth_rect.1.txt", "")
    write(tmp_path / "Human4/groundtruth_rect.2.txt", rows(667))
    sequence = one(tmp_path, "Human4_2")
    assert len(sequence.annotation()) == 667


def test_david_runs_from_300_to_770(tmp_path: Path) -> None:
    numbered(tmp_path / "David/img", 1, 770, 4)
    write(tmp_path / "David/groundtruth_rect.txt", rows(471, sep="\t"))
    sequence = one(tmp_path, "David")
    assert sequence.frames is not None
    frames = sequence.frames()
    assert len(frames) == len(sequence.annotation()) == 471
    assert frames.names()[0].endswith("0300.jpg")
    assert frames.names()[-1].endswith("0770.jpg")


@pytest.mark.parametrize(
    ("name", "there", "first_x", "count"),
    [
        ("David", 770, 300, 471),  # the whole folder's rows
        ("David", 471, 1, 471),
        ("BlurCar1", 988, 247, 742),
        ("Diving", 231, 1, 215),  # the folder goes on beyond the sequence
        ("Freeman4", 297, 1, 283),
        ("Tiger1", 354, 6, 349),
        ("Tiger1", 349, 1, 349),
    ],
)
def test_whole_and_cut_annotation_files(tmp_path: Path, name: str, there: int, first_x: int, count: int) -> None:
    write(tmp_path / name / "groundtruth_rect.txt", rows(there))
    boxes = one(tmp_path, name).annotation().boxes
    assert (len(boxes), boxes[0, 0]) == (count, first_x)


def test_tiger1_is_scored_from_frame_6(tmp_path: Path) -> None:
    numbered(tmp_path / "Tiger1/img", 1, 354, 4)
    write(tmp_path / "Tiger1/groundtruth_rect.txt", rows(354))
    sequence = one(tmp_path, "Tiger1")
    annotation = sequence.annotation()
    assert annotation.before[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert annotation.boxes[0, 0] == 6
    assert sequence.frames is not None
    assert sequence.frames().names()[0].endswith("0006.jpg")
    assert len(sequence.frames()) == 349


def test_a_copy_of_349_rows_has_nothing_before_frame_6(tmp_path: Path) -> None:
    write(tmp_path / "Tiger1/groundtruth_rect.txt", rows(349))
    before = one(tmp_path, "Tiger1").annotation().before
    assert before.shape == (5, 4) and np.isnan(before).all()


def test_board_has_five_digits_and_keeps_its_zero_row(tmp_path: Path) -> None:
    numbered(tmp_path / "Board/img", 1, 698, 5)
    write(tmp_path / "Board/groundtruth_rect.txt", rows(697) + "0,0,0,0\n")
    sequence = one(tmp_path, "Board")
    assert sequence.annotation().boxes[-1].tolist() == [0, 0, 0, 0]
    assert sequence.frames is not None
    assert sequence.frames().names()[0].endswith("00001.jpg")


@pytest.mark.parametrize(("folder", "suffix"), [("img", "jpg"), ("img", "png"), ("jpg", "png")])
def test_kitesurf_in_all_three_places(tmp_path: Path, folder: str, suffix: str) -> None:
    numbered(tmp_path / "KiteSurf" / folder, 1, 84, 4, suffix)
    write(tmp_path / "KiteSurf/groundtruth_rect.txt", rows(84))
    sequence = one(tmp_path, "KiteSurf")
    assert sequence.frames is not None
    assert len(sequence.frames()) == 84


def test_lower_cased_folders(tmp_path: Path) -> None:
    numbered(tmp_path / "deer/img", 1, 71, 4)
    write(tmp_path / "deer/groundtruth_rect.txt", rows(71))
    sequence = one(tmp_path, "Deer")
    assert sequence.frames is not None
    assert len(sequence.frames()) == 71


def test_a_wrong_length_says_both_counts(tmp_path: Path) -> None:
    write(tmp_path / "Deer/groundtruth_rect.txt", rows(70))
    with pytest.raises(UserError, match=r"70 rows, but Deer of OTB100 has 71 frames"):
        one(tmp_path, "Deer").annotation()


def test_a_zip_of_the_folder_gives_annotations_alone(tmp_path: Path) -> None:
    write(tmp_path / "tree/OTB100/Deer/groundtruth_rect.txt", rows(71))
    numbered(tmp_path / "tree/OTB100/Deer/img", 1, 71, 4)
    sequence = one(zipped(tmp_path / "tree", tmp_path / "otb.zip"), "Deer")
    assert sequence.frames is None
    assert len(sequence.annotation()) == 71
