"""The generic folder: every way people keep their own sequences."""

from __future__ import annotations

from pathlib import Path

import pytest

from inmo.datasets import open_dataset
from inmo.errors import UserError
from tests.datasets.tiny import images, rows, video, write, zipped


@pytest.mark.parametrize("inside", ["img/", "imgs/", ""])
@pytest.mark.parametrize("boxes", ["groundtruth_rect", "groundtruth", "cat", "boxes"])
def test_images_and_boxes(tmp_path: Path, inside: str, boxes: str) -> None:
    images(tmp_path / "cat" / inside, ("1.jpg", "2.jpg", "10.jpg"))
    write(tmp_path / f"cat/{boxes}.txt", rows(3))
    (sequence,) = open_dataset("folder", str(tmp_path)).sequences
    assert (sequence.name, sequence.origin, sequence.first_only) == ("cat", 0, False)
    assert sequence.frames is not None
    assert [Path(n).name for n in sequence.frames().names()] == ["1.jpg", "2.jpg", "10.jpg"]
    assert open_dataset("folder", str(tmp_path / "cat")).sequences[0].name == "cat"


@pytest.mark.parametrize("file", ["cat/video.mp4", "cat/cat.mp4", "cat.mp4"])
def test_a_video_file(tmp_path: Path, file: str) -> None:
    video(tmp_path / file, 5)
    write(tmp_path / "cat.txt" if file == "cat.mp4" else tmp_path / "cat/cat.txt", rows(5))
    (sequence,) = open_dataset("folder", str(tmp_path)).sequences
    assert sequence.name == "cat"
    assert sequence.frames is not None
    frames = sequence.frames()
    assert len(frames) == 5
    assert frames.read(4).shape == (48, 64, 3)


def test_one_row_is_enough_to_track(tmp_path: Path) -> None:
    images(tmp_path / "cat/img", ("1.png", "2.png"))
    write(tmp_path / "cat/boxes.txt", rows(1))
    (sequence,) = open_dataset("folder", str(tmp_path)).sequences
    assert sequence.first_only
    assert sequence.annotation().boxes.shape == (2, 4)


def test_lengths_that_differ_say_both_counts(tmp_path: Path) -> None:
    images(tmp_path / "cat/img", ("1.png", "2.png"))
    write(tmp_path / "cat/boxes.txt", rows(3))
    (sequence,) = open_dataset("folder", str(tmp_path)).sequences
    assert sequence.frames is not None
    with pytest.raises(UserError, match=r"2 images, but .*boxes\.txt has 3 rows"):
        sequence.frames()


def test_frames_without_boxes_are_a_hole(tmp_path: Path) -> None:
    images(tmp_path / "cat/img", ("1.png",))
    images(tmp_path / "dog/img", ("1.png",))
    write(tmp_path / "cat/boxes.txt", rows(2))
    (tmp_path / "notes").mkdir()
    dataset = open_dataset("folder", str(tmp_path))
    assert [s.name for s in dataset.sequences] == ["cat"]
    assert [h.sequence for h in dataset.holes] == ["dog"]
    assert "boxes" in dataset.holes[0].reason


def test_names_in_natural_order_also_one_level_down_and_in_a_zip(tmp_path: Path) -> None:
    for name in ("clip10", "clip2", "clip1"):
        write(tmp_path / f"tree/all/{name}/groundtruth.txt", rows(2))
    archive = zipped(tmp_path / "tree", tmp_path / "clips.zip")
    for root in (tmp_path / "tree", tmp_path / "tree/all", archive):
        names = [s.name for s in open_dataset("folder", str(root)).sequences]
        assert names == ["clip1", "clip2", "clip10"]


def test_a_flat_folder_of_boxes(tmp_path: Path) -> None:
    write(tmp_path / "b.txt", rows(3))
    write(tmp_path / "a.txt", rows(2))
    write(tmp_path / "README.txt", "words")
    assert [(s.name, len(s.annotation())) for s in open_dataset("folder", str(tmp_path)).sequences] == [
        ("a", 2),
        ("b", 3),
    ]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no sequence"):
        open_dataset("folder", str(tmp_path))
    with pytest.raises(UserError, match="does not exist"):
        open_dataset("folder", str(tmp_path / "nowhere"))


def test_two_sequences_of_one_name(tmp_path: Path) -> None:
    for wrapper in ("a", "b"):
        write(tmp_path / wrapper / "cat/boxes.txt", rows(1))
    with pytest.raises(UserError, match="called cat"):
        open_dataset("folder", str(tmp_path))


def test_a_folder_of_stray_images_does_not_hide_sequences_below(tmp_path: Path) -> None:
    images(tmp_path / "photos", ("1.jpg",))
    write(tmp_path / "clips/cat/boxes.txt", rows(2))
    assert [s.name for s in open_dataset("folder", str(tmp_path)).sequences] == ["cat"]


def test_frames_alone_say_what_is_lacking(tmp_path: Path) -> None:
    images(tmp_path / "cat/img", ("1.jpg",))
    with pytest.raises(UserError, match=r"frames \(cat\), but no boxes"):
        open_dataset("folder", str(tmp_path))
