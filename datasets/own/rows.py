"""Sequences from a file of rows x, y, w, h, with ``absent.txt`` beside it where the target is not always there."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from inmo.datasets.base import Annotation, Benchmark, Sequence
from inmo.datasets.files import Tree
from inmo.datasets.images import Frames
from inmo.datasets.layout import Wanted, sequence
from inmo.datasets.own.media import part_of
from inmo.datasets.reading import (
    Source,
    Span,
    fit_flags,
    head,
    one_row,
    read_annotation,
    read_boxes,
    read_flags,
    read_frames,
)
from inmo.datasets.text import parse_rows

FLAGS = "absent.txt"


def rows_sequence(
    benchmark: Benchmark, label: str, tree: Tree, name: str, path: str, media: Path | None, *, home: bool
) -> Sequence:
    """The sequence of a boxes file. It begins with the first row that is a box.

    Args:
        home: the folder of the file is the sequence's own, where ``absent.txt`` is its too.
    """
    first = _first(tree, path)
    source = Source(tree, path, f"{name} in {tree.root}", media, Span(start=1 + first), first_only=one_row(tree, path))
    video = str(media.resolve()) if media is not None else ""  # one folder of frames may serve several by links
    beside = path.rpartition("/")[0]
    flags = f"{beside}/{FLAGS}" if beside else FLAGS
    flags = flags if home and not source.first_only and tree.exists(flags) else ""
    read = partial(_read, source, flags, first)
    made = sequence(benchmark, label, Wanted({"name": name, "path": video}), source, read)
    return replace(made, frames=partial(_frames, source, first)) if first and media is not None else made


def _first(tree: Tree, path: str) -> int:
    """How many rows stand before the first that is a box: NaN, as frames that nobody annotated."""
    start = head(tree, path).lstrip().lower()
    if not start.startswith((b"nan", b",")):
        return 0
    known = np.isfinite(parse_rows(tree.read(path), where=tree.where(path))).all(axis=1)
    return int(np.argmax(known))  # 0 where none is


def _read(source: Source, flags: str, first: int) -> Annotation:
    if source.first_only:
        return read_annotation(source)
    boxes = read_boxes(source)
    if not flags:
        return Annotation(boxes[first:])
    where = source.tree.where(flags)
    absent = fit_flags(read_flags(source.tree, flags), source, boxes, where)
    boxes[absent & np.isnan(boxes).any(axis=1)] = 0  # somebody looked, and it was not there
    return Annotation(boxes[first:], absent[first:])


def _frames(source: Source, first: int) -> Frames:
    whole = read_frames(source)
    return part_of(whole, first, len(whole) - first)
