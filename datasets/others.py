"""Other annotated targets in the frames of a sequence: the distractors of whoever follows one of them.

They come from two places: files ``distractor.<k>.txt`` beside the annotation in a sequence's own folder, and the
annotations of further sequences of the same video (OTB's Jogging and Skating2 have two targets each).
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.base import Dataset, Sequence
from inmo.datasets.reading import Source, natural, read_boxes
from inmo.errors import UserError

DISTRACTOR = "distractor.{}.txt"
COMMON = 2  # frames that two sequences of a video share at least; UAV123's neighbours share one, and their target


def read_beside(source: Source, name: str) -> Boxes:
    """(k, n, 4) boxes of the files ``distractor.<k>.txt`` beside the annotation of sequence ``name``; k may be 0.

    Raises UserError for one that cannot be parsed or has another number of rows than the annotation.
    """
    folder = PurePosixPath(source.path).parent
    if (source.tree.root / folder).name != name:  # a flat folder is no sequence's own
        return np.zeros((0, 0, 4))
    prefix = "" if folder == PurePosixPath() else f"{folder}/"
    _, there = source.tree.inside(prefix)
    files = sorted((file for file in there if re.fullmatch(DISTRACTOR.format(r"\d+"), file)), key=natural)
    if not files:
        return np.zeros((0, 0, 4))
    rows = len(read_boxes(source))
    found = []
    for file in files:
        own = replace(source, path=prefix + file, owner=f"a distractor of {source.owner}")
        found.append(read_boxes(own))
        if len(found[-1]) != rows:
            raise UserError(f"{own.where} has {len(found[-1])} rows, but {source.where} has {rows}: mend one of them")
    return np.stack(found)


def with_shared(dataset: Dataset) -> Dataset:
    """The dataset, its sequences of one video knowing each other."""
    videos: dict[str, list[Sequence]] = {}
    for sequence in dataset.sequences:
        if sequence.video and not sequence.first_only:
            videos.setdefault(sequence.video, []).append(sequence)

    def knowing(sequence: Sequence) -> Sequence:
        siblings = tuple(s for s in videos.get(sequence.video, ()) if s is not sequence)
        alone = sequence.first_only or not siblings
        return sequence if alone else replace(sequence, others=partial(read_shared, sequence, siblings))

    return replace(dataset, sequences=tuple(map(knowing, dataset.sequences)))


def read_shared(sequence: Sequence, siblings: tuple[Sequence, ...]) -> Boxes:
    """(k, n, 4) boxes of a sequence's own distractors and of the targets of further sequences of its video.

    NaN where one is not annotated or flagged absent. Sequences that share fewer than two frames with it are left out:
    neighbouring parts of a long video share one, and their target.

    Raises UserError where an annotation is broken.
    """
    frames = len(sequence.annotation())
    own = sequence.others() if sequence.others is not None else np.zeros((0, frames, 4))
    found = []
    for other in siblings:
        annotation = other.annotation()
        begin = max(sequence.start, other.start)
        end = min(sequence.start + frames, other.start + len(annotation))
        if end - begin < COMMON:
            continue
        boxes = np.full((frames, 4), np.nan)
        theirs = slice(begin - other.start, end - other.start)
        boxes[begin - sequence.start : end - sequence.start] = annotation.boxes[theirs]
        if annotation.absent is not None:
            boxes[begin - sequence.start : end - sequence.start][annotation.absent[theirs]] = np.nan
        found.append(boxes)
    return np.concatenate([own.reshape(-1, frames, 4), np.stack(found)]) if found else own
