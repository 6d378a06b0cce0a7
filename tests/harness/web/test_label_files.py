"""Where labels are saved, that the data set reads them, that work goes on from them, and files that do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets import open_dataset
from inmo.errors import UserError
from inmo.harness.web.keyframes import Keyframes
from inmo.harness.web.label_files import BOXES, KEYS, home_of, load, save
from tests.datasets.tiny import numbered, video, write


def labelled() -> Keyframes:
    found = Keyframes(8)
    found.draw(1, (10, 2, 4, 5))
    found.propose(2, (10.5, 2, 4, 5))
    found.draw(4, (12.5, 2.25, 4, 5))
    found.hide(5)
    found.draw(7, (20, 2, 4, 5))
    return found


def test_the_files_are_what_the_data_set_reads(tmp_path: Path) -> None:
    video(tmp_path / "dog.mp4", 8)
    home = home_of(tmp_path / "dog.mp4")
    save(home, labelled())
    assert sorted(path.name for path in home.iterdir()) == ["absent.txt", "groundtruth_rect.txt", "keyframes.json"]
    assert (home / BOXES).read_text().splitlines() == [
        "nan,nan,nan,nan", "10,2,4,5", "10.5,2,4,5", "11.5,2.125,4,5", "12.5,2.25,4,5", "0,0,0,0", "0,0,0,0",
        "20,2,4,5",
    ]  # fmt: skip
    assert (home / "absent.txt").read_text() == "0\n0\n0\n0\n0\n1\n1\n0\n"
    dataset = open_dataset("folder", str(tmp_path))
    (sequence,) = dataset.sequences
    assert (sequence.name, sequence.start, dataset.holes, dataset.passed) == ("dog", 2, (), ())
    annotation = sequence.annotation()
    assert annotation.boxes[:, 0].tolist() == [10, 10.5, 11.5, 12.5, 0, 0, 20]
    assert sequence.frames is not None
    assert len(sequence.frames()) == 7


def test_work_goes_on_where_it_stopped(tmp_path: Path) -> None:
    save(tmp_path, labelled())
    assert load(tmp_path, 8) == labelled()
    assert load(tmp_path / "new", 8) == Keyframes(8)


@pytest.mark.parametrize("keys", [None, "{", "[]", '{"drawn": [1], "tracked": [], "absent": []}', '{"drawn": "x"}'])
def test_boxes_of_others_are_all_taken_as_drawn(tmp_path: Path, keys: str | None) -> None:
    write(tmp_path / BOXES, "1,2,3,4\n5,6,7,8\n,,,\n")
    if keys is not None:
        write(tmp_path / KEYS, keys)
    found = load(tmp_path, 3)
    assert {frame: key.source for frame, key in found.keys.items()} == {0: "drawn", 1: "drawn"}
    np.testing.assert_array_equal(found.filled()[1].boxes[:2], [[1, 2, 3, 4], [5, 6, 7, 8]])


def test_a_row_that_was_mended_by_hand_stays(tmp_path: Path) -> None:
    save(tmp_path, labelled())
    text = (tmp_path / BOXES).read_text().replace("11.5,2.125,4,5", "13,2,4,5")
    write(tmp_path / BOXES, text)
    found = load(tmp_path, 8)
    assert found.boxes_at(3) == (13, 2, 4, 5)
    save(tmp_path, found)
    assert (tmp_path / BOXES).read_text() == text
    assert json.loads((tmp_path / KEYS).read_text())["tracked"] == []


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (BOXES, "1,2,3,4\n", "has 1 rows, but the video 8 frames"),
        ("absent.txt", "0\n", "has 1 rows, but the video 8 frames"),
        (BOXES, "one\n" * 8, "line 1 of"),
        ("absent.txt", "2\n" * 8, "something else than 0 and 1"),
    ],
)
def test_files_that_do_not_fit_are_left_alone(tmp_path: Path, name: str, text: str, words: str) -> None:
    save(tmp_path, labelled())
    write(tmp_path / name, text)
    with pytest.raises(UserError, match=words):
        load(tmp_path, 8)
    assert (tmp_path / name).read_text() == text


def test_where_the_boxes_of_a_video_lie(tmp_path: Path) -> None:
    for path, home in (("a.mp4", "a"), ("b/video.mp4", "b"), ("c/c.mp4", "c"), ("d/other.mp4", "d/other")):
        video(tmp_path / path, 1)
        assert home_of(tmp_path / path) == (tmp_path / home).resolve()
    for folder, home in (("e/img", "e"), ("f", "f")):
        numbered(tmp_path / folder, 1, 2, 4)
        assert home_of(tmp_path / folder) == (tmp_path / home).resolve()
    write(tmp_path / "a.txt", "1,2,3,4\n")
    with pytest.raises(UserError, match=r"a\.txt has boxes of this video already: move it to .*a/groundtruth"):
        home_of(tmp_path / "a.mp4")
    video(tmp_path / "e.mp4", 1)
    with pytest.raises(UserError, match="has other frames: rename the video"):
        home_of(tmp_path / "e.mp4")
