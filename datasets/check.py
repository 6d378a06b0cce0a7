"""Looking over a dataset on disk: what is there, what is missing, what is broken.

Facts are what a complete and sound copy of the benchmark shows too; findings are what somebody should mend.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Dataset, Sequence
from inmo.datasets.images import Frames, ImageFrames
from inmo.errors import UserError
from inmo.terminal import listed

Size = tuple[int, int]  # width, height

_LISTED = 6  # names that one line gives before it counts the rest
_THREADS = 4
_NEARLY_ALL = 0.9  # of a sequence's boxes
_SLACK_PX = 1.0  # that a box may pass the edge by, counted from either origin


@dataclass(frozen=True)
class Report:
    """What was seen.

    Attributes:
        facts: one line each, in order.
        findings: one line each; empty for a sound copy.
    """

    facts: tuple[str, ...]
    findings: tuple[str, ...]

    def lines(self) -> list[str]:
        """The report for people."""
        verdict = _plural(len(self.findings), "finding") if self.findings else "sound"
        return [*self.facts, *(f"! {line}" for line in self.findings), verdict]


@dataclass
class _Tally:
    """What adds up over the sequences."""

    annotated: int = 0
    frames: int = 0
    images: int = 0
    absent: int = 0
    nan: Counter[str] = field(default_factory=Counter)
    partial: Counter[str] = field(default_factory=Counter)
    infinite: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    usual: Counter[str] = field(default_factory=Counter)
    sizes: Counter[Size] = field(default_factory=Counter)
    no_frames: list[str] = field(default_factory=list)
    no_flags: list[str] = field(default_factory=list)
    corners: list[str] = field(default_factory=list)
    relative: list[str] = field(default_factory=list)
    first_only: int = 0
    findings: list[str] = field(default_factory=list)


def check_dataset(dataset: Dataset, *, read_images: bool = True, every: int = 1) -> Report:
    """Look over all annotations and frames of a dataset.

    Args:
        read_images: decode the images; otherwise their names alone are checked.
        every: read only each ``every``-th image of a sequence, and always the last.

    Returns:
        Facts and findings. Nothing is raised for what is wrong with the data. An interruption (Ctrl-C) ends the
        reading within a few images.
    """
    tally = _Tally()
    for sequence in dataset.sequences:
        annotation = _check_annotation(dataset, sequence, tally)
        if sequence.frames is None:
            tally.no_frames.append(sequence.name)
        else:
            _check_frames(sequence, annotation, tally, max(every, 1) if read_images else 0)
    return Report(tuple(_facts(dataset, tally, every if read_images else 0)), tuple(_findings(dataset, tally)))


def _check_annotation(dataset: Dataset, sequence: Sequence, tally: _Tally) -> Annotation | None:
    try:
        annotation = sequence.annotation()
    except UserError as error:
        tally.findings.append(str(error))
        return None
    boxes = annotation.boxes[:1] if sequence.first_only else annotation.boxes
    nan = np.asarray(np.isnan(boxes).any(axis=1), dtype=np.bool_)
    absent = annotation.absent if annotation.absent is not None else np.zeros(len(boxes), dtype=bool)
    empty = np.asarray((boxes[:, 2:] <= 0).any(axis=1), dtype=np.bool_)
    broken = ~nan & empty & ~absent[: len(boxes)]
    tally.annotated += len(boxes) - (int(nan.sum()) if dataset.benchmark.gaps else 0)
    tally.absent += int(np.count_nonzero(absent))
    tally.first_only += sequence.first_only
    if not nan.all() and np.nanmax(boxes[:, 2:]) <= 1:
        tally.relative.append(sequence.name)
    if annotation.absent is None:
        tally.no_flags.append(sequence.name)
    usual = broken.sum() <= dataset.benchmark.without_area.get(sequence.name, 0)
    for counts, rows in (
        (tally.nan, nan),
        (tally.partial, nan & ~np.isnan(boxes).all(axis=1)),
        (tally.infinite, np.isinf(boxes).any(axis=1)),
        (tally.usual if usual else tally.broken, broken),
    ):
        if rows.any():
            counts[sequence.name] = int(rows.sum())
    if not np.isfinite(boxes[0]).all() or (boxes[0, 2:] <= 0).any():
        tally.findings.append(f"{sequence.name}: the first box {_box(boxes[0])} is no box, so no tracker can start")
    return annotation


def _check_frames(sequence: Sequence, annotation: Annotation | None, tally: _Tally, every: int) -> None:
    assert sequence.frames is not None
    try:
        frames = sequence.frames()
    except UserError as error:
        if str(error) not in tally.findings:  # a broken annotation may have said it already
            tally.findings.append(str(error))
        return
    tally.frames += len(frames)
    if not every:
        return
    picked = sorted({*range(0, len(frames), every), len(frames) - 1})
    found = dict(_read(frames, picked))
    errors = [result for result in found.values() if isinstance(result, str)]
    sizes = Counter(result for result in found.values() if not isinstance(result, str))
    first = found.get(0)
    tally.images += sum(sizes.values())
    if errors:
        more = f" ({len(errors)} images of the sequence cannot be read)" if len(errors) > 1 else ""
        tally.findings.append(f"{sequence.name}: {errors[0]}{more}")
    if len(sizes) > 1:
        counts = ", ".join(f"{w}x{h} ({n})" for (w, h), n in sizes.most_common())
        tally.findings.append(f"{sequence.name}: the image size changes within the sequence: {counts}")
    if sizes:
        tally.sizes[sizes.most_common(1)[0][0]] += 1
    if isinstance(first, tuple) and annotation is not None:
        if _like_corners(annotation.boxes, first, sequence.origin):
            tally.corners.append(sequence.name)
        x, y, w, h = annotation.boxes[0] - (sequence.origin, sequence.origin, 0, 0)
        if x >= first[0] or y >= first[1] or x + w <= 0 or y + h <= 0:
            size = f"{first[0]}x{first[1]}"
            tally.findings.append(
                f"{sequence.name}: the first box {_box(annotation.boxes[0])} lies outside its image of {size}"
            )


def _like_corners(boxes: Boxes, size: Size, origin: int) -> bool:
    """Whether nearly all of (n, 4) boxes pass the edge of their image, and none does if the numbers are corners."""
    known = boxes[np.isfinite(boxes).all(axis=1)] - (origin, origin, 0, 0)
    pass_edge = (known[:, :2] + known[:, 2:] > np.array(size) + _SLACK_PX).any(axis=1)
    inside = ((known[:, 2:] > known[:, :2]) & (known[:, 2:] <= np.array(size) + _SLACK_PX)).all(axis=1)
    return bool(len(known)) and float(np.mean(pass_edge & inside)) >= _NEARLY_ALL


def _read(frames: Frames, picked: list[int]) -> Iterator[tuple[int, Size | str]]:
    """(index, size or error) of the picked frames. Image files are decoded by threads, a video in order."""
    if not isinstance(frames, ImageFrames):
        yield from ((index, _size(frames, index)) for index in picked)
        return
    pool = ThreadPoolExecutor(_THREADS)
    try:
        yield from zip(picked, pool.map(partial(_size, frames), picked), strict=True)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _size(frames: Frames, index: int) -> Size | str:
    try:
        height, width = frames.read(index).shape[:2]
    except UserError as error:
        return str(error)
    return width, height


def _facts(dataset: Dataset, tally: _Tally, every: int) -> Iterator[str]:
    title, known = dataset.benchmark.title, len(dataset.sequences)
    frames = _plural(tally.annotated, "annotated frame")
    yield f"{title} at {dataset.root}: {known} of {dataset.expected} sequences, {frames}"
    if tally.first_only:
        yield f"{_plural(tally.first_only, 'sequence')} with the first box alone: to be tracked, not scored here"
    if len(tally.no_frames) == known == tally.first_only:
        yield "first boxes alone, no images: add the images to track, and the other boxes to score"
    elif len(tally.no_frames) == known:
        yield "annotations alone, no images: enough to score results, not to track"
    else:
        yield f"{_plural(tally.frames, 'frame')} in {_plural(known - len(tally.no_frames), 'sequence')}"
    if every and tally.images:
        kinds = tally.sizes.most_common(_LISTED)
        sizes = ", ".join(f"{w}x{h} ({n})" for (w, h), n in kinds)
        rest = f" and {len(tally.sizes) - len(kinds)} more" if len(tally.sizes) > len(kinds) else ""
        sampled = f", every {every}th" if every > 1 else ""
        yield f"{_plural(tally.images, 'image')} read{sampled}; sizes (sequences): {sizes}{rest}"
    if tally.absent:
        yield f"{_plural(tally.absent, 'frame')} flagged absent"
    where = _plural(len(tally.nan), "sequence")
    if tally.nan and dataset.benchmark.nan_rows:
        yield f"{_plural(tally.nan.total(), 'NaN row')} in {where}: the target is out of view or fully occluded"
    if tally.nan and dataset.benchmark.gaps:
        yield f"{_plural(tally.nan.total(), 'frame')} in {where} not annotated: no protocol scores them"
    if tally.usual:
        yield f"boxes without area in visible frames, as every copy has them: {_counted(tally.usual)}"


def _findings(dataset: Dataset, tally: _Tally) -> Iterator[str]:
    known, total = len(dataset.sequences), dataset.expected
    reasons: dict[str, list[str]] = {}
    for hole in dataset.holes:
        reasons.setdefault(hole.reason, []).append(hole.sequence)
    for reason, names in reasons.items():
        yield f"{len(names)} of {total} sequences are missing ({reason}): {_named(names)}"
    if 0 < len(tally.no_frames) < known:
        yield f"{_plural(len(tally.no_frames), 'sequence')} without frames: {_named(tally.no_frames)}"
    if tally.no_flags and dataset.benchmark.flagged:
        yield (
            f"{_plural(len(tally.no_flags), 'sequence')} without absent flags ({_named(tally.no_flags)}): copy the "
            "evaluation toolkit's annos/absent into the root, its scores differ without them"
        )
    if tally.nan and not (dataset.benchmark.nan_rows or dataset.benchmark.gaps):
        yield f"rows that are NaN: {_counted(tally.nan)}"
    elif tally.partial:
        yield f"rows in which only some numbers are NaN, counted as boxes that nobody gave: {_counted(tally.partial)}"
    if tally.infinite:
        yield f"rows that are infinite: {_counted(tally.infinite)}"
    if tally.broken and not (tally.no_flags and dataset.benchmark.flagged):
        yield f"boxes of zero or negative size in visible frames: {_counted(tally.broken)}"
    if tally.relative:
        yield (
            f"no box is larger than a pixel: {_named(tally.relative)}; numbers relative to the image's size? multiply "
            "them by it"
        )
    if tally.corners:
        yield (
            f"nearly every box passes the edge of its image: {_named(tally.corners)}; corners x1, y1, x2, y2 in place "
            "of x, y, w, h? subtract x1 from x2 and y1 from y2"
        )
    yield from dataset.passed
    yield from tally.findings


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _named(names: list[str]) -> str:
    return listed(names, _LISTED)


def _counted(counts: Counter[str]) -> str:
    return _named([f"{name} ({count})" for name, count in counts.items()])


def _box(box: NDArray[np.float64]) -> str:
    return ",".join(f"{value:g}" for value in box)
