"""Why a score is low: whether a tracker's files fit the ground truth better when they are read in another way.

The first row of a result is the annotated box in one-pass evaluation, and what follows has to lie near the
ground truth; corners read as x, y, w, h do neither. ``Watch`` sees the first rows of all results while they are scored
and names the trackers that deserve a second look, for the price of some small arrays; ``diagnose`` reads one tracker's
boxes in every way there is a name for, and says which is likely. Nothing is applied here.

A reading is likely where nearly all sequences agree: their first rows become the annotated boxes, they fit better, and
by enough. Of several the one that fits best is. How far sound results are from that: docs/protocols.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes, shift_origin, xyxy_to_xywh
from inmo.datasets.base import Annotation
from inmo.errors import UserError
from inmo.reports.scoring.metrics import overlap
from inmo.reports.scoring.protocols import Protocol, protocol
from inmo.reports.scoring.score import Reading, Score
from inmo.reports.scoring.tally import take_in, tallies
from inmo.terminal import listed
from inmo.trackers.recorded.box_layouts import AS_GIVEN_PX, BOX_LAYOUTS, BoxLayout

FIRST = 0.6  # overlap of a first row that is the annotated box, give or take rounding
SECOND = 0.5  # overlap of a second row near it
NEARLY_ALL, MOST, SOME = 0.8, 0.6, 0.2  # shares of the sequences
FEW = 3  # sequences
GAIN = 0.1  # in mean overlap, that another layout of the numbers must bring
GAIN_IN_TIME = 0.01  # that a shift by a frame must bring
EXACT_PX = 0.05  # between a first box and the annotated one less its origin
LEAST_SCALE = 1.1  # a frame of another size is larger or smaller by this factor
LARGEST_FRACTION = 1.0  # of the frame's size, that most normalised numbers are below
LEAST_RATE = 1.8  # rows of one for one of the other
LIKE_NAME = 0.3  # overlap that another sequence's ground truth must bring
SHOWN = 4  # of a list of names

Read = tuple[Boxes, Annotation]


@dataclass(frozen=True)
class Pair:
    """One sequence of a tracker: its runs' boxes, (m, 4) each, and the ground truth, (n, 4)."""

    sequence: str
    runs: tuple[Boxes, ...]
    annotation: Annotation


def _nearly(boxes: Boxes, annotation: Annotation) -> bool:
    return bool(overlap(boxes[:1], annotation.boxes[:1])[0] >= FIRST)


def _follows(boxes: Boxes, annotation: Annotation) -> bool:
    """The first row is the annotated box, and the next three lie near theirs."""
    count = min(4, len(boxes), len(annotation))
    near = overlap(boxes[1:count], annotation.boxes[1:count])
    near = near[np.isfinite(near)]
    return _nearly(boxes, annotation) and (not len(near) or float(near.mean()) >= SECOND)


def _not_given(boxes: Boxes, annotation: Annotation) -> bool:
    """The row behind the first, which was put there, is not the annotated box."""
    return not (np.abs(boxes[1:2] - annotation.boxes[:1]) <= AS_GIVEN_PX).all()


def _exactly(boxes: Boxes, annotation: Annotation) -> bool:
    return bool((np.abs(boxes[0] - annotation.boxes[0]) <= EXACT_PX).all())


@dataclass(frozen=True)
class _Way:
    """A way to read. ``reads`` gives the runs' boxes and the ground truth they belong to; nothing where it cannot be.

    ``gain``, ``share``: mean overlap that it must bring (twice that on few sequences), and share of sequences that must
    fit better; ``least``: sequences that it takes to tell; ``certain``: that it is there at all speaks for it;
    ``begins``: whether first rows, so read, are as they should be, and ``begun``: on what share of them.
    """

    words: str
    advice: str
    reads: Callable[[Pair], list[Read]]
    gain: float = GAIN
    share: float = NEARLY_ALL
    least: int = 1
    certain: bool = False
    begins: Callable[[Boxes, Annotation], bool] = _follows
    begun: float = NEARLY_ALL


# ---- what deserves a second look


@dataclass
class Watch:
    """First rows of all results, and who deserves a second look for them."""

    _heads: dict[str, list[Boxes]] = field(default_factory=dict)
    _lengths: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def take(self, tracker: str, boxes: Boxes, annotation: Annotation) -> None:
        """Keep the first two rows of a result and of its ground truth."""
        if not len(boxes) or not len(annotation):
            return
        head = np.full((2, 2, 4), np.nan)
        for side, rows in enumerate((boxes, annotation.boxes)):
            head[side, : len(rows[:2])] = rows[:2]
        self._heads.setdefault(tracker, []).append(head)
        self._lengths.setdefault(tracker, []).append((len(boxes), len(annotation)))

    def suspects(self) -> list[str]:
        """Trackers whose first rows are not what those of sound results are."""
        return [t for t in self._heads if _odd(np.array(self._heads[t]), np.array(self._lengths[t]))]


def _odd(heads: NDArray[np.float64], lengths: NDArray[np.int64]) -> bool:
    """Whether the first rows (s, 2, 2, 4) of a tracker (predicted, annotated) and the rows of both (s, 2) are odd."""
    (first, second), (own, own_second) = heads[:, 0].swapaxes(0, 1), heads[:, 1].swapaxes(0, 1)
    with np.errstate(invalid="ignore"):
        starts, nexts = overlap(first, own) >= FIRST, overlap(second, own_second) >= SECOND
        off = first - own
        given = (np.abs(off) <= AS_GIVEN_PX).all(axis=1)
        other_origin = (np.abs(np.abs(off) - (1, 1, 0, 0)) <= EXACT_PX).all(axis=1)
        repeated = (first == second).all(axis=1)
        ratio = lengths.max(axis=1) / lengths.min(axis=1)
    known = np.isfinite(own_second).all(axis=1)
    return bool(
        starts.mean() < NEARLY_ALL
        or (known.any() and nexts[known].mean() < MOST)
        or given.mean() < NEARLY_ALL
        or other_origin.mean() >= NEARLY_ALL
        or repeated.mean() >= NEARLY_ALL
        or (ratio >= LEAST_RATE).mean() >= MOST
        or _matches(first, own)
    )


def _matches(first: Boxes, annotated: Boxes) -> dict[int, list[int]]:
    """Result -> sequences whose annotated first box its first row is, where its own is another. Both (s, 4)."""
    with np.errstate(invalid="ignore"):
        own = (np.abs(first - annotated) <= AS_GIVEN_PX).all(axis=1)
        strange = np.flatnonzero(~own & ~(overlap(first, annotated) >= FIRST))
        close = {int(i): (np.abs(annotated - first[i]) <= AS_GIVEN_PX).all(axis=1) for i in strange}
    return {i: np.flatnonzero(mask).tolist() for i, mask in close.items() if mask.any()}


# ---- the second look


def diagnose(
    pairs: Sequence[Pair], score: Score, rule: Protocol, benchmark: str, *, boxes: str = "xywh"
) -> tuple[Reading, ...]:
    """A tracker's results read in every way: as they stand first, then what they may be, the best first.

    Args:
        pairs: its sequences.
        score: of the results as they stand.
        rule: the protocol; benchmark: for protocols that treat benchmarks differently.
        boxes: the layout that was asked for, which is left out.

    Ways that fit no sequence are left out. At most one is likely.
    """
    pairs = [pair for pair in pairs if pair.runs and len(pair.runs[0]) and len(pair.annotation)]
    if not pairs:
        return ()
    asis = np.array([_fit(pair.runs[0], pair.annotation) for pair in pairs])
    starts = float(np.mean([_follows(pair.runs[0], pair.annotation) for pair in pairs]))
    found: list[tuple[float, Reading]] = []
    for way in _ways(pairs, boxes):
        tried = [(n, reads) for n, pair in enumerate(pairs) if (reads := way.reads(pair))]
        if tried:
            found.append(_weigh(way, pairs, tried, (asis, starts), score, rule, benchmark))
    likely = max((fit for fit, reading in found if reading.likely), default=None)
    others = [replace(r, likely=r.likely and fit == likely) for fit, r in found]
    others.sort(key=lambda r: (not r.likely, -(r.auc or 0.0)))
    return (Reading("as they stand", len(pairs), starts, 0.0, score.mean.success_auc), *others)


def _weigh(
    way: _Way,
    pairs: Sequence[Pair],
    tried: Sequence[tuple[int, list[Read]]],
    stand: tuple[NDArray[np.float64], float],
    score: Score,
    rule: Protocol,
    benchmark: str,
) -> tuple[float, Reading]:
    """Mean overlap of a way, and what is to be said of it.

    ``stand``: overlaps and starts of the files as they stand.
    """
    fits = np.array([_fit(*reads[0]) for _, reads in tried])
    before = stand[0][[n for n, _ in tried]]
    starts = float(np.mean([way.begins(*reads[0]) for _, reads in tried]))
    better = float(np.mean(fits > before))
    gain = float(np.mean(fits - before))
    enough = gain > way.gain * (2 if len(pairs) < FEW else 1)
    agreed = len(tried) >= NEARLY_ALL * len(pairs) and starts >= way.begun and better >= way.share
    begins_better = starts > stand[1] or way.gain < GAIN
    likely = way.certain or (enough and agreed and begins_better and len(pairs) >= way.least)
    into = tallies(score.dataset, benchmark, [score.tracker], [rule])
    for n, reads in tried:
        take_in(into, {score.tracker: [b for b, _ in reads]}, reads[0][1], [rule], benchmark, pairs[n].sequence)
    auc = into[score.tracker, rule.name].score(score.expected, forgiving=True).mean.success_auc
    return float(fits.mean()), Reading(way.words, len(tried), starts, better, auc, likely, way.advice)


def _fit(boxes: Boxes, annotation: Annotation) -> float:
    """Mean overlap over the frames that have a ground truth, without those at either end, which shifts make up."""
    rows = min(len(boxes), len(annotation))
    inside = slice(2, rows - 1) if rows > 3 else slice(0, rows)
    with np.errstate(invalid="ignore"):
        known = np.isfinite(annotation.boxes[inside]).all(axis=1) & (annotation.boxes[inside, 2:] > 0).all(axis=1)
    if annotation.absent is not None:
        known &= ~annotation.absent[inside]
    ratio = overlap(boxes[inside][known], annotation.boxes[inside][known])
    return float(np.mean(np.clip(np.nan_to_num(ratio), 0.0, 1.0))) if len(ratio) else 0.0


# ---- the ways


def _ways(pairs: Sequence[Pair], boxes: str) -> list[_Way]:
    scaled = "in pixels of a frame of another size"
    if _fractions([pair.annotation.boxes for pair in pairs]):
        scaled = "in pixels, where the annotations are normalised to the frame"
    elif _fractions([pair.runs[0] for pair in pairs]):
        scaled = "normalised to the frame"
    ways = []
    for row in BOX_LAYOUTS.values():
        if row.columns == 4 and row.name not in ("xywh", boxes):
            words = f"{row.words.rpartition(',')[0]} {scaled}" if row.scaled else row.words
            ways.append(_Way(words, f"score with --boxes {row.name}", _each(_layout_reader(row))))
    ways += [
        _Way("x, y, w, h where the annotations are corners (x1, y1, x2, y2)", "rewrite the annotations as x, y, w, h",
             _each(_corners_annotated)),
        *(_Way(f"boxes counted from {named} where the annotations count from {other}", "count from the same origin",
               _each(_origin_reader(by)), 0.0, MOST, FEW, begins=_exactly)
          for named, other, by in ((1, 0, -1.0), (0, 1, 1.0))),
        _Way("results without their first row", "put the first box first", _each(_late), GAIN_IN_TIME, MOST, FEW,
             begins=_not_given, begun=SOME),
        _Way("results with their first row twice", "leave out the first row", _each(_early), GAIN_IN_TIME, MOST, FEW),
        _Way("results at a higher frame rate, several rows for each frame here",
             "score against the annotations of that version", _each(_more_frames), 0.0, 0.0, begins=_nearly),
        _Way("results at a lower frame rate, a row for several frames here",
             "score against the annotations of that version", _each(_fewer_frames), -1.0, 0.0, begins=_nearly),
    ]  # fmt: skip
    exchanged = _exchanged(pairs)
    return [*ways, exchanged] if exchanged else ways


def _each(read: Callable[[Boxes, Annotation], Read | None]) -> Callable[[Pair], list[Read]]:
    """Every run of a sequence read alike; nothing where one of them cannot be."""

    def reads(pair: Pair) -> list[Read]:
        found = [read(run, pair.annotation) for run in pair.runs]
        return [one for one in found if one is not None] if None not in found else []

    return reads


def _layout_reader(layout: BoxLayout) -> Callable[[Boxes, Annotation], Read | None]:
    def read(boxes: Boxes, annotation: Annotation) -> Read | None:
        try:
            found = layout.read(boxes, annotation.boxes, "")
        except UserError:
            return None
        if layout.scaled:
            with np.errstate(divide="ignore", invalid="ignore"):
                grown = np.abs(np.log(found[-1, 2:] / layout.to_xywh(boxes)[-1, 2:]))
            if not (grown > np.log(LEAST_SCALE)).any():
                return None  # of this very size
            if _size_error(found, annotation) >= _size_error(layout.to_xywh(boxes), annotation):
                return None  # places alone are another's, as of boxes that stand beside the target
        return found, annotation

    return read


def _size_error(boxes: Boxes, annotation: Annotation) -> float:
    """Median of |log| of the boxes' widths and heights over the annotated, behind the first row, which is given."""
    rows = min(len(boxes), len(annotation))
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(np.log(boxes[1:rows, 2:] / annotation.boxes[1:rows, 2:]))
    off = off[np.isfinite(off)]
    return float(np.median(off)) if off.size else 0.0


def _fractions(all_boxes: Sequence[Boxes]) -> bool:
    """Whether most numbers are fractions of the frame's size."""
    middle = [np.median(known) for boxes in all_boxes if (known := boxes[np.isfinite(boxes)]).size]
    return bool(middle) and float(np.median(middle)) <= LARGEST_FRACTION


def _corners_annotated(boxes: Boxes, annotation: Annotation) -> Read | None:
    found = xyxy_to_xywh(annotation.boxes)
    with np.errstate(invalid="ignore"):
        proper = (found[:, 2:] > 0).all(axis=1) | np.isnan(found).any(axis=1)
    return (boxes, Annotation(found, annotation.absent)) if proper.mean() >= NEARLY_ALL else None


def _origin_reader(by: float) -> Callable[[Boxes, Annotation], Read | None]:
    return lambda boxes, annotation: (shift_origin(boxes, by), annotation)


def _late(boxes: Boxes, annotation: Annotation) -> Read | None:
    """Row t is frame t + 1: the annotated box goes before, and what is too long then is cut."""
    if len(boxes) not in (len(annotation) - 1, len(annotation)):
        return None
    return np.concatenate([annotation.boxes[:1], boxes])[: len(annotation)], annotation


def _early(boxes: Boxes, annotation: Annotation) -> Read | None:
    """Row t is frame t - 1: the first row goes, and the last is repeated for what is too short then."""
    if len(boxes) not in (len(annotation), len(annotation) + 1) or not (boxes[:1] == boxes[1:2]).all():
        return None
    return np.concatenate([boxes[1:], boxes[-1:]])[: len(annotation)], annotation


def _more_frames(boxes: Boxes, annotation: Annotation) -> Read | None:
    every = _rate(len(boxes), len(annotation))
    if every is None:
        return None
    kept = boxes[::every][: len(annotation)]
    return np.concatenate([kept, np.repeat(kept[-1:], len(annotation) - len(kept), axis=0)]), annotation


def _fewer_frames(boxes: Boxes, annotation: Annotation) -> Read | None:
    every = _rate(len(annotation), len(boxes))
    if every is None:
        return None
    absent = None if annotation.absent is None else annotation.absent[::every][: len(boxes)]
    kept = Annotation(annotation.boxes[::every][: len(boxes)], absent)
    return boxes[: len(kept)], kept


def _rate(many: int, few: int) -> int | None:
    """How many of the many rows there are for each of the few, None where that is no whole number above 1."""
    every = round(many / few)
    return every if every > 1 and few > 1 and (few - 1) * every < many <= few * every + every // 2 else None


def _exchanged(pairs: Sequence[Pair]) -> _Way | None:
    """Files that hold another sequence's results: each sequence with the file that begins with its box."""
    found = _matches(
        np.array([pair.runs[0][0] for pair in pairs]), np.array([pair.annotation.boxes[0] for pair in pairs])
    )
    files: dict[str, Pair] = {}  # sequence -> where its results are
    named: list[str] = []
    for place, others in found.items():
        run, own = pairs[place].runs[0], _fit(pairs[place].runs[0], pairs[place].annotation)
        best = pairs[max(others, key=lambda other: _fit(run, pairs[other].annotation))]
        if _fit(run, best.annotation) > own + LIKE_NAME:
            files[best.sequence] = pairs[place]
            named.append(f"{pairs[place].sequence}'s of {best.sequence}")
    if not files:
        return None

    def reads(pair: Pair) -> list[Read]:
        return [(run, pair.annotation) for run in files.get(pair.sequence, pair).runs]

    words = f"files of other sequences ({listed(named, SHOWN)})"
    return _Way(words, "name the files after their sequences", reads, certain=True)


def with_readings(
    scores: Sequence[Score], pairs: Mapping[str, Sequence[Pair]], benchmark: str, boxes: str = "xywh"
) -> list[Score]:
    """The scores, those of the trackers among ``pairs`` with what their files may be; see ``diagnose``."""

    def read(score: Score) -> Score:
        rule = protocol(score.protocol)
        return replace(score, readings=diagnose(pairs[score.tracker], score, rule, benchmark, boxes=boxes))

    return [read(score) if score.tracker in pairs else score for score in scores]
