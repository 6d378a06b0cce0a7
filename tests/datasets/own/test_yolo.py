"""YOLO text with ids: a tracker's output and JDE's order, frames by number and by image, and damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets.own.annotated import clip, opened, reason, rows
from tests.datasets.tiny import images, write


def test_a_trackers_output_beside_its_video(tmp_path: Path) -> None:
    clip(tmp_path)
    write(tmp_path / "labels/clip_2.txt", "0 0.5 0.5 0.25 0.5 3\n16 0.25 0.5 0.125 0.25 4\n")
    write(tmp_path / "labels/clip_4.txt", "0 0.75 0.5 0.25 0.5 3\n")
    found = opened(tmp_path)
    assert list(found) == ["clip-3", "clip-4"]
    assert rows(found["clip-3"].annotation()) == [[24, 12, 16, 24], None, [40, 12, 16, 24]]  # of 64 x 48, frames 2 to 4
    assert found["clip-3"].start == 2


def test_confidences_stand_before_ids(tmp_path: Path) -> None:
    write(clip(tmp_path) / "labels/clip_1.txt", "0 0.5 0.5 0.25 0.5 0.91 12\n")
    assert rows(opened(tmp_path)["clip"].annotation()) == [[24, 12, 16, 24]]


def test_images_of_the_same_names_decide(tmp_path: Path) -> None:
    images(tmp_path / "dogs/images", ("f_010.jpg", "f_020.jpg", "f_030.jpg"), 40, 20)
    write(tmp_path / "dogs/labels/f_020.txt", "0 0.5 0.5 0.5 0.5 1\n")
    write(tmp_path / "dogs/labels/f_030.txt", "0 0.5 0.5 1 1 1\n")
    found = opened(tmp_path)["dogs"]
    assert (found.start, rows(found.annotation())) == (2, [[10, 5, 20, 10], [0, 0, 40, 20]])


def test_ids_that_stand_second(tmp_path: Path) -> None:
    images(tmp_path / "img1", ("000001.jpg", "000002.jpg"), 40, 20)
    write(tmp_path / "labels_with_ids/000001.txt", "0 7 0.5 0.5 0.5 0.5\n0 -1 0.5 0.5 0.1 0.1\n")
    write(tmp_path / "labels_with_ids/000002.txt", "")
    assert [rows(each.annotation()) for each in opened(tmp_path).values()] == [[[10, 5, 20, 10]]]


def test_several_videos_in_a_folder(tmp_path: Path) -> None:
    clip(clip(tmp_path, name="a.mp4"), name="b.mp4")
    write(tmp_path / "labels/a_1.txt", "0 0.5 0.5 0.25 0.5 1\n")
    write(tmp_path / "labels/b_1.txt", "0 0.5 0.5 0.25 0.5 1\n")
    assert list(opened(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 0.5 0.5 0.25 0.5\n", "has boxes without ids"),
        ("0 0.5 0.5 0.25 0.5 0.9\n", "with confidences and without ids"),
        ("0 0.5 0.5 0.25 0.5 1\n0 0.5 0.5 0.25\n", "line 2 of clip_2.txt has 4 numbers instead of 6"),
        ("0 0.5 0.5 0.25 0.5 1\n0 0.5 0.5 0.25 0.5 1\n", "target 1 has two boxes in frame 1"),
        ("0 0.5 x 0.25 0.5 1\n", "holds 'x'"),
    ],
)
def test_damage_is_said_in_a_line(tmp_path: Path, text: str, words: str) -> None:
    write(clip(tmp_path) / "labels/clip_1.txt", "0 0.5 0.5 0.25 0.5 1\n")
    write(tmp_path / "labels/clip_2.txt", text)
    message = reason(tmp_path)
    assert words in message
    assert "labels" in message
