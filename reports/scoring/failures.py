"""Where trackers fail within a sequence: overlap frame by frame, losses of the target, and the frames worth a look.

Pure functions, boxes in and records out. Nothing here depends on a protocol: an overlap is drawn as it is, and a frame
in which the target cannot be seen has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation
from inmo.reports.scoring import metrics
from inmo.reports.scoring.metrics import Values

Bytes = NDArray[np.uint8]

PATIENCE = 10  # frames that a tracker has to find the target again, as in VOT2020 (Kristan et al. 2020)
EVENLY, LEAST_EVENLY = 40, 12  # key frames of a sequence at even distances
LOSSES = 0.3  # of as many, further ones where a target was lost
PAGE_FRAMES = 6000  # evenly spread ones of a page together: half a minute of decoding
POINTS, LEAST_POINTS = 600, 150  # of a drawn overlap line: more than that no page is wide
PAGE_POINTS = 4_500_000  # of all lines of a page together: a byte each, 6 MB as text
LEVELS, HUNDREDTHS = 250, 100  # steps of a drawn overlap, and of a printed one
NOWHERE = 255  # stands for a frame without an overlap


@dataclass(frozen=True)
class Detail:
    """How much of a sequence is kept: points of a line, and evenly spread key frames."""

    points: int = POINTS
    evenly: int = EVENLY


DETAIL = Detail()


@dataclass(frozen=True)
class Loss:
    """A target lost: the first frame without overlap, and the first one with overlap again or None for never."""

    start: int
    end: int | None


@dataclass(frozen=True)
class Trace:
    """All trackers on one sequence, small enough for a page.

    Attributes:
        sequence: its name.
        frames: how many.
        step: frames per point of the lines.
        keys: (k,) indices of the key frames, from 0.
        trackers: (t,) names of those that have a result.
        points: (t, ceil(frames / step)) mean overlap over ``step`` frames, in 1/LEVELS; NOWHERE without one.
        at: (t, k) overlap in the key frames, in hundredths as printed; NOWHERE without one.
        losses: (t,) losses of each.
        truth: (k, 4) ground truth in the key frames, in the numbers of the benchmark's files; NaN where it is not seen.
        boxes: (t, k, 4) the trackers' boxes there; NaN where there is none.
    """

    sequence: str
    frames: int
    step: int
    keys: tuple[int, ...]
    trackers: tuple[str, ...]
    points: Bytes
    at: Bytes
    losses: tuple[tuple[Loss, ...], ...]
    truth: Boxes
    boxes: Boxes


def trace(sequence: str, annotation: Annotation, results: Mapping[str, Boxes], detail: Detail = DETAIL) -> Trace:
    """Summarise results, tracker -> (n, 4), on one sequence.

    Args:
        sequence: name.
        annotation: ground truth of all frames.
        results: boxes in the numbers of the benchmark's files; rows beyond the annotation are ignored.
        detail: how much to keep.
    """
    truth = seen(annotation)
    frames = len(truth)
    given = np.array([fitted(boxes, frames) for boxes in results.values()]).reshape(len(results), frames, 4)
    found = np.array([frame_overlaps(row, truth) for row in given]).reshape(len(results), frames)
    lost = tuple(losses(row) for row in found)
    keys = key_frames(frames, lost, detail.evenly)
    step = -(-frames // detail.points)
    columns = list(keys)
    return Trace(
        sequence, frames, step, keys, tuple(results), to_bytes(thinned(found, step), LEVELS),
        to_bytes(found[:, columns], HUNDREDTHS),
        lost, truth[columns], given[:, columns],
    )  # fmt: skip


def fitted(boxes: Boxes, length: int) -> Boxes:
    """The first ``length`` rows, NaN where there are fewer."""
    rows = np.full((length, 4), np.nan)
    rows[: len(boxes)] = boxes[:length]
    return rows


def seen(annotation: Annotation) -> Boxes:
    """(n, 4) ground truth with NaN in the frames whose target is absent or has no size."""
    boxes = annotation.boxes.copy()
    hidden = ~(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1))
    if annotation.absent is not None:
        hidden |= annotation.absent
    boxes[hidden] = np.nan
    return boxes


def frame_overlaps(boxes: Boxes, truth: Boxes) -> Values:
    """Intersection over union of (n, 4) and (n, 4), (n,): NaN where the truth is, 0 where only the box is unusable."""
    usable = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)
    ratio = np.zeros(len(truth))
    ratio[usable] = metrics.overlap(boxes[usable], truth[usable])
    ratio[np.isnan(truth).any(axis=1)] = np.nan
    return np.clip(ratio, 0.0, 1.0)


def losses(overlaps: Values, patience: int = PATIENCE) -> tuple[Loss, ...]:
    """Where the target was lost in (n,) overlaps, NaN for frames that do not count.

    A loss is a run of at least ``patience`` frames with overlap 0. Frames without an overlap are skipped: they neither
    lengthen nor end a run. After the VOT challenge, whose trackers fail where the overlap falls to zero (Kristan et
    al. 2016) or, since 2020, stays below 0.1 for ten frames; a shorter run at the end is no failure there either.
    """
    frames = np.flatnonzero(~np.isnan(overlaps))
    return tuple(
        Loss(int(frames[start]), int(frames[end]) if end < len(frames) else None)
        for start, end in zip(*runs(overlaps[frames] == 0), strict=True)
        if end - start >= patience
    )


def runs(mask: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Starts and ends (first index after) of the runs of True."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return edges[::2].tolist(), edges[1::2].tolist()


def key_frames(frames: int, lost: Sequence[Sequence[Loss]], evenly: int = EVENLY) -> tuple[int, ...]:
    """Indices of ``evenly`` spread frames, the first and the last among them, and of losses, 0.3 as many at most.

    Every tracker's first loss comes before anyone's second.
    """
    spread = np.linspace(0, frames - 1, min(evenly, frames)).round().astype(int).tolist()
    ranked = sorted((turn, row, loss.start) for row, found in enumerate(lost) for turn, loss in enumerate(found))
    starts = dict.fromkeys(start for _, _, start in ranked if start not in set(spread))
    return tuple(sorted({*spread, *list(starts)[: int(LOSSES * evenly)]}))


def thinned(overlaps: Values, step: int) -> Values:
    """(t, n) -> (t, ceil(n / step)): means over ``step`` frames that have an overlap, NaN where none has."""
    if step == 1:
        return overlaps
    starts = np.arange(0, overlaps.shape[1], step)
    known = ~np.isnan(overlaps)
    sums = np.add.reduceat(np.where(known, overlaps, 0.0), starts, axis=1)
    counts = np.add.reduceat(known.astype(np.int64), starts, axis=1)
    means: Values = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return means


def to_bytes(overlaps: Values, levels: int) -> Bytes:
    """Overlaps 0..1 rounded to 0..levels, NOWHERE for NaN."""
    return np.where(np.isnan(overlaps), NOWHERE, np.rint(overlaps * levels)).astype(np.uint8)


def detail_for(sequences: int, lines: int) -> Detail:
    """What a page with so many sequences and, over all of them, so many lines has room for."""
    points = max(LEAST_POINTS, min(POINTS, PAGE_POINTS // max(1, lines)))
    return Detail(points, max(LEAST_EVENLY, min(EVENLY, PAGE_FRAMES // max(1, sequences))))
