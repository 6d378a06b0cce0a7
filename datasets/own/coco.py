"""COCO's JSON with identities: as CVAT, mmtracking (COCO-VID), TAO and YouTube-VIS write it.

An annotation has an ``image_id``, a ``bbox`` x, y, w, h in pixels from 0, and a ``track_id`` or ``instance_id``, its
own or among its ``attributes``; images have a ``video_id`` and a ``frame_id`` where several videos are in one file. In
YouTube-VIS's an annotation is a target, with ``bboxes`` for all frames of a video that lists ``file_names``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from inmo.datasets.own.tracks import Video, plain
from inmo.datasets.reading import natural

_IDS = ("track_id", "instance_id")


def is_export(content: Any) -> bool:
    """Whether parsed JSON is COCO's."""
    return isinstance(content, dict) and "annotations" in content and ("images" in content or "videos" in content)


def parse(content: Any) -> tuple[Video, ...]:
    """The videos, in the file's order. Raises ValueError, KeyError or TypeError for what is no such file."""
    annotations = content["annotations"]
    if any("bboxes" in annotation for annotation in annotations):
        return _by_video(content["videos"], annotations)
    names = {video["id"]: str(video.get("name", "")) for video in content.get("videos", ())}
    images: dict[Any, list[Mapping[str, Any]]] = {}
    home: dict[Any, Any] = {}
    for image in content["images"]:
        if image["id"] in home:
            raise ValueError(f"two of its images have the id {image['id']}")
        folder = str(PurePosixPath(image["file_name"]).parent)
        home[image["id"]] = video = image.get("video_id", "" if folder == "." else folder)
        images.setdefault(video, []).append(image)
    if annotations and not any(_identity(annotation) is not None for annotation in annotations):
        raise ValueError("its annotations have no track_id: export tracks, not single boxes")
    targets: dict[Any, dict[str, list[tuple[Any, Sequence[float]]]]] = {}
    for annotation in annotations:
        target, image = _identity(annotation), annotation["image_id"]
        if image not in home:
            raise ValueError(f"an annotation has the image_id {image}, which no image has")
        if target is not None and annotation.get("bbox"):
            targets.setdefault(home[image], {}).setdefault(str(target), []).append((image, _box(annotation["bbox"])))
    return tuple(_video(names.get(key, str(key)), own, targets.get(key, {})) for key, own in images.items())


def _video(
    name: str, images: list[Mapping[str, Any]], targets: Mapping[str, list[tuple[Any, Sequence[float]]]]
) -> Video:
    key = next((key for key in ("frame_id", "frame_index") if all(key in image for image in images)), "")
    ordered = sorted(images, key=lambda image: (image[key] if key else 0, natural(image["file_name"])))
    places = {image["id"]: place for place, image in enumerate(ordered)}
    tracks = [
        plain(target, [(places[image], box) for image, box in boxes])
        for target, boxes in sorted(targets.items(), key=lambda item: natural(item[0]))
    ]
    files = tuple(str(image["file_name"]) for image in ordered)
    return Video(name, tuple(tracks), files, _numbers([image[key] for image in ordered] if key else files))


def _numbers(frames: Sequence[Any]) -> tuple[int, ...]:
    """The number of each frame in its video, from 0: given ones, or those at the end of file names; else 0, 1, 2 ..."""
    ends = [re.search(r"(\d+)$", PurePosixPath(str(frame)).stem) for frame in frames]
    found = [int(end[1]) for end in ends if end is not None]
    if len(set(found)) < len(frames):
        return tuple(range(len(frames)))
    first = 1 if min(found) == 1 else 0
    return tuple(number - first for number in found)


def _by_video(videos: Any, annotations: Any) -> tuple[Video, ...]:
    found = []
    for video in videos:
        own = [a for a in annotations if a["video_id"] == video["id"]]
        tracks = [
            plain(str(a["id"]), [(frame, _box(box)) for frame, box in enumerate(a["bboxes"]) if box]) for a in own
        ]
        files = tuple(map(str, video.get("file_names", ())))
        name = str(video.get("name") or (PurePosixPath(files[0]).parent if files else ""))
        kept = tuple(track for track in tracks if len(track.frames))
        found.append(Video(name, kept, files, _numbers(files) if files else ()))
    return tuple(found)


def _identity(annotation: Mapping[str, Any]) -> Any:
    """Who it is of; None where the file does not say."""
    for place in (annotation, annotation.get("attributes") or {}):
        for key in _IDS:
            if place.get(key) is not None:
                return place[key]
    return None


def _box(values: Any) -> tuple[float, float, float, float]:
    if len(values) != 4:
        raise ValueError(f"a bbox has {len(values)} numbers instead of 4")
    x, y, w, h = (float(value) for value in values)
    return x, y, w, h
