"""COCO with identities: of one video and several, with and without images, as a target per annotation, and damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.datasets.own.annotated import as_json, clip, opened, reason, rows
from tests.datasets.tiny import images, numbered


def image(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": name, "width": 64, "height": 48, **more}


def mark(image_id: int, left: float, **more: Any) -> dict[str, Any]:
    return {"id": image_id * 10 + more.get("track_id", 0), "image_id": image_id, "bbox": [left, 2, 5, 6], **more}


def coco(images: list[Any], marks: list[Any], **more: Any) -> dict[str, Any]:
    return {"images": images, "annotations": marks, "categories": [{"id": 1, "name": "dog"}], **more}


def test_a_video_file_and_cvats_attributes(tmp_path: Path) -> None:
    frames = [image(k + 1, f"frame_{k:06d}.PNG") for k in range(10)]
    marks = [mark(k, k, attributes={"track_id": t, "occluded": False}) for k in (2, 3, 6) for t in (0, 4)]
    as_json(clip(tmp_path) / "annotations/instances_default.json", coco(frames, marks))
    found = opened(tmp_path)
    root = tmp_path.name
    assert list(found) == [f"{root}-0", f"{root}-4"]
    assert rows(found[f"{root}-0"].annotation()) == [[2, 2, 5, 6], [3, 2, 5, 6], None, None, [6, 2, 5, 6]]
    assert found[f"{root}-0"].start == 2  # image 2 is frame 1 from 0


def test_several_videos_with_their_images_in_the_order_of_frame_ids(tmp_path: Path) -> None:
    numbered(tmp_path / "a", 1, 3, 4)
    numbered(tmp_path / "b", 1, 3, 4)
    frames = [
        image(v * 10 + k, f"{name}/{k:04d}.jpg", video_id=v, frame_id=3 - k)
        for v, name in ((1, "a"), (2, "b"))
        for k in (1, 2, 3)
    ]
    marks = [mark(11, 1, instance_id=5), mark(12, 2, instance_id=5), mark(23, 3, instance_id=5)]
    videos = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    as_json(tmp_path / "all.json", coco(frames, marks, videos=videos))
    found = opened(tmp_path)
    assert rows(found["a"].annotation()) == [[2, 2, 5, 6], [1, 2, 5, 6]]
    assert found["a"].frames is not None
    assert [Path(name).name for name in found["a"].frames().names()] == ["0002.jpg", "0001.jpg"]
    assert rows(found["b"].annotation()) == [[3, 2, 5, 6]]


def test_folders_tell_videos_apart_where_the_file_does_not(tmp_path: Path) -> None:
    images(tmp_path / "images/a", ("1.jpg", "2.jpg"))
    images(tmp_path / "images/b", ("1.jpg", "2.jpg"))
    frames = [image(1, "a/1.jpg"), image(2, "a/2.jpg"), image(3, "b/1.jpg"), image(4, "b/2.jpg")]
    as_json(tmp_path / "x.json", coco(frames, [mark(1, 1, track_id=1), mark(4, 2, track_id=1)]))
    assert {name: rows(each.annotation()) for name, each in opened(tmp_path).items()} == {
        "a": [[1, 2, 5, 6]],
        "b": [[2, 2, 5, 6]],
    }


def test_a_target_per_annotation(tmp_path: Path) -> None:
    images(tmp_path / "JPEGImages/v1", ("00.jpg", "05.jpg", "10.jpg"))
    video = {"id": 1, "file_names": ["v1/00.jpg", "v1/05.jpg", "v1/10.jpg"], "width": 64, "height": 48, "length": 3}
    marks = [
        {"id": 9, "video_id": 1, "bboxes": [None, [1, 2, 3, 4], None]},
        {"id": 3, "video_id": 1, "bboxes": [None] * 3},
    ]
    as_json(tmp_path / "instances.json", {"videos": [video], "annotations": marks})
    (found,) = opened(tmp_path).values()
    assert (found.name, found.start, rows(found.annotation())) == ("v1", 2, [[1, 2, 3, 4]])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (coco([image(1, "1.jpg")], [mark(1, 2)]), "its annotations have no track_id"),
        (coco([image(1, "1.jpg")], [mark(2, 2, track_id=1)]), "has the image_id 2, which no image has"),
        (coco([{"id": 1}], [mark(1, 2, track_id=1)]), "something lacks 'file_name'"),
        (coco([image(1, "1.jpg")], [mark(1, 2, track_id=1), mark(1, 3, track_id=1)]), "two boxes in frame 0"),
        (coco([image(1, "1.jpg"), image(1, "2.jpg")], []), "two of its images have the id 1"),
        (coco([image(1, "1.jpg")], [{**mark(1, 2, track_id=1), "bbox": [1, 2, 3]}]), "3 numbers instead of 4"),
        (coco([], []), "holds no box of a target"),
    ],
)
def test_damage_is_said_in_a_line(tmp_path: Path, content: Any, words: str) -> None:
    as_json(tmp_path / "x.json", content)
    message = reason(tmp_path)
    assert words in message
    assert "x.json" in message


def test_json_of_other_things_is_nothing(tmp_path: Path) -> None:
    as_json(clip(tmp_path) / "x.json", {"annotations": "none", "version": 3})
    (tmp_path / "y.json").write_text('{"half": ')
    (tmp_path / "clip.txt").write_text("1,2,3,4\n" * 10)
    assert list(opened(tmp_path)) == ["clip"]
