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


def names(root: Path) -> list[str]:
    return [sequence.name for sequence in open_dataset("folder", str(root)).sequences]


def clip(path: Path, inside: str = "img") -> None:
    images(path / inside, ("1.png", "2.png"))
    write(path / "groundtruth_rect.txt", rows(2))


class TestSequencesOnSeveralLevels:
    def test_all_are_found(self, tmp_path: Path) -> None:
        for place in ("C", "train/A", "test/B", "more/of/them/D"):
            clip(tmp_path / place)
        assert names(tmp_path) == ["A", "B", "C", "D"]
        assert open_dataset("folder", str(tmp_path)).passed == ()

    def test_in_an_archive_too(self, tmp_path: Path) -> None:
        for place in ("C", "train/A", "test/B"):
            clip(tmp_path / "tree" / place)
        assert names(zipped(tmp_path / "tree", tmp_path / "clips.zip")) == ["A", "B", "C"]

    def test_a_sequence_may_hold_others(self, tmp_path: Path) -> None:
        clip(tmp_path / "root")
        clip(tmp_path / "root/A")
        images(tmp_path / "root/masks", ("1.png",))
        assert names(tmp_path / "root") == ["A", "root"]

    def test_of_one_name_both_places_are_said(self, tmp_path: Path) -> None:
        clip(tmp_path / "A")
        clip(tmp_path / "old/A")
        with pytest.raises(UserError, match=r"called A \(A and old/A\)"):
            open_dataset("folder", str(tmp_path))

    def test_too_deep_to_be_found(self, tmp_path: Path) -> None:
        clip(tmp_path / "A")
        clip(tmp_path / "1/2/3/4/5/B")
        (passed,) = open_dataset("folder", str(tmp_path)).passed
        assert passed.startswith("passed over: 1/2/3/4/5 (folders further than 4 levels below the root")

    def test_links_to_itself_and_to_sequences(self, tmp_path: Path) -> None:
        clip(tmp_path / "train/A")
        (tmp_path / "again").symlink_to("train")
        (tmp_path / "up").symlink_to(".")
        (tmp_path / "train/B").symlink_to("A")
        assert names(tmp_path) == ["A", "B"]


class TestFilesThatLieAround:
    def test_boxes_in_the_root_hide_no_folders(self, tmp_path: Path) -> None:
        clip(tmp_path / "A")
        clip(tmp_path / "B")
        write(tmp_path / "groundtruth.txt", rows(1))
        dataset = open_dataset("folder", str(tmp_path))
        assert [s.name for s in dataset.sequences] == ["A", "B"]
        assert dataset.passed == (
            "passed over: groundtruth.txt (boxes that belong to no folder of frames and no video)",
        )

    @pytest.mark.parametrize("file", ["{root}.txt", "list.txt", "train.txt", "boxes.txt"])
    def test_lists_of_names_are_no_sequences(self, tmp_path: Path, file: str) -> None:
        clip(tmp_path / "clips/train/A")
        clip(tmp_path / "clips/B")
        write(tmp_path / "clips" / file.format(root="clips"), "A\nB\n")
        assert names(tmp_path / "clips") == ["A", "B"]
        assert open_dataset("folder", str(tmp_path / "clips")).passed == ()

    def test_nor_beside_boxes_alone(self, tmp_path: Path) -> None:
        for name in "ab":
            write(tmp_path / f"{name}.txt", rows(2))
        write(tmp_path / "list.txt", "a\nb\n")
        assert names(tmp_path) == ["a", "b"]

    def test_boxes_alone_beside_whole_sequences_are_said(self, tmp_path: Path) -> None:
        clip(tmp_path / "A")
        write(tmp_path / "C.txt", rows(2))
        write(tmp_path / "D/rect.txt", rows(2))
        dataset = open_dataset("folder", str(tmp_path))
        assert dataset.passed[0].startswith("passed over: D/rect.txt, C.txt (boxes that belong to no folder")

    def test_frames_alone_elsewhere_are_said(self, tmp_path: Path) -> None:
        clip(tmp_path / "clips/A")
        images(tmp_path / "photos", ("1.jpg",))
        dataset = open_dataset("folder", str(tmp_path))
        assert (dataset.holes, dataset.passed[0][:28]) == ((), "passed over: photos (frames,")


class TestFrames:
    @pytest.mark.parametrize("inside", ["color", "RGB", "frames", "visible"])
    def test_in_folders_of_other_names(self, tmp_path: Path, inside: str) -> None:
        clip(tmp_path / "ants", inside)
        (sequence,) = open_dataset("folder", str(tmp_path)).sequences
        assert sequence.frames is not None
        assert len(sequence.frames()) == 2

    def test_in_a_folder_that_is_not_looked_into(self, tmp_path: Path) -> None:
        clip(tmp_path / "ants", "depth_maps")
        dataset = open_dataset("folder", str(tmp_path))
        assert dataset.passed == (
            "ants/ has boxes, and images in depth_maps, which is not looked into: call the folder of its frames img",
        )

    def test_in_a_video_of_any_name(self, tmp_path: Path) -> None:
        video(tmp_path / "cat/take_3.mp4", 5)
        write(tmp_path / "cat/boxes.txt", rows(5))
        (sequence,) = open_dataset("folder", str(tmp_path)).sequences
        assert sequence.name == "cat"
        assert sequence.frames is not None
        assert len(sequence.frames()) == 5


def test_two_boxes_files_that_differ_are_said(tmp_path: Path) -> None:
    clip(tmp_path / "ants", "img")
    other = tmp_path / "ants/groundtruth.txt"
    write(other, rows(2))
    assert open_dataset("folder", str(tmp_path)).passed == ()
    write(other, "9,9,9,9\n9,9,9,9\n")
    (words,) = open_dataset("folder", str(tmp_path)).passed
    assert words == "passed over: ants/groundtruth.txt (other boxes than the file beside it that is read: keep one)"
