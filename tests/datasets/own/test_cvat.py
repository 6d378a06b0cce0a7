"""CVAT for video: tracks as sequences, its interpolation, outside, turned boxes, parts of videos, and damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets.own.annotated import clip, flags, opened, reason, rows
from tests.datasets.tiny import numbered, write


def box(frame: int, left: float, *, outside: int = 0, more: str = "") -> str:
    return (
        f'<box frame="{frame}" keyframe="1" outside="{outside}" occluded="0" xtl="{left}" ytl="2" '
        f'xbr="{left + 10}" ybr="8" {more}/>'
    )


def xml(*tracks: str, meta: str = "<size>10</size>") -> str:
    inner = "".join(f'<track id="{number}" label="dog">{boxes}</track>' for number, boxes in enumerate(tracks))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta><task><name>job</name>'
        f"{meta}<source>clip.mp4</source></task></meta>{inner}</annotations>"
    )


def test_between_keyframes_boxes_move_linearly_and_the_last_holds(tmp_path: Path) -> None:
    write(clip(tmp_path) / "annotations.xml", xml(box(2, 4) + box(6, 12)))
    found = opened(tmp_path)["clip"]
    lefts = [4, 6, 8, 10, 12, 12, 12, 12]  # frames 2 to 9
    assert rows(found.annotation()) == [[left, 2, 10, 6] for left in lefts]
    assert flags(found.annotation()) == [0] * 8
    assert (found.start, found.origin) == (3, 0)
    assert found.frames is not None
    assert abs(int(found.frames().read(0).mean()) - 20) <= 3  # frame 2 is of shade 20


def test_outside_is_absent_up_to_the_next_keyframe(tmp_path: Path) -> None:
    write(clip(tmp_path) / "clip.xml", xml(box(0, 4) + box(2, 4, outside=1) + box(5, 20) + box(7, 20, outside=1)))
    annotation = opened(tmp_path)["clip"].annotation()
    assert flags(annotation) == [0, 0, 1, 1, 1, 0, 0]  # it ends where the target was last seen
    assert rows(annotation)[1:6] == [[4, 2, 10, 6], [0] * 4, [0] * 4, [0] * 4, [20, 2, 10, 6]]


def test_towards_an_outside_keyframe_boxes_move_on(tmp_path: Path) -> None:
    write(clip(tmp_path) / "clip.xml", xml(box(0, 4) + box(4, 12, outside=1)))
    assert [row[0] for row in rows(opened(tmp_path)["clip"].annotation()) if row] == [4, 6, 8, 10]


def test_several_tracks_are_sequences_that_know_each_other(tmp_path: Path) -> None:
    write(clip(tmp_path) / "clip.xml", xml(box(0, 4), box(3, 30), "<polygon frame='0' points='1,2;3,4'/>"))
    found = opened(tmp_path)
    assert list(found) == ["clip-0", "clip-1"]
    assert found["clip-0"].others is not None
    others = found["clip-0"].others()
    assert others.shape == (1, 10, 4)
    assert others[0, 3:, 0].tolist() == [30] * 7


def test_a_turned_box_is_its_enclosing_rectangle(tmp_path: Path) -> None:
    write(clip(tmp_path) / "clip.xml", xml(box(0, 4, more='rotation="350"') + box(2, 4, more='rotation="190"')))
    first, middle, last = rows(opened(tmp_path)["clip"].annotation())[:3]
    assert middle == [6, 0, 6, 10]  # 350 to 190 goes over 270: a quarter turn of 10 x 6 about (9, 5)
    assert first is not None and last is not None
    assert first[2] == pytest.approx(10 * 0.984808 + 6 * 0.173648, abs=1e-4)
    assert last[2:] == pytest.approx(first[2:])


def test_frames_that_the_task_did_not_show_are_not_annotated(tmp_path: Path) -> None:
    meta = "<size>4</size><start_frame>0</start_frame><stop_frame>9</stop_frame><frame_filter>step=3</frame_filter>"
    write(clip(tmp_path) / "clip.xml", xml(box(0, 4) + box(6, 10), meta=meta))
    assert rows(opened(tmp_path)["clip"].annotation()) == [
        [4, 2, 10, 6], None, None, [7, 2, 10, 6], None, None, [10, 2, 10, 6], None, None, [10, 2, 10, 6],
    ]  # fmt: skip


def test_images_of_an_export_and_a_folder_of_its_name(tmp_path: Path) -> None:
    numbered(tmp_path / "a/images", 0, 9, 6)
    write(tmp_path / "a/annotations.xml", xml(box(0, 1)))
    numbered(tmp_path / "b/img", 1, 10, 4)
    write(tmp_path / "b.xml", xml(box(0, 1)))
    assert list(opened(tmp_path)) == ["a", "b"]


def test_annotations_alone_can_be_scored(tmp_path: Path) -> None:
    write(tmp_path / "clips/clip.xml", xml(box(0, 1)))
    (found,) = opened(tmp_path).values()
    assert (found.frames, len(found.annotation())) == (None, 10)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (xml(box(0, 4))[:-30], "no whole XML"),
        (xml(box(0, 4).replace('xtl="4"', "")), "a box of track 0 (frame 0) has no xtl"),
        (xml(box(0, 4).replace('xtl="4"', 'xtl="four"')), "has 'four' as xtl"),
        (xml(box(3, 4) + box(3, 5)), "two boxes in frame 3"),
        (xml(""), "target 0 has no box"),
        (xml(), "holds no box of a target"),
        (xml(box(10**12, 4)), "which no video has"),
        ('<annotations><image id="0" name="a.jpg"><box xtl="1"/></image></annotations>', "'CVAT for images'"),
        (xml(box(0, 4, outside=1)), "shows it"),
    ],
)
def test_damage_is_said_in_a_line(tmp_path: Path, text: str, words: str) -> None:
    write(clip(tmp_path) / "clip.xml", text)
    message = reason(tmp_path)
    assert words in message
    assert "clip.xml" in message


def test_a_video_that_is_not_the_annotated_one(tmp_path: Path) -> None:
    write(clip(tmp_path, 5) / "clip.xml", xml(box(0, 4) + box(6, 10)))
    from inmo.datasets import open_dataset
    from inmo.errors import UserError

    (sequence,) = open_dataset("folder", str(tmp_path)).sequences
    with pytest.raises(UserError, match=r"has a box in frame 6, counted from 0, but .*clip.mp4 has 5 frames"):
        sequence.annotation()
