"""Rows that nobody annotated, absent flags, and what an annotation tool's file does beside a boxes file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.datasets import open_dataset
from inmo.datasets.check import check_dataset
from inmo.errors import UserError
from inmo.reports.scoring.measure import prepare
from inmo.reports.scoring.protocols import protocol
from tests.datasets.own.annotated import clip, flags, opened, rows
from tests.datasets.own.test_cvat import box, xml
from tests.datasets.tiny import numbered, write


def test_a_sequence_begins_with_its_first_box(tmp_path: Path) -> None:
    numbered(tmp_path / "cat/img", 1, 5, 4)
    write(tmp_path / "cat/groundtruth_rect.txt", "nan,nan,nan,nan\nNaN,NaN,NaN,NaN\n1,2,3,4\n,,,\n2,2,3,4\n")
    found = opened(tmp_path)["cat"]
    assert (found.start, rows(found.annotation())) == (3, [[1, 2, 3, 4], None, [2, 2, 3, 4]])
    assert found.frames is not None
    assert [Path(name).name for name in found.frames().names()] == ["0003.jpg", "0004.jpg", "0005.jpg"]


def test_absent_flags_beside_the_boxes(tmp_path: Path) -> None:
    clip(tmp_path / "cat", 4, "video.mp4")
    write(tmp_path / "cat/groundtruth_rect.txt", ",,,\n1,2,3,4\n,,,\n1,2,3,4\n")
    write(tmp_path / "cat/absent.txt", "0\n0\n1\n0\n")
    found = opened(tmp_path)["cat"]
    assert flags(found.annotation()) == [0, 1, 0]
    assert rows(found.annotation()) == [[1, 2, 3, 4], [0, 0, 0, 0], [1, 2, 3, 4]]
    write(tmp_path / "cat/absent.txt", "0\n0\n")
    with pytest.raises(UserError, match=r"has 2 flags, but .* has 4 rows"):
        opened(tmp_path)["cat"].annotation()


def test_boxes_in_a_folder_beside_their_video(tmp_path: Path) -> None:
    write(clip(tmp_path, 3) / "clip/groundtruth_rect.txt", "1,2,3,4\n" * 3)
    found = opened(tmp_path)
    assert list(found) == ["clip"]
    assert found["clip"].frames is not None


def test_no_protocol_scores_frames_that_nobody_annotated(tmp_path: Path) -> None:
    write(clip(tmp_path) / "clip.txt", "1,2,3,4\n,,,\n,,,\n1,2,3,4\n" + ",,,\n" * 6)
    annotation = opened(tmp_path)["clip"].annotation()
    for name in ("pysot", "pytracking", "lasot-matlab", "got10k", "otb", "trackingnet-devkit"):
        assert prepare(annotation, protocol(name), "folder").frames == 2, name
    assert prepare(annotation, protocol("clean"), "folder").frames == 1  # the first is given
    assert prepare(annotation, protocol("pysot"), "uav123").frames == 10  # a row of NaN is a target out of view there
    report = check_dataset(open_dataset("folder", str(tmp_path)))
    assert "8 frames in 1 sequence not annotated: no protocol scores them" in report.facts
    assert report.findings == ()
    assert report.facts[0].endswith("1 of 1 sequences, 2 annotated frames")


def test_a_boxes_file_comes_before_a_tools(tmp_path: Path) -> None:
    write(clip(tmp_path / "cat", name="cat.mp4") / "groundtruth.txt", "1,2,3,4\n" * 10)
    write(tmp_path / "cat/annotations.xml", xml(box(0, 30)))
    dataset = open_dataset("folder", str(tmp_path))
    assert [np.unique(each.annotation().boxes[:, 0]).tolist() for each in dataset.sequences] == [[1.0]]
    assert dataset.passed == (
        "passed over: cat/annotations.xml (other boxes than the file beside it that is read: keep one)",
    )
