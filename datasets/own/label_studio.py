"""Label Studio's JSON and JSON-MIN of its ``VideoRectangle``: tasks with regions, each a ``sequence`` of keyframes.

Frames are counted from 1; x, y, width, height are percentages of the frame, turned clockwise about the upper left
corner. Between two keyframes all is linear while the first is ``enabled``; one that is not shows its own frame and
nothing up to the next; the last holds to the end. Source: VideoRectangleRegion and isInLifespan in Label Studio's
editor, extract_key_frames in label-studio-sdk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from inmo.datasets.own.tracks import Key, Track, Video, interpolated

_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")  # what an upload's name begins with


def parse(tasks: Any) -> tuple[Video, ...]:
    """A video per task. Raises ValueError, KeyError or TypeError for what is no export of Label Studio's."""
    return tuple(_video(task) for task in tasks)


def is_export(content: Any) -> bool:
    """Whether parsed JSON is a list of Label Studio's tasks that has to do with videos."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(task, dict) for task in content)
        and any(_results(task) or "annotations" in task for task in content)
    )


def _video(task: Mapping[str, Any]) -> Video:
    data = task.get("data", task)
    path = next((text for key, text in data.items() if isinstance(text, str) and ("video" in key or "/" in text)), "")
    name = _UPLOADED.sub("", PurePosixPath(unquote(path.partition("?")[0])).name)
    return Video(name, tuple(_track(str(k), value) for k, value in enumerate(_results(task), 1)))


def _results(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The values of a task's regions that have a sequence: of the annotation marked as ground truth, or the first."""
    if "annotations" in task:
        usable = [a for a in task["annotations"] if isinstance(a, dict) and not a.get("was_cancelled")]
        usable.sort(key=lambda a: not a.get("ground_truth"))
        regions: Iterator[Any] = (region.get("value") for a in usable[:1] for region in a.get("result", ()))
    else:
        lists = (value for value in task.values() if isinstance(value, list))
        regions = (region for values in lists for region in values)
    return [region for region in regions if isinstance(region, dict) and "sequence" in region]


def _track(name: str, value: Mapping[str, Any]) -> Track:
    keys = []
    for key in value["sequence"]:
        box = tuple(float(key[side]) / 100 for side in ("x", "y", "width", "height"))
        keys.append(
            Key(int(key["frame"]) - 1, box, float(key.get("rotation") or 0), lasts=bool(key.get("enabled", True)))  # type: ignore[arg-type]
        )
    until = int(value.get("framesCount") or 0) - 1
    return interpolated(name, keys, until=until, relative=True, pivot=(0.0, 0.0), shortest=False)
