"""Labelling as a page asks for it: boxes, proposals that stop where a person has spoken, and what is on the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.errors import UserError
from inmo.harness.run.setup import configure
from inmo.harness.web.following import Follower
from inmo.harness.web.footage import Footage
from inmo.harness.web.keyframes import BETWEEN, DRAWN, NOTHING, TRACKED
from inmo.harness.web.label import Labels
from tests.clips import LENGTHS

FIRST = [4.0, 6.0, 16.0, 14.0]


@pytest.fixture
def labels(clips: Path) -> Labels:
    (clips / "long" / "groundtruth_rect.txt").unlink()
    footage = Footage(clips / "long")
    return Labels(clips / "long", footage, Follower(configure("kcf", {}), footage, "folder", "cpu"))


def rows(labels: Labels) -> list[str]:
    return (labels.home / "groundtruth_rect.txt").read_text().splitlines()


def test_from_a_box_to_the_end_of_the_video(labels: Labels) -> None:
    ask = labels.answers
    before = ask["state"]({})
    assert (before["frames"], before["width"], before["height"], before["tracker"]) == (12, 64, 48, "KCF")
    assert set(before["kinds"]) == {NOTHING}
    assert not (labels.home / "groundtruth_rect.txt").exists(), "looking saves nothing"
    ask["draw"]({"frame": 0, "box": FIRST})
    found = ask["propose"]({"frame": 0, "count": 5})
    assert (found["at"], found["said"], found["kinds"][:7]) == (5, "", [DRAWN, *[TRACKED] * 5, NOTHING])
    found = ask["propose"]({"frame": 5, "count": 50})
    assert (found["at"], found["said"]) == (11, "this is the last frame")
    assert len(rows(labels)) == LENGTHS["long"]
    boxes = np.array([[float(v) for v in row.split(",")] for row in rows(labels)])
    truth = np.array([[4 + 2 * i, 6 + i, 16, 14] for i in range(12)])
    assert np.abs(boxes - truth).max() < 3


def test_a_correction_is_where_the_tracker_starts_anew(labels: Labels) -> None:
    ask = labels.answers
    ask["draw"]({"frame": 0, "box": FIRST})
    ask["propose"]({"frame": 0, "count": 11})
    found = ask["draw"]({"frame": 4, "box": [12, 10, 16, 14]})
    assert found["kinds"][3:] == [TRACKED, DRAWN, *[NOTHING] * 7]
    ask["draw"]({"frame": 8, "box": [20, 14, 16, 14]})
    found = ask["propose"]({"frame": 4, "count": 11})
    assert (found["at"], found["said"]) == (7, "you have labelled the next frame")
    found = ask["smooth"]({"frame": 6})
    assert found["kinds"][4:9] == [DRAWN, BETWEEN, BETWEEN, BETWEEN, DRAWN]
    assert rows(labels)[6] == "16,12,16,14"
    assert ask["hide"]({"frame": 10})["kinds"][9:] == [NOTHING, 4, NOTHING]
    assert (labels.home / "absent.txt").read_text().split()[10] == "1"
    assert ask["forget"]({"frame": 10})["kinds"][10] == NOTHING


def test_proposals_go_on_as_one_run_of_the_tracker(labels: Labels) -> None:
    ask = labels.answers
    ask["draw"]({"frame": 0, "box": FIRST})
    ask["propose"]({"frame": 0, "count": 11})
    whole = rows(labels)
    ask["draw"]({"frame": 0, "box": FIRST})
    for frame in range(11):
        ask["propose"]({"frame": frame, "count": 1})
    assert rows(labels) == whole


def test_boxes_that_are_none(labels: Labels) -> None:
    for box in ([1, 2, 0, 4], [1, 2, 3, float("nan")], [-9, 2, 8, 4], [64, 2, 8, 4]):
        with pytest.raises(UserError, match="box"):
            labels.answers["draw"]({"frame": 0, "box": box})
    assert labels.answers["propose"]({"frame": 3, "count": 1})["said"] == "draw a box in this frame first"
    for given in ({"frame": 12, "box": FIRST}, {"frame": -1, "box": FIRST}):
        with pytest.raises(IndexError):
            labels.answers["draw"](given)
    with pytest.raises(IndexError):
        labels.picture(1, 0)
    assert labels.picture(0, 11)[:2] == b"\xff\xd8"


def test_a_tracker_that_looks_boxes_up(clips: Path) -> None:
    with pytest.raises(UserError, match="name a tracker that looks at frames"):
        Follower(configure("oracle", {}), Footage(clips / "long"), "folder", "cpu")
