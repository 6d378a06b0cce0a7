"""MOT's gt.txt: targets, gaps, flags, where pixels are counted from, and damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets.own.annotated import clip, flags, opened, reason, rows
from tests.datasets.tiny import numbered, write

GT = "2,1,10,2,5,6,1,1,1\n3,1,11,2,5,6,1,1,0.5\n5,1,13,2,5,6,1,1,1\n1,7,1.5,2,5,6,1,1,1\n2,7,2,2,5,6,0,1,1\n"


def test_targets_are_sequences_and_gaps_are_not_annotated(tmp_path: Path) -> None:
    numbered(tmp_path / "walk/img1", 1, 6, 6)
    write(tmp_path / "walk/gt/gt.txt", GT)
    found = opened(tmp_path)
    assert list(found) == ["walk-1", "walk-7"]
    assert rows(found["walk-1"].annotation()) == [[10, 2, 5, 6], [11, 2, 5, 6], None, [13, 2, 5, 6]]
    assert rows(found["walk-7"].annotation()) == [[1.5, 2, 5, 6]]  # the row flagged 0 is not evaluated
    assert (found["walk-1"].start, found["walk-1"].origin, flags(found["walk-1"].annotation())) == (2, 0, None)
    assert found["walk-1"].frames is not None
    assert [Path(name).name for name in found["walk-1"].frames().names()] == [f"{k:06d}.jpg" for k in (2, 3, 4, 5)]


def test_motchallenge_counts_from_1_and_flags_what_cannot_be_seen(tmp_path: Path) -> None:
    numbered(tmp_path / "walk/img1", 1, 6, 6)
    write(tmp_path / "walk/seqinfo.ini", "[Sequence]\nname=walk\n")
    write(tmp_path / "walk/gt/gt.txt", "1,1,10,2,5,6,1,1,1\n2,1,10,2,5,6,1,1,0\n3,1,10,2,5,6,1,1,0.2\n")
    found = opened(tmp_path)["walk"]
    assert (found.origin, flags(found.annotation())) == (1, [0, 1, 0])


@pytest.mark.parametrize("file", ["clip.txt", "gt.txt"])
def test_beside_a_video(tmp_path: Path, file: str) -> None:
    write(clip(tmp_path / "all") / file, "1,4,10,2,5,6,-1,-1,-1,-1\n2,4,10,2,5,6,-1,-1,-1,-1\n")
    name = "clip" if file == "clip.txt" else "all"
    assert len(opened(tmp_path)[name].annotation()) == 2


def test_blanks_and_six_columns(tmp_path: Path) -> None:
    write(tmp_path / "walk/gt.txt", "1 4 10 2 5 6\n2 4 11 2 5 6\n")
    assert rows(opened(tmp_path)["walk"].annotation()) == [[10, 2, 5, 6], [11, 2, 5, 6]]


def test_detections_are_no_targets(tmp_path: Path) -> None:
    numbered(tmp_path / "walk/img1", 1, 6, 6)
    write(tmp_path / "walk/gt/gt.txt", GT)
    write(tmp_path / "walk/det/det.txt", "1,-1,10,2,5,6,0.9,-1,-1,-1\n")
    assert list(opened(tmp_path)) == ["walk-1", "walk-7"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,1,2,3,4,5,1,1,1\n2,1,2,3,4,5,1,1\n", "line 2 has 8 numbers instead of 9"),
        ("1,1,2,3,4,5,1,1,1\n2,1,2,three,4,5,1,1,1\n", "line 2 holds 'three'"),
        ("1,1,2,3,4,5,1,1,1\n0,1,2,3,4,5,1,1,1\n", "line 2 does not begin with a frame from 1"),
        ("1,1,2,3,4,5,1,1,1\n1,1,9,3,4,5,1,1,1\n", "target 1 has two boxes in frame 0"),
        ("1,1,2,3,4,5,0,1,1\n", "holds no box of a target"),
    ],
)
def test_damage_is_said_in_a_line(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path / "walk/gt/gt.txt", text)
    message = reason(tmp_path)
    assert words in message
    assert "walk/gt/gt.txt" in message
