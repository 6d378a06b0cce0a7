"""Label Studio's video regions: percentages, enabled, several annotators, both JSON forms, and damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.datasets.own.annotated import as_json, clip, flags, opened, reason, rows


def key(frame: int, x: float, *, enabled: bool = True, rotation: float = 0) -> dict[str, Any]:
    box = {"x": x, "y": 25, "width": 12.5, "height": 50}  # of 64 x 48: y 12, 8 x 24 pixels
    return {"frame": frame, "enabled": enabled, "rotation": rotation, "time": frame / 25, **box}


def region(*keys: dict[str, Any], count: int = 10) -> dict[str, Any]:
    value = {"framesCount": count, "duration": 0.4, "sequence": list(keys), "labels": ["dog"]}
    return {"value": value, "id": "aB3", "from_name": "box", "to_name": "video", "type": "videorectangle"}


def task(*regions: dict[str, Any], video: str = "/data/upload/1/0a1b2c3d-clip.mp4", **more: Any) -> dict[str, Any]:
    return {"id": 7, "annotations": [{"id": 1, "result": list(regions), **more}], "data": {"video": video}}


def test_percentages_of_the_frame_between_keyframes_from_1(tmp_path: Path) -> None:
    as_json(clip(tmp_path) / "project-1.json", [task(region(key(2, 0), key(4, 50)))])
    found = opened(tmp_path)["clip"]
    assert found.start == 2
    assert rows(found.annotation()) == [[x, 12, 8, 24] for x in (0, 16, 32, *[32] * 6)]


def test_a_keyframe_that_is_not_enabled_is_the_last_of_its_span(tmp_path: Path) -> None:
    keys = (key(1, 0), key(3, 50, enabled=False), key(6, 25), key(7, 25, enabled=False))
    as_json(clip(tmp_path) / "x.json", [task(region(*keys))])
    annotation = opened(tmp_path)["clip"].annotation()
    assert flags(annotation) == [0, 0, 0, 1, 1, 0, 0]
    assert [row and row[0] for row in rows(annotation)] == [0, 16, 32, 0, 0, 16, 16]


def test_turns_are_about_the_upper_left_corner(tmp_path: Path) -> None:
    as_json(clip(tmp_path) / "x.json", [task(region(key(1, 50, rotation=90)))])
    assert rows(opened(tmp_path)["clip"].annotation())[0] == [32 - 24, 12, 24, 8]


def test_several_regions_tasks_and_annotators(tmp_path: Path) -> None:
    first = task(region(key(1, 0)), region(key(3, 0)))
    second = task(region(key(1, 25)), video="s3://bucket/other.mp4?token=a%2Fb")
    second["annotations"].append({"ground_truth": True, "result": [region(key(1, 50))]})
    as_json(clip(clip(tmp_path), name="other.mp4") / "x.json", [first, second])
    found = opened(tmp_path)
    assert list(found) == ["clip-1", "clip-2", "other"]
    assert rows(found["other"].annotation())[0] == [32, 12, 8, 24]


def test_the_small_form(tmp_path: Path) -> None:
    small = {"id": 1, "video": "/data/upload/1/0a1b2c3d-clip.mp4", "box": [region(key(1, 0))["value"]], "annotator": 1}
    as_json(clip(tmp_path) / "x.json", [small])
    assert len(opened(tmp_path)["clip"].annotation()) == 10


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([task(region({"frame": 1, "x": 1, "y": 1, "width": 2}))], "something lacks 'height'"),
        ([task(region({**key(1, 0), "x": "left"}))], "could not convert string to float: 'left'"),
        ([task(region(key(0, 0)))], "has frame -1"),
        ([task(region())], "target 1 has no box"),
        ([task()], "holds no box of a target"),
        ([task(region(key(1, 0)), was_cancelled=True)], "holds no box of a target"),
    ],
)
def test_damage_is_said_in_a_line(tmp_path: Path, content: Any, words: str) -> None:
    as_json(clip(tmp_path) / "x.json", content)
    message = reason(tmp_path)
    assert words in message
    assert "x.json" in message


def test_half_a_file(tmp_path: Path) -> None:
    path = as_json(clip(tmp_path) / "x.json", [task(region(key(1, 0)))])
    path.write_bytes(path.read_bytes()[:-20])
    assert "x.json is no sound file of Label Studio: it is no whole JSON" in reason(tmp_path)


def test_without_its_video(tmp_path: Path) -> None:
    as_json(tmp_path / "x.json", [task(region(key(1, 0)))])
    assert "its frames are not there" in reason(tmp_path)
