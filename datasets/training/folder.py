"""Any clips people have, in the folder layout of ``datasets.own``, as a training set."""

from __future__ import annotations

from functools import partial

from inmo.boxes import shift_origin
from inmo.datasets import open_dataset
from inmo.datasets.base import Sequence
from inmo.datasets.training.videos import Track, Video, VideoSource
from inmo.errors import UserError


def open_folder(root: str, *, gap: int = 60) -> VideoSource:
    """All fully annotated clips below the root. Raises UserError when there is none with frames."""
    found = open_dataset("folder", root)
    usable = [s for s in found.sequences if s.frames is not None and not s.first_only]
    if not usable:
        raise UserError(f"{root} holds no clip with frames and a box for every frame: training needs both")
    videos = tuple(Video(s.name, partial(_track, s), s.frames) for s in usable if s.frames is not None)
    return VideoSource("folder", str(root), videos, gap)


def _track(sequence: Sequence) -> Track:
    annotation = sequence.annotation()
    absent = annotation.absent
    boxes = shift_origin(annotation.boxes, -sequence.origin)
    return Track(boxes, ~absent if absent is not None else boxes[:, 2] > 0)
