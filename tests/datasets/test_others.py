"""Boxes of other targets: files beside the annotation, further sequences of one video, and where there are none."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from inmo.boxes import Boxes
from inmo.datasets import open_dataset
from inmo.datasets.base import Annotation, Benchmark, Dataset, Sequence
from inmo.datasets.others import with_shared
from inmo.datasets.own.folder import FOLDER
from inmo.errors import UserError
from tests.datasets.tiny import numbered, rows, write


def others(sequence: Sequence) -> Boxes:
    assert sequence.others is not None
    return sequence.others()


def test_files_beside_the_boxes_are_distractors_in_natural_order(tmp_path: Path) -> None:
    for name in ("a", "b"):
        numbered(tmp_path / name / "img", 1, 3, 4)
        write(tmp_path / name / "groundtruth_rect.txt", rows(3))
    for k in (1, 2, 10):
        write(tmp_path / f"a/distractor.{k}.txt", rows(3, first=100 * k))
    write(tmp_path / "a/distractor.txt", "no boxes at all")
    first, second = open_dataset("folder", str(tmp_path)).sequences
    assert others(first)[:, 0, 0].tolist() == [100, 200, 1000] and others(first).shape == (3, 3, 4)
    assert len(others(second)) == 0


def test_a_distractor_of_another_length_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "clips/a/groundtruth_rect.txt", rows(3))
    write(tmp_path / "clips/a/distractor.1.txt", rows(2))
    (sequence,) = open_dataset("folder", str(tmp_path / "clips")).sequences
    with pytest.raises(UserError, match=r"distractor.1.txt has 2 rows, but .*groundtruth_rect.txt has 3:"):
        others(sequence)


def test_a_zip_has_them_too_and_a_flat_folder_never(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for name in ("a", "b"):
            archive.writestr(f"{name}/groundtruth_rect.txt", rows(2))
        archive.writestr("b/distractor.1.txt", rows(2, first=7))
    first, second = open_dataset("folder", str(tmp_path / "z.zip")).sequences
    assert (len(others(first)), others(second)[0, 0, 0]) == (0, 7)
    for file in ("a", "distractor.1"):
        write(tmp_path / f"flat/{file}.txt", rows(2))
    assert [len(others(s)) for s in open_dataset("folder", str(tmp_path / "flat")).sequences] == [0, 0]


@pytest.mark.parametrize("frames", [True, False])
def test_otbs_second_target_is_the_firsts_distractor(tmp_path: Path, frames: bool) -> None:
    if frames:
        numbered(tmp_path / "Jogging/img", 1, 307, 4)
    for k in (1, 2):
        write(tmp_path / f"Jogging/groundtruth_rect.{k}.txt", rows(307, first=1000 * k))
    write(tmp_path / "Deer/groundtruth_rect.txt", rows(71))
    found = {s.name: others(s) for s in open_dataset("otb100", str(tmp_path)).sequences}
    assert {name: boxes.shape[0] for name, boxes in found.items()} == {"Deer": 0, "Jogging_1": 1, "Jogging_2": 1}
    assert found["Jogging_1"][0, 3, 0] == 2003 and found["Jogging_2"][0, 3, 0] == 1003


def test_neighbouring_parts_of_a_long_video_share_a_frame_and_their_target(tmp_path: Path) -> None:
    write(tmp_path / "anno/UAV123/car1_1.txt", rows(751))
    write(tmp_path / "anno/UAV123/car1_2.txt", rows(877))
    sequences = open_dataset("uav123", str(tmp_path)).sequences
    assert len({s.video for s in sequences}) == 1 and [s.start for s in sequences] == [1, 751]
    assert [others(s).shape for s in sequences] == [(0, 0, 4)] * 2


def test_linked_frames_make_one_video_of_two_folders(tmp_path: Path) -> None:
    numbered(tmp_path / "a/img", 1, 3, 4)
    for name, first in (("a", 1), ("b", 50)):
        write(tmp_path / name / "groundtruth_rect.txt", rows(3, first=first))
    (tmp_path / "b/img").symlink_to(tmp_path / "a/img", target_is_directory=True)
    first, second = open_dataset("folder", str(tmp_path)).sequences
    assert (others(first)[0, 0, 0], others(second)[0, 0, 0]) == (50, 1)


def shared(*parts: tuple[int, Annotation]) -> list[Sequence]:
    sequences = tuple(
        Sequence("d", f"s{k}", lambda own=own: own, video="v", start=start)  # type: ignore[misc]
        for k, (start, own) in enumerate(parts)
    )
    row: Benchmark = FOLDER
    return list(with_shared(Dataset(row, "d", "", sequences)).sequences)


def boxes(count: int, x: float) -> Boxes:
    return np.array([[x + i, 0.0, 5.0, 5.0] for i in range(count)])


def test_spans_are_laid_over_each_other_by_the_frames_of_the_video() -> None:
    absent = np.array([False, True, False, False])
    first, second, third = shared(
        (3, Annotation(boxes(5, 0))),  # frames 3 to 7
        (5, Annotation(boxes(4, 100), absent)),  # frames 5 to 8, absent in 6
        (7, Annotation(boxes(9, 200))),  # frames 7 to 15: one frame of the first, two of the second
    )
    np.testing.assert_array_equal(others(first)[:, :, 0], [[np.nan, np.nan, 100, np.nan, 102]])
    np.testing.assert_array_equal(others(second)[:, :, 0], [[2, 3, 4, np.nan], [np.nan, np.nan, 200, 201]])
    assert others(third).shape == (1, 9, 4)


def test_a_sequence_alone_in_its_video_has_none() -> None:
    (alone,) = shared((1, Annotation(boxes(3, 0))))
    assert alone.others is None
