"""CVAT for video 1.1: an XML file with a ``track`` per target and a ``box`` per frame or keyframe.

Frames are counted from 0 in the whole video, also where the task shows a part of it or each n-th frame. Between two
boxes CVAT interpolates linearly, the turn by the shorter way; from a box that is ``outside`` to the next the target
cannot be seen; the last box holds to the end of the task. Source: get_interpolated_shapes in
cvat/apps/dataset_manager/annotation.py.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from inmo.datasets.own.tracks import Key, Track, Video, interpolated


def parse(data: bytes) -> tuple[Video, ...]:
    """The video and its tracks. Raises ValueError for what is no whole file of CVAT for video."""
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError) as error:  # an encoding that nobody knows is a LookupError
        raise ValueError(f"it is no whole XML: {error}") from error
    tasks = root.findall("./meta//task") + root.findall("./meta/job")
    if len(tasks) > 1:
        raise ValueError(f"it holds {len(tasks)} tasks: export each by itself")
    tracks = root.findall("track")
    if not tracks and root.find("image") is not None:
        raise ValueError("it is 'CVAT for images', where targets have no track: export as 'CVAT for video'")
    meta = tasks[0] if tasks else root
    step = max(int((re.findall(r"step=(\d+)", meta.findtext("frame_filter") or "") or ["1"])[0]), 1)
    last = _last(meta, step)
    source = root.findtext("./meta/source") or meta.findtext("source") or meta.findtext("name") or ""
    found = (_track(number, track, last, step) for number, track in enumerate(tracks))
    return (Video(source, tuple(track for track in found if track is not None)),)


def _last(meta: Element, step: int) -> int:
    """The last frame of the task; -1 where the file does not say."""
    if stop := meta.findtext("stop_frame"):
        return int(stop)
    size = int(meta.findtext("size") or 0)
    return int(meta.findtext("start_frame") or 0) + (size - 1) * step if size else -1


def _track(number: int, track: Element, last: int, step: int) -> Track | None:
    """A target; None for one whose shapes are no boxes."""
    boxes = track.findall("box")
    name = track.get("id") or str(number)
    if not boxes and len(track):
        return None
    keys = [_key(name, box) for box in boxes]
    return interpolated(name, keys, until=last, step=step)


def _key(track: str, box: Element) -> Key:
    def number(field: str, default: str | None = None) -> float:
        text = box.get(field, default)
        try:
            return float(text or "")
        except ValueError:
            what = "no" if text is None else f"'{text[:20]}' as"
            raise ValueError(f"a box of track {track} (frame {box.get('frame', '?')}) has {what} {field}") from None

    frame = number("frame")
    left, top, right, bottom = (number(field) for field in ("xtl", "ytl", "xbr", "ybr"))
    seen = box.get("outside", "0") != "1"
    return Key(int(frame), (left, top, right - left, bottom - top), number("rotation", "0"), seen, seen)
