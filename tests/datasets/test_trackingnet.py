"""TrackingNet: numeric order, names that start with a dash, one annotated row, and the answer key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.datasets import open_dataset
from inmo.errors import UserError
from tests.datasets.tiny import images, rows, write

NAME = "-Dz7OIf54b0_0"


@pytest.mark.parametrize("root", ["", "TEST"])
def test_first_row_and_numeric_order(tmp_path: Path, root: str) -> None:
    images(tmp_path / f"TEST/frames/{NAME}", (f"{k}.jpg" for k in range(12)))
    write(tmp_path / f"TEST/anno/{NAME}.txt", rows(1))
    dataset = open_dataset("trackingnet", str(tmp_path / root))
    (sequence,) = dataset.sequences
    assert sequence.first_only
    assert dataset.expected == 511
    assert sequence.frames is not None
    assert [Path(n).stem for n in sequence.frames().names()] == [str(k) for k in range(12)]
    boxes = sequence.annotation().boxes
    assert boxes.shape == (12, 4)
    assert boxes[0].tolist() == [1, 2, 5, 6]
    assert np.isnan(boxes[1:]).all()


def test_without_frames_there_is_one_row(tmp_path: Path) -> None:
    write(tmp_path / f"{NAME}.txt", rows(1))
    (sequence,) = open_dataset("trackingnet", str(tmp_path)).sequences
    assert sequence.first_only
    assert sequence.annotation().boxes.shape == (1, 4)


def test_an_answer_key_is_read_in_full(tmp_path: Path) -> None:
    write(tmp_path / f"{NAME}.txt", rows(12))
    (sequence,) = open_dataset("trackingnet", str(tmp_path)).sequences
    assert not sequence.first_only
    assert sequence.annotation().boxes.shape == (12, 4)


def test_a_gap_and_a_missing_first_frame(tmp_path: Path) -> None:
    images(tmp_path / f"TEST/frames/{NAME}", ("1.jpg", "2.jpg", "4.jpg"))
    write(tmp_path / f"TEST/anno/{NAME}.txt", rows(1))
    (sequence,) = open_dataset("trackingnet", str(tmp_path)).sequences
    assert sequence.frames is not None
    with pytest.raises(UserError, match=r"the first is 0\.jpg"):
        sequence.frames()
