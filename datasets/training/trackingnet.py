"""TrackingNet's training chunks (Mueller et al., ECCV 2018): ``TRAIN_<k>/frames/<name>/%d.jpg`` and
``TRAIN_<k>/anno/<name>.txt``, a row per frame, for k in 0 .. 11."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from inmo.datasets.files import Tree
from inmo.datasets.reading import image_frames
from inmo.datasets.text import parse_rows
from inmo.datasets.training.videos import Track, Video, VideoSource, folder_of
from inmo.errors import UserError

CHUNKS = 12


def open_trackingnet(root: str, *, chunks: Sequence[int] = tuple(range(CHUNKS)), gap: int = 100) -> VideoSource:
    """The videos of some chunks. TransT trains on 0 to 3.

    Raises UserError for a chunk that is missing, or frames that are not unpacked.
    """
    home = folder_of(root, "trackingnet", needs="TRAIN_*/anno/*.txt")
    videos = []
    for chunk in chunks:
        annotations = sorted((home / f"TRAIN_{chunk}" / "anno").glob("*.txt"))
        if not annotations:
            raise UserError(f"{home}/TRAIN_{chunk}/anno holds no annotation: get the chunk or leave it out of 'chunks'")
        for path in annotations:
            frames = home / f"TRAIN_{chunk}" / "frames" / path.stem
            if not frames.is_dir():
                raise UserError(f"{frames} is missing: unpack the frames of TRAIN_{chunk}")
            videos.append(Video(path.stem, partial(_track, path), partial(image_frames, frames)))
    return VideoSource("trackingnet", str(home), tuple(videos), gap)


def _track(path: Path) -> Track:
    tree = Tree(path.parent)
    boxes = parse_rows(tree.read(path.name), where=str(path))
    return Track(boxes, np.ones(len(boxes), bool))
