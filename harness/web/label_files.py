"""Labels on disk: ``groundtruth_rect.txt``, ``absent.txt``, and in ``keyframes.json`` which of the boxes are keys."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.files import Tree
from inmo.datasets.images import VIDEO_SUFFIXES
from inmo.datasets.own.media import IMAGE_FOLDERS, media_of
from inmo.datasets.own.rows import FLAGS
from inmo.datasets.reading import read_flags
from inmo.datasets.text import parse_rows
from inmo.errors import UserError
from inmo.harness.web.keyframes import Key, Keyframes, Source
from inmo.whole_files import place

BOXES, KEYS = "groundtruth_rect.txt", "keyframes.json"
_SOURCES: tuple[Source, ...] = ("drawn", "tracked", "absent")


def home_of(video: Path) -> Path:
    """The folder whose boxes are a video's own, as the ``folder`` data set reads it.

    ``clips/dog.mp4`` has ``clips/dog/``; ``dog/video.mp4``, ``dog/dog.mp4``, ``dog/img/`` and images in ``dog/`` have
    ``dog/``.

    Raises UserError where boxes of it lie elsewhere, or the folder holds another video's frames.
    """
    video = video.resolve()
    if video.is_dir():
        return video.parent if video.name.casefold() in IMAGE_FOLDERS else video
    if video.stem in ("video", video.parent.name) and video.suffix.lower() in VIDEO_SUFFIXES:
        return video.parent
    flat, home = video.with_suffix(".txt"), video.with_suffix("")
    if flat.is_file():
        raise UserError(f"{flat} has boxes of this video already: move it to {home / BOXES} to go on with them")
    if home.is_dir() and media_of(Tree(home), "", home.name, True) is not None:
        raise UserError(f"{home} is where the boxes of {video.name} would lie, and has other frames: rename the video")
    return home


def load(home: Path, length: int) -> Keyframes:
    """The keys of a video of ``length`` frames; none where nothing was saved.

    Boxes that were saved by something else, or changed since, are all taken as drawn. Raises UserError for files that
    do not fit.
    """
    found = Keyframes(length)
    path = home / BOXES
    if not path.is_file():
        return found
    tree = Tree(home)
    boxes = parse_rows(tree.read(BOXES), where=str(path))
    absent = read_flags(tree, FLAGS) if tree.exists(FLAGS) else np.zeros(len(boxes), np.bool_)
    for name, count in ((BOXES, len(boxes)), (FLAGS, len(absent))):
        if count != length:
            raise UserError(f"{home / name} has {count} rows, but the video {length} frames: mend it, or move it away")
    sources = _sources(home / KEYS)
    known = np.flatnonzero(absent | np.isfinite(boxes).all(axis=1)).tolist()
    found.keys = {n: _key(sources[n], boxes[n], bool(absent[n])) for n in known if n in sources}
    if not sources or _rows(found) != _lines(boxes, absent):
        found.keys = {n: _key("drawn", boxes[n], bool(absent[n])) for n in known}
    return found


def save(home: Path, keyframes: Keyframes) -> None:
    """Write the three files whole. Raises UserError where they cannot be written."""
    rows = _rows(keyframes)
    keys = {
        source: sorted(frame for frame, key in keyframes.keys.items() if key.source == source) for source in _SOURCES
    }
    place(home / KEYS, f"{json.dumps(keys)}\n".encode())
    place(home / FLAGS, "".join(f"{flag}\n" for _, flag in rows).encode())
    place(home / BOXES, "".join(f"{row}\n" for row, _ in rows).encode())


def _key(source: Source, box: Boxes, absent: bool) -> Key:
    if absent:
        return Key("absent")
    x, y, w, h = box.tolist()
    return Key("tracked" if source == "tracked" else "drawn", (x, y, w, h))


def _sources(path: Path) -> dict[int, Source]:
    """Frame -> who said it; empty where the file is not there or is none of ours."""
    try:
        content = json.loads(path.read_bytes())
        return {int(frame): source for source in _SOURCES for frame in content[source]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _rows(keyframes: Keyframes) -> list[tuple[str, int]]:
    _, annotation = keyframes.filled()
    assert annotation.absent is not None
    return _lines(annotation.boxes, annotation.absent)


def _lines(boxes: Boxes, absent: np.typing.NDArray[np.bool_]) -> list[tuple[str, int]]:
    """A row of the boxes file and a flag per frame."""
    return [
        (",".join("nan" if np.isnan(v) else f"{v:.3f}".rstrip("0").rstrip(".") for v in row), int(flag))
        for row, flag in zip(boxes.tolist(), absent.tolist(), strict=True)
    ]
