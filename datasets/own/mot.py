"""MOT's ``gt.txt``: rows of frame, id, left, top, width, height, flag, class, visibility; frames from 1.

A flag of 0 takes a row out of the evaluation. MOTChallenge counts pixels from 1 and gives visibility 0 to a target that
cannot be seen; annotation tools write the same columns, count from 0, and write 0 for a target that is partly occluded.
``seqinfo.ini``, which lies with MOTChallenge's sequences, tells the two apart.
Source: https://motchallenge.net/instructions, and mot_seq_gt in CVAT's datumaro.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.own.tracks import Track, Video, plain
from inmo.datasets.text import parse_rows
from inmo.errors import UserError

COLUMNS = range(6, 11)
_FLAG, _VISIBILITY = 6, 8


def parse(data: bytes, columns: int, *, challenge: bool) -> tuple[Video, ...]:
    """One video with a target per id.

    Args:
        columns: numbers in a row.
        challenge: it is a sequence of MOTChallenge's.

    Raises:
        ValueError: a row that is none of MOT's, or a file without ids.
    """
    try:
        rows = parse_rows(data, where="it", columns=columns)
    except UserError as error:
        raise ValueError(str(error).replace(" of it", "")) from error
    _check(rows)
    if columns > _FLAG:
        rows = rows[rows[:, _FLAG] != 0]
    tracks = tuple(
        _track(int(number), rows[rows[:, 1] == number], columns == _VISIBILITY + 1 and challenge)
        for number in np.unique(rows[:, 1])
    )
    return (Video("", tracks, origin=int(challenge)),)


def _check(rows: Boxes) -> None:
    for line, row in enumerate(rows, 1):
        if not np.isfinite(row[:6]).all() or row[0] < 1 or row[0] % 1 or row[1] % 1:
            raise ValueError(f"line {line} does not begin with a frame from 1, an id and a box")
    if len(rows) and (rows[:, 1] == -1).all():
        raise ValueError("its ids are -1, as of detections: it takes the boxes of a tracker or an annotator")


def _track(number: int, rows: Boxes, flagged: bool) -> Track:
    track = plain(str(number), [(int(row[0]) - 1, row[2:6]) for row in rows])
    if not flagged:
        return track
    order = np.argsort(rows[:, 0], kind="stable")
    return replace(track, absent=rows[order, _VISIBILITY] <= 0, flagged=True)
