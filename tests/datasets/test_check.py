"""``check``: a sound copy has no finding; each kind of damage has one clear line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inmo.datasets import open_dataset
from inmo.datasets.check import Report, check_dataset
from inmo.datasets.images import ImageFrames
from tests.datasets.tiny import images, numbered, picture, rows, video, write


def folder(root: Path, count: int = 4, text: str | None = None) -> Path:
    numbered(root / "cat/img", 1, count, 4)
    write(root / "cat/groundtruth.txt", rows(count) if text is None else text)
    return root


def check(root: Path, name: str = "folder", **options: int) -> Report:
    return check_dataset(open_dataset(name, str(root)), **options)  # type: ignore[arg-type]


def only(report: Report) -> str:
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def test_a_sound_copy(tmp_path: Path) -> None:
    report = check(folder(tmp_path))
    assert report.findings == ()
    assert any("1 of 1 sequences, 4 annotated frames" in line for line in report.facts)
    assert any("4 images read; sizes (sequences): 16x12 (1)" in line for line in report.facts)
    assert report.lines()[-1] == "sound"


def test_boxes_at_the_edge_are_no_corners(tmp_path: Path) -> None:
    assert check(folder(tmp_path, text="12,2,5,6\n" * 4)).findings == ()  # they end at 17 of 16, which a slack allows
    assert check(folder(tmp_path, text="12,2,9,6\n" * 4)).findings == ()  # too wide, but 9 lies left of 12


def test_first_boxes_without_images_are_enough_for_nothing(tmp_path: Path) -> None:
    write(tmp_path / "TEST/anno/-Dz7OIf54b0_0.txt", rows(1))
    report = check(tmp_path, "trackingnet")
    assert report.facts[1:] == (
        "1 sequence with the first box alone: to be tracked, not scored here",
        "first boxes alone, no images: add the images to track, and the other boxes to score",
    )


def test_what_was_passed_over_is_a_finding(tmp_path: Path) -> None:
    write(folder(tmp_path) / "groundtruth.txt", rows(1))
    assert only(check(tmp_path)).startswith("passed over: groundtruth.txt (boxes that belong to no folder")


def test_a_truncated_jpeg(tmp_path: Path) -> None:
    write(folder(tmp_path) / "cat/img/0003.jpg", picture()[:-20])
    assert "0003.jpg is a truncated JPEG" in only(check(tmp_path))


def test_several_unreadable_images_are_one_line(tmp_path: Path) -> None:
    for name in ("0002", "0004"):
        write(folder(tmp_path) / f"cat/img/{name}.jpg", b"")
    write(tmp_path / "cat/img/0002.jpg", b"no image")
    line = only(check(tmp_path))
    assert "0002.jpg cannot be decoded" in line
    assert "2 images of the sequence" in line


def test_a_size_that_changes(tmp_path: Path) -> None:
    images(folder(tmp_path) / "cat/img", ("0004.jpg",), width=20)
    assert "the image size changes within the sequence: 16x12 (3), 20x12 (1)" in only(check(tmp_path))


def test_lengths_that_differ(tmp_path: Path) -> None:
    assert "4 images, but" in only(check(folder(tmp_path, text=rows(5))))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2,5,6\n1,2,0,6\n1,2,5,-6\n1,2,5,6\n", "boxes of zero or negative size in visible frames: cat (2)"),
        ("16,2,5,6\n" + rows(3), "the first box 16,2,5,6 lies outside its image of 16x12"),
        ("1,2,5\n" + rows(3), "line 1 of"),
        ("9,2,14,8\n" * 4, "nearly every box passes the edge of its image: cat; corners x1, y1, x2, y2"),
        ("0.1,0.2,0.5,0.5\n" * 4, "no box is larger than a pixel: cat; numbers relative to the image's size"),
    ],
)
def test_broken_rows(tmp_path: Path, text: str, words: str) -> None:
    assert words in only(check(folder(tmp_path, text=text)))


def test_rows_of_nan_where_the_benchmark_has_none(tmp_path: Path) -> None:
    dataset = open_dataset("folder", str(folder(tmp_path, text="1,2,5,6\nnan,nan,nan,nan\n1,2,5,6\n1,2,5,6\n")))
    strict = replace(dataset, benchmark=replace(dataset.benchmark, gaps=False))
    assert only(check_dataset(strict)) == "rows that are NaN: cat (1)"


def test_a_first_box_without_area_stops_every_tracker(tmp_path: Path) -> None:
    report = check(folder(tmp_path, text="1,2,0,0\n" + rows(3)))
    assert any("the first box 1,2,0,0 is no box" in line for line in report.findings)


def test_missing_sequences_and_frames_of_a_benchmark(tmp_path: Path) -> None:
    write(tmp_path / "Deer/groundtruth_rect.txt", rows(71))
    numbered(tmp_path / "Deer/img", 1, 70, 4)
    write(tmp_path / "Couple/groundtruth_rect.txt", rows(140))
    report = check(tmp_path, "otb100")
    missing, frames, deer = report.findings
    assert missing.startswith("98 of 100 sequences are missing (not found below the root): Basketball, Biker")
    assert frames == "1 sequence without frames: Couple"
    assert "lacks 1 of 71 frames" in deer


def test_nan_rows_of_uav123_and_the_zero_row_of_board_are_facts(tmp_path: Path) -> None:
    write(tmp_path / "uav/person22.txt", rows(198) + "NaN,NaN,NaN,NaN\n")
    report = check(tmp_path / "uav", "uav123")
    assert len(report.findings) == 1  # 122 missing sequences
    assert any("1 NaN row in 1 sequence:" in line for line in report.facts)
    write(tmp_path / "otb/Board.txt", rows(697) + "0,0,0,0\n")
    report = check(tmp_path / "otb", "otb100")
    assert len(report.findings) == 1
    assert any("Board (1)" in line for line in report.facts)


def test_absent_flags_that_are_missing_are_a_finding(tmp_path: Path) -> None:
    write(tmp_path / "BatMan_video_09_done.txt", rows(395) + "0,0,0,0\n")
    assert any("without absent flags" in line for line in check(tmp_path, "tnl2k").findings)


def test_sampling_and_names_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, count=10)
    seen: list[int] = []
    read = ImageFrames.read
    monkeypatch.setattr(ImageFrames, "read", lambda self, index: seen.append(index) or read(self, index))
    check(tmp_path, every=4)
    assert sorted(seen) == [0, 4, 8, 9]
    seen.clear()
    check(tmp_path, read_images=False)
    assert seen == []


def test_an_interruption_ends_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, count=200)
    seen: list[int] = []

    def read(self: ImageFrames, index: int) -> None:
        seen.append(index)
        raise KeyboardInterrupt

    monkeypatch.setattr(ImageFrames, "read", read)
    with pytest.raises(KeyboardInterrupt):
        check(tmp_path)
    assert len(seen) < 100


def test_a_video(tmp_path: Path) -> None:
    video(tmp_path / "cat/video.mp4", 6)
    write(tmp_path / "cat/boxes.txt", rows(6))
    report = check(tmp_path)
    assert report.findings == ()
    assert any("64x48 (1)" in line for line in report.facts)


def test_one_cause_is_one_finding_and_the_images_are_read_all_the_same(tmp_path: Path) -> None:
    images(tmp_path / "TEST/frames/-Dz7OIf54b0_0", ("1.jpg",))
    write(tmp_path / "TEST/anno/-Dz7OIf54b0_0.txt", rows(1))
    assert len(check(tmp_path, "trackingnet").findings) == 2  # the gap, and 510 missing sequences
    write(tmp_path / "otb/Deer/groundtruth_rect.txt", rows(70))
    numbered(tmp_path / "otb/Deer/img", 1, 71, 4)
    write(tmp_path / "otb/Deer/img/0005.jpg", b"")
    findings = check(tmp_path / "otb", "otb100").findings
    assert len(findings) == 3
    assert "70 rows" in findings[1]
    assert "0005.jpg" in findings[2]
