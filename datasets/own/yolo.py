"""YOLO text with ids: a file per frame, a row per target, centre, width and height relative to the frame.

Rows are ``class x y w h id`` or ``class x y w h confidence id``, as Ultralytics' ``model.track(save_txt=True)`` writes
them (save_txt in ultralytics/engine/results.py; files ``<video>_<frame>.txt``, frames from 1), or ``class id x y w h``,
as JDE and FairMOT read them. Which it is, the whole numbers say. Frames without a target have no file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from inmo.boxes import Boxes, cxcywh_to_xywh
from inmo.datasets.own.tracks import MOST_FRAMES, Video, plain
from inmo.datasets.text import parse_rows
from inmo.errors import UserError

_NAME = re.compile(r"(.*?)[_-]?(\d+)$")


def is_row(words: Sequence[str]) -> bool:
    """Whether a row of words is one of YOLO's: 5 to 7 numbers, four neighbours of which lie between 0 and 1."""
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return False
    if not 5 <= len(numbers) <= 7 or numbers[0] % 1 or numbers[0] < 0:
        return False
    places = (numbers[1:5], numbers[2:6]) if len(numbers) == 6 else (numbers[1:5],)
    return any(all(0 <= number <= 1 for number in place) for place in places)


def is_name(stem: str) -> bool:
    """Whether a file is called as a frame."""
    return _NAME.match(stem) is not None


def parse(files: Mapping[str, bytes]) -> tuple[Video, ...]:
    """The videos of a folder: name of a file without suffix -> its content.

    Raises ValueError for a row that is none of YOLO's, and where no id stands in it.
    """
    rows = {stem: _rows(stem, data) for stem, data in files.items()}
    last, second = _ids({stem: found for stem, found in rows.items() if len(found)})
    groups: dict[str, list[tuple[int, str]]] = {}
    for stem in rows:
        match = _NAME.match(stem)
        if match is None:
            raise ValueError(f"{stem}.txt is not called as a frame: its name should end in the frame's number")
        if int(match[2]) > MOST_FRAMES:
            raise ValueError(f"{stem}.txt is called as frame {match[2]}, which no video has")
        groups.setdefault(match[1], []).append((int(match[2]), stem))
    return tuple(_video(name, sorted(members), rows, last and not second) for name, members in sorted(groups.items()))


def _rows(stem: str, data: bytes) -> Boxes:
    line = data.strip().splitlines()[:1]
    columns = len(line[0].split()) if line else 6
    if columns == 5:
        raise ValueError(f"{stem}.txt has boxes without ids: write them with model.track(..., save_txt=True)")
    if columns not in (6, 7):
        raise ValueError(f"{stem}.txt has {columns} numbers in a row: class, x, y, w, h, id are expected")
    try:
        return parse_rows(data, where=f"{stem}.txt", columns=columns)
    except UserError as error:
        raise ValueError(str(error)) from error


def _ids(rows: Mapping[str, Boxes]) -> tuple[bool, bool]:
    """Whether ids may stand last, and whether they stand second. Raises ValueError for files without any."""
    last = all((found[:, -1] % 1 == 0).all() for found in rows.values())
    second = all(found.shape[1] == 6 and (found[:, 1] % 1 == 0).all() for found in rows.values()) and not last
    if rows and not last and not second:
        stem = next(stem for stem, found in rows.items() if (found[:, -1] % 1 != 0).any())
        raise ValueError(f"{stem}.txt has boxes with confidences and without ids: write them with model.track(...)")
    return last, second


def _video(name: str, members: list[tuple[int, str]], rows: Mapping[str, Boxes], last: bool) -> Video:
    first = 0 if members[0][0] == 0 else 1
    targets: dict[int, list[tuple[int, Sequence[float]]]] = {}
    for number, stem in members:
        for row in rows[stem]:
            target, box = (int(row[-1]), row[1:5]) if last else (int(row[1]), row[2:6])
            if not np.isfinite(row).all():
                raise ValueError(f"{stem}.txt has a row that is not finite")
            if target >= 0:
                targets.setdefault(target, []).append((number - first, cxcywh_to_xywh(box).tolist()))
    tracks = tuple(plain(str(target), boxes, relative=True) for target, boxes in sorted(targets.items()))
    stems = [""] * (members[-1][0] - first + 1)
    for number, stem in members:
        stems[number - first] = stem
    return Video(name, tracks, stems=tuple(stems))
