"""Reading one sequence's annotation and frames, when asked. Every object here travels to worker processes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation
from inmo.datasets.files import Tree
from inmo.datasets.images import IMAGE_SUFFIXES, Frames, ImageFrames, open_video
from inmo.datasets.text import parse_rows
from inmo.errors import UserError

Parse = Callable[[bytes, str, int | None], Boxes]


def parse_xywh(data: bytes, where: str, count: int | None) -> Boxes:
    """Rows of x, y, w, h as they stand in an annotation file: (n, 4) float64."""
    return parse_rows(data, where=where)


@dataclass(frozen=True)
class Span:
    """The frames of a folder that belong to a sequence, and what copies of its annotation may differ by.

    Attributes:
        start: number of the first frame of the folder's annotation, as in its file name.
        count: frames that are scored; None where no table says it.
        omit: annotated frames at the front that the benchmark leaves out (5 for OTB's Tiger1).
        surplus: copies exist that hold the rows of the whole folder, numbered from 1: they are cut.
        slack: rows (and images) that copies may have more or fewer; the shorter counts.
    """

    start: int = 1
    count: int | None = None
    omit: int = 0
    surplus: bool = False
    slack: int = 0

    @classmethod
    def of_row(cls, row: Mapping[str, str], *, slack: int = 0) -> Span:
        """From the columns start_frame, end_frame (or n_frames), init_omit, surplus and slack of a table."""
        start, omit = int(row.get("start_frame") or 1), int(row.get("init_omit") or 0)
        count = int(row["n_frames"]) if row.get("n_frames") else None
        if row.get("end_frame"):
            count = int(row["end_frame"]) - start + 1 - omit
        return cls(start, count, omit, bool(row.get("surplus")), max(slack, int(row.get("slack") or 0)))

    def cut(self, boxes: Boxes) -> Boxes | None:
        """The rows that are scored, (count, 4) or fewer by at most ``slack``; None when the length does not fit."""
        rows, count = len(boxes), self.count
        if count is None or rows == count:
            return boxes
        if self.omit and rows == count + self.omit:
            return boxes[self.omit :]
        first = self.start - 1 + self.omit
        if self.surplus and rows >= first + count:
            return boxes[first : first + count]
        return boxes[:count] if abs(rows - count) <= self.slack else None

    def before(self, boxes: Boxes) -> Boxes:
        """The rows of the frames that are left out at the front, (omit, 4): NaN where the copy has not got them."""
        if self.count is not None and len(boxes) == self.count + self.omit:
            return boxes[: self.omit]
        return np.full((self.omit, 4), np.nan)


@dataclass(frozen=True)
class Source:
    """Where one sequence lies.

    Attributes:
        tree, path: the annotation file.
        owner: the sequence in words, ``monkey-17 of LaSOT``.
        media: the folder of its frames, or a video file; None for annotations alone.
        span: which frames.
        digits, suffix: frames are named ``<number, zero padded>.<suffix>``; suffix empty where names are not
            uniform and the sorted folder decides.
        first_only: the file holds the first frame's box alone.
        parse: (bytes, file in words, frames expected) -> (n, 4) boxes.
    """

    tree: Tree
    path: str
    owner: str
    media: Path | None
    span: Span = Span()
    digits: int = 0
    suffix: str = ""
    first_only: bool = False
    parse: Parse = parse_xywh

    @property
    def where(self) -> str:
        return self.tree.where(self.path)


def read_boxes(source: Source) -> Boxes:
    """The annotated boxes of the scored frames, (n, 4) float64 x, y, w, h, numbers as they stand.

    Raises UserError for a file that cannot be parsed or whose length does not fit the benchmark.
    """
    return _read_rows(source)[1]


def _read_rows(source: Source) -> tuple[Boxes, Boxes]:
    """The boxes of the frames left out at the front, and those of the scored frames."""
    span = source.span
    boxes = source.parse(source.tree.read(source.path), source.where, span.count)
    if not len(boxes):
        raise UserError(f"{source.where} holds no box: it should annotate {source.owner}")
    kept = span.cut(boxes)
    if kept is None:
        raise UserError(
            f"{source.where} has {len(boxes)} rows, but {source.owner} has {span.count} frames: "
            "get the annotation again, or remove the sequence"
        )
    if source.first_only and len(kept) != 1:
        raise UserError(f"{source.where} has {len(kept)} rows instead of the first frame's alone: open the folder anew")
    if span.slack and source.media is not None:
        images = len(image_names(source.media))
        if len(kept) - span.slack <= images < len(kept):
            kept = kept[:images]
    return span.before(boxes), kept


def read_annotation(source: Source) -> Annotation:
    """The annotation of a sequence without absent flags. Raises UserError as ``read_boxes`` does.

    With ``first_only`` and frames there is a row per frame, NaN after the first; without frames the first row alone.
    """
    before, boxes = _read_rows(source)
    if source.first_only and source.media is not None:
        boxes = np.vstack([boxes, np.full((len(read_frames(source)) - 1, 4), np.nan)])
    return Annotation(boxes, before=before)


def read_frames(source: Source) -> Frames:
    """The scored frames. Raises UserError that names the first missing frame and how many are missing."""
    media, span = source.media, source.span
    assert media is not None, "a sequence without frames has no frame reader"
    count = span.count
    if not source.first_only and (span.slack or count is None):
        count = len(read_boxes(source))
    if source.suffix:
        return ImageFrames(_numbered(source, media, span.start + span.omit, count))
    if media.is_file():
        video = open_video(media)
        _check_count(source, len(video), count, 0, "frames")
        return video
    names = image_names(media)
    _check_count(source, len(names), count, span.slack, "images")
    return ImageFrames(tuple(media / name for name in names[:count]))


def _check_count(source: Source, there: int, count: int | None, slack: int, what: str) -> None:
    if not there:
        raise UserError(f"{source.media} holds no image: complete the download of {source.owner}")
    if count is not None and not 0 <= there - count <= slack:
        raise UserError(
            f"{source.media} has {there} {what}, but {source.where} has {count} rows: complete the one or the other"
        )


def read_flags(tree: Tree, path: str) -> NDArray[np.bool_]:
    """Flags of 0 and 1 in one row or one column, with commas, blanks or neither: (n,) bool.

    Raises UserError for anything but 0 and 1, and for an empty field or line between two of them.
    """
    text = tree.read(path).removeprefix(b"\xef\xbb\xbf").translate(None, b" \t\r")
    if b",," in text or b"\n\n" in text.strip(b"\n"):
        raise UserError(f"{tree.where(path)} has an empty field: it should hold a 0 or 1 per frame, get the file again")
    data = text.translate(None, b",\n")
    digits = np.frombuffer(data, dtype=np.uint8) - ord("0")
    if (digits > 1).any():
        raise UserError(f"{tree.where(path)} holds something else than 0 and 1: mend or replace the file")
    return digits.astype(np.bool_)


def fit_flags(flags: NDArray[np.bool_], source: Source, boxes: Boxes, where: str) -> NDArray[np.bool_]:
    """Flags for the rows that ``read_boxes`` kept, cut like them. Raises UserError when the lengths do not fit."""
    surplus = len(flags) - len(boxes)
    if surplus == 0 or (surplus > 0 and (source.span.surplus or surplus <= source.span.slack)):
        return flags[: len(boxes)]
    raise UserError(f"{where} has {len(flags)} flags, but {source.where} has {len(boxes)} rows: get both again")


def one_row(tree: Tree, path: str) -> bool:
    """Whether an annotation file holds a single row: its first 512 bytes tell."""
    return len(head(tree, path).strip().splitlines()) == 1


def head(tree: Tree, path: str) -> bytes:
    """The first 512 bytes of a file. Raises UserError when it cannot be read."""
    if tree.is_zip:
        return tree.read(path)[:512]
    try:
        with (tree.root / path).open("rb") as stream:
            return stream.read(512)
    except OSError as error:
        raise UserError(f"cannot read {tree.where(path)}: {error.strerror or error}") from error


def image_names(folder: Path) -> list[str]:
    """Names of the image files in a folder, in natural order. Raises UserError when it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        raise UserError(f"cannot look into {folder}: {error.strerror or error}") from error
    images = (name for name in names if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith("."))
    return sorted(images, key=natural)


def image_frames(folder: Path) -> ImageFrames:
    """The images of a folder in natural order. Raises UserError when it cannot be listed."""
    return ImageFrames(tuple(folder / name for name in image_names(folder)))


def natural(name: str) -> list[tuple[str, int]]:
    """Sort key under which ``2.jpg`` comes before ``10.jpg``."""
    return [(text, int(number or -1)) for text, number in re.findall(r"(\D*)(\d*)", name)]


def _numbered(source: Source, folder: Path, first: int, count: int | None) -> tuple[Path, ...]:
    """Frames by number. Padding and extension are read leniently: copies of OTB differ in both."""
    by_number: dict[int, str] = {}
    for name in image_names(folder):
        stem, _, suffix = name.rpartition(".")
        if stem.isdecimal() and (int(stem) not in by_number or suffix == source.suffix):
            by_number[int(stem)] = name
    wanted = range(first, first + (len(by_number) if count is None else count))
    missing = [number for number in wanted if number not in by_number]
    if missing or not wanted:
        name = f"{missing[0] if missing else first:0{source.digits}d}.{source.suffix}"
        raise UserError(
            f"{source.owner} lacks {max(len(missing), 1)} of {max(len(wanted), 1)} frames in {folder}, "
            f"the first is {name}: complete the download"
        )
    return tuple(folder / by_number[number] for number in wanted)
