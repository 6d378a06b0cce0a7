"""UAV123 and its 10 fps version: shared folders, NaN rows, every third frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.datasets import open_dataset
from inmo.errors import UserError
from tests.datasets.tiny import numbered, rows, write


def test_parts_of_a_folder_by_start_and_end(tmp_path: Path) -> None:
    numbered(tmp_path / "data_seq/UAV123/bird1", 1, 1480, 6)
    write(tmp_path / "anno/UAV123/bird1_1.txt", rows(252) + "NaN,NaN,NaN,NaN\n")
    write(tmp_path / "anno/UAV123/bird1_2.txt", rows(1477 - 775 + 1))
    first, second = open_dataset("uav123", str(tmp_path)).sequences
    assert np.isnan(first.annotation().boxes).all(axis=1).nonzero()[0].tolist() == [252]
    assert first.frames is not None
    assert second.frames is not None
    assert Path(second.frames().names()[0]).name == "000775.jpg"
    assert (len(first.frames()), len(second.frames())) == (253, 703)
    assert second.aliases == ("uav_bird1_2",)
    assert second.origin == 1


def test_ten_fps_numbers_are_every_third(tmp_path: Path) -> None:
    numbered(tmp_path / "data_seq/UAV123_10fps/bird1", 1, 500, 6)
    write(tmp_path / "anno/UAV123_10fps/bird1_2.txt", rows(235))
    (sequence,) = open_dataset("uav123_10fps", str(tmp_path)).sequences
    assert sequence.frames is not None
    names = [Path(n).name for n in sequence.frames().names()]
    assert (names[0], names[-1], len(names)) == ("000259.jpg", "000493.jpg", 235)


def test_both_rates_below_one_folder_are_kept_apart(tmp_path: Path) -> None:
    write(tmp_path / "UAV123/bike1.txt", rows(3085))
    write(tmp_path / "UAV123_10fps/bike1.txt", rows(1029))
    for name, count in (("uav123", 3085), ("uav123_10fps", 1029)):
        (sequence,) = open_dataset(name, str(tmp_path)).sequences
        assert len(sequence.annotation()) == count


def test_thirty_fps_rows_are_no_ten_fps_annotation(tmp_path: Path) -> None:
    write(tmp_path / "bike1.txt", rows(3085))
    (sequence,) = open_dataset("uav123_10fps", str(tmp_path)).sequences
    with pytest.raises(UserError, match=r"3085 rows, but bike1 of UAV123@10fps has 1029 frames"):
        sequence.annotation()


def test_pytracking_prefix(tmp_path: Path) -> None:
    write(tmp_path / "uav_bike1.txt", rows(3085))
    (sequence,) = open_dataset("uav123", str(tmp_path)).sequences
    assert sequence.name == "bike1"


def test_images_without_annotation_are_told_apart_from_nothing(tmp_path: Path) -> None:
    numbered(tmp_path / "data_seq/UAV123/bike1", 1, 2, 6)
    with pytest.raises(UserError, match="images but no annotation"):
        open_dataset("uav123", str(tmp_path))
