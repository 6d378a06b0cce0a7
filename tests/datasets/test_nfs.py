"""NFS in both layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.datasets import open_dataset
from inmo.datasets.base import Sequence
from inmo.datasets.nfs import parse_nfs
from inmo.errors import UserError
from tests.datasets.tiny import numbered, rows, write

NAME, COUNT = "Skiing_red", 69


def vatic(count: int) -> str:
    """Row k: corners (k, 10) to (k + 20, 40), so x tells the row and the box is 20 x 30."""
    return "".join(f'0 {k} 10 {k + 20} 40 {k} 0 0 0 "red skier"\n' for k in range(count))


def original(root: Path, *, vatic_rows: int, frames: int) -> Sequence:
    write(root / NAME / "30" / f"{NAME}.txt", vatic(vatic_rows))
    numbered(root / NAME / "30" / NAME, 1, frames, 5)
    (sequence,) = open_dataset("nfs", str(root)).sequences
    return sequence


@pytest.mark.parametrize("extra", [0, -7, 1])
def test_every_eighth_vatic_row_from_corners(tmp_path: Path, extra: int) -> None:
    sequence = original(tmp_path, vatic_rows=8 * COUNT + extra, frames=COUNT)
    boxes = sequence.annotation().boxes
    assert boxes.shape == (COUNT, 4)
    assert boxes[:3].tolist() == [[0, 10, 20, 30], [8, 10, 20, 30], [16, 10, 20, 30]]
    assert sequence.frames is not None
    assert len(sequence.frames()) == COUNT
    assert sequence.origin == 0


@pytest.mark.parametrize(
    "broken", ['0 10 36 40 16 0 0 0 "red skier"', '0 10 36 40 16 0 0 0 "skier"', "", "0 16 10 36 40"]
)
def test_a_vatic_row_without_one_of_its_columns_is_no_box(broken: str) -> None:
    lines = vatic(552).splitlines()
    lines[16] = broken
    with pytest.raises(UserError, match="line 17 of x lacks a column"):
        parse_nfs("\n".join(lines).encode(), "x", 69)


def test_one_annotation_row_too_few_cuts_the_frames(tmp_path: Path) -> None:
    sequence = original(tmp_path, vatic_rows=8 * (COUNT - 1), frames=COUNT)
    assert sequence.frames is not None
    assert len(sequence.annotation()) == len(sequence.frames()) == COUNT - 1


def test_one_frame_too_few_cuts_the_annotation(tmp_path: Path) -> None:
    sequence = original(tmp_path, vatic_rows=8 * COUNT, frames=COUNT - 1)
    assert sequence.frames is not None
    assert len(sequence.annotation()) == len(sequence.frames()) == COUNT - 1


def test_two_frames_too_few_are_missing(tmp_path: Path) -> None:
    sequence = original(tmp_path, vatic_rows=8 * COUNT, frames=COUNT - 2)
    assert sequence.frames is not None
    with pytest.raises(UserError, match=rf"lacks 2 of {COUNT} frames .* the first is 00068\.jpg"):
        sequence.frames()


@pytest.mark.parametrize("count", [COUNT, COUNT - 1])
def test_repackaged_layout(tmp_path: Path, count: int) -> None:
    numbered(tmp_path / "sequences" / NAME, 1, COUNT, 5)
    write(tmp_path / f"anno/nfs_{NAME}.txt", rows(count, sep="\t"))
    (sequence,) = open_dataset("nfs", str(tmp_path)).sequences
    assert sequence.frames is not None
    assert len(sequence.annotation()) == len(sequence.frames()) == count
    assert sequence.annotation().boxes[0].tolist() == [1, 2, 5, 6]
    assert sequence.aliases == (f"nfs_{NAME}",)


def test_rates_by_the_number_of_rows() -> None:
    assert len(parse_nfs(vatic(69).encode(), "x", 69)) == 69
    assert len(parse_nfs(vatic(552).encode(), "x", None)) == 69
    with pytest.raises(UserError, match="200 rows for 69 frames"):
        parse_nfs(vatic(200).encode(), "x", 69)


def test_labels_may_hold_blanks_and_lines_may_end_in_crlf() -> None:
    data = vatic(16).replace("\n", "\r\n").encode()
    assert np.array_equal(parse_nfs(data, "x", 2)[:, 0], [0, 8])


def test_occlusion_is_an_attribute(tmp_path: Path) -> None:
    write(tmp_path / "nfs_Skydiving.txt", rows(196))
    (sequence,) = open_dataset("nfs", str(tmp_path)).sequences
    assert sequence.attributes == ("OCC",)
