"""What an annotation file says, whoever wrote it: videos with targets, and a target's boxes over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes, polygon_to_xywh

Integers = NDArray[np.int64]
MOST_FRAMES = 1_000_000
"""Of a video: a file that names a later one is damaged, and would take as much memory."""


@dataclass(frozen=True)
class Key:
    """A box that somebody drew.

    Attributes:
        frame: its number, from 0.
        box: x, y, w, h.
        angle: degrees clockwise, about the track's pivot.
        shown: the target can be seen in this frame.
        lasts: it can be seen from here to the next key too, or to the end of the video after the last.
    """

    frame: int
    box: tuple[float, float, float, float]
    angle: float = 0.0
    shown: bool = True
    lasts: bool = True


@dataclass(frozen=True)
class Track:
    """One target.

    Attributes:
        name: the file's name or number of it, unique in its video.
        frames: (n,) frames about which the file says something, ascending from 0.
        boxes: (n, 4) x, y, w, h in pixels; with ``relative`` x and w in widths of the frame, y and h in heights.
        angles: (n,) degrees clockwise by which the boxes are turned.
        absent: (n,) True where the file says that the target cannot be seen.
        until: the last frame to which the last box holds; -1 where it stands for its own frame alone.
        step: of the frames after the last box, each ``step``-th is annotated.
        pivot: in widths and heights of a box, the point it is turned about.
        flagged: the format says where a target is absent; otherwise frames without a box are not annotated.
    """

    name: str
    frames: Integers
    boxes: Boxes
    angles: NDArray[np.float64]
    absent: NDArray[np.bool_]
    until: int = -1
    step: int = 1
    relative: bool = False
    pivot: tuple[float, float] = (0.5, 0.5)
    flagged: bool = False


@dataclass(frozen=True)
class Video:
    """A video as an annotation file describes it.

    Attributes:
        name: what the file calls it, a path perhaps; empty where it does not say.
        tracks: the targets.
        files: its frames' files in order, where the file lists them; ``Track.frames`` counts these.
        numbers: the number that each of ``files`` would have in a video file.
        stems: frame -> the name of its image file without suffix, where names decide which frame is which.
        origin: 0 or 1, what its pixels are counted from.
    """

    name: str
    tracks: tuple[Track, ...]
    files: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    stems: tuple[str, ...] = ()
    origin: int = 0


def plain(name: str, rows: Sequence[tuple[int, Sequence[float]]], *, relative: bool = False) -> Track:
    """A target from (frame, box) in any order. Raises ValueError for two boxes in a frame."""
    ordered = sorted(rows, key=lambda row: row[0])
    frames = [frame for frame, _ in ordered]
    _check_frames(name, frames)
    boxes = np.array([box for _, box in ordered], dtype=np.float64).reshape(-1, 4)
    zeros = np.zeros(len(frames))
    return Track(name, np.array(frames, dtype=np.int64), boxes, zeros, zeros.astype(np.bool_), relative=relative)


def interpolated(
    name: str,
    keys: Sequence[Key],
    *,
    until: int,
    step: int = 1,
    relative: bool = False,
    pivot: tuple[float, float] = (0.5, 0.5),
    shortest: bool = True,
) -> Track:
    """A target from the boxes that somebody drew: linear between two of them, held after the last.

    Args:
        until: the last frame of the video, as far as the file knows.
        step: each ``step``-th frame from the first is annotated, as where a tool was shown no others.
        shortest: turns go the shorter way round.

    Raises:
        ValueError: two keys in a frame, or none.
    """
    ordered = sorted(keys, key=lambda key: key.frame)
    if not ordered:
        raise ValueError(f"target {name} has no box")
    _check_frames(name, [key.frame for key in ordered])
    _check_frames(name, [max(until, 0)])
    found = [piece for left, right in pairwise(ordered) for piece in _between(left, right, step, shortest)]
    last = ordered[-1]
    found.append((last.frame, last.box, last.angle, not last.shown))
    return Track(
        name,
        np.array([frame for frame, *_ in found], dtype=np.int64),
        np.array([box for _, box, *_ in found], dtype=np.float64),
        np.array([angle for *_, angle, _ in found], dtype=np.float64),
        np.array([absent for *_, absent in found], dtype=np.bool_),
        until=until if last.lasts else -1,
        step=step,
        relative=relative,
        pivot=pivot,
        flagged=True,
    )


def _check_frames(name: str, numbers: Sequence[int]) -> None:
    """``numbers``: ascending."""
    for number in numbers:
        if not 0 <= number < MOST_FRAMES:
            raise ValueError(f"target {name} has frame {number}, counted from 0, which no video has")
    twice = next((one for one, other in pairwise(numbers) if one == other), None)
    if twice is not None:
        raise ValueError(f"target {name} has two boxes in frame {twice}, counted from 0")


def _between(left: Key, right: Key, step: int, shortest: bool) -> list[tuple[int, Sequence[float], float, bool]]:
    """(frame, box, angle, absent) from one key up to the next, without it."""
    found: list[tuple[int, Sequence[float], float, bool]] = [(left.frame, left.box, left.angle, not left.shown)]
    turn = right.angle - left.angle
    if shortest:
        turn = (turn + 180) % 360 - 180
    for frame in range(left.frame + step, right.frame, step):
        share = (frame - left.frame) / (right.frame - left.frame)
        box = [a + (b - a) * share for a, b in zip(left.box, right.box, strict=True)]
        found.append((frame, box, left.angle + turn * share, not left.lasts))
    return found


def rectangles(track: Track, size: tuple[int, int]) -> Boxes:
    """(n, 4) x, y, w, h in pixels of a track's boxes, turned ones by their enclosing rectangles.

    Args:
        size: width and height of the frame, which relative boxes are multiplied by.
    """
    boxes = track.boxes * np.array([*size, *size]) if track.relative else track.boxes.copy()
    turned = track.angles % 360 != 0
    if turned.any():
        x, y, w, h = boxes[turned].T
        px, py = x + w * track.pivot[0], y + h * track.pivot[1]
        cos, sin = np.cos(np.radians(track.angles[turned])), np.sin(np.radians(track.angles[turned]))
        corners = []
        for cx, cy in ((x, y), (x + w, y), (x + w, y + h), (x, y + h)):
            corners += [px + (cx - px) * cos - (cy - py) * sin, py + (cx - px) * sin + (cy - py) * cos]
        boxes[turned] = polygon_to_xywh(np.stack(corners, axis=-1))
    return boxes
