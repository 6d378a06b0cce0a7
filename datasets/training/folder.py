"""Any clips people have, in the folder layout of ``datasets.own``, as a training set."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import floor

from inmo.boxes import shift_origin
from inmo.datasets import open_dataset
from inmo.datasets.base import Sequence
from inmo.datasets.training.videos import Track, Video, VideoSource
from inmo.errors import UserError

PARTS = ("all", "train", "validation")


def open_folder(root: str, *, gap: int = 60, part: str = "all", share: float = 0.25) -> VideoSource:
    """The fully annotated clips below the root.

    Args:
        root: the folder, as ``track --dataset folder=ROOT`` takes it.
        gap: largest distance in frames between template and search region.
        part: ``all``, or the clips of one side of ``split``: ``train``, ``validation``.
        share: of the videos, which are held out.

    Raises UserError when there is no clip with frames, or a part is empty.
    """
    if part not in PARTS or not 0.0 < share < 1.0:
        raise UserError(f"the training set folder wants part: one of {', '.join(PARTS)}, and share between 0 and 1")
    found = open_dataset("folder", root)
    usable = [s for s in found.sequences if s.frames is not None and not s.first_only]
    if not usable:
        raise UserError(f"{root} holds no clip with frames and a box for every frame: training needs both")
    if part == "all":
        return _source(root, usable, gap, "")
    learned, held_out = split(usable, share)
    own = learned if part == "train" else held_out
    if not own:
        raise UserError(f"{root} holds {len(usable)} clips: too few to hold out a share of {share:g}; choose another")
    names = ", ".join(s.name for s in held_out)
    told = f"{root}: {len(learned)} clips to learn from, {len(held_out)} held out: {names}" if part == "train" else ""
    return _source(root, own, gap, told)


def split(sequences: Iterable[Sequence], share: float) -> tuple[list[Sequence], list[Sequence]]:
    """Clips to learn from, and clips held out: evenly spaced among the videos in the order of their names.

    Targets of one video stay together, as who has seen its frames for one of them knows them for all.
    """
    videos: dict[str, list[Sequence]] = {}
    for sequence in sorted(sequences, key=lambda one: one.name):
        videos.setdefault(sequence.video or sequence.name, []).append(sequence)
    sides: tuple[list[Sequence], list[Sequence]] = ([], [])
    for number, own in enumerate(videos.values()):
        sides[floor((number + 1) * share) > floor(number * share)].extend(own)
    return sides


def _source(root: str, sequences: Iterable[Sequence], gap: int, note: str) -> VideoSource:
    videos = tuple(Video(s.name, partial(_track, s), s.frames) for s in sequences if s.frames is not None)
    return VideoSource("folder", str(root), videos, gap, note)


def _track(sequence: Sequence) -> Track:
    annotation = sequence.annotation()
    absent = annotation.absent
    boxes = shift_origin(annotation.boxes, -sequence.origin)
    return Track(boxes, ~absent if absent is not None else boxes[:, 2] > 0)
