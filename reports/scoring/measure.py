"""One prediction against one annotation under one protocol: frames in, curves out.

What depends on the annotation alone is worked out once (``Target``) and serves every tracker.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets import family, flagged
from inmo.datasets.base import Annotation
from inmo.errors import UserError
from inmo.reports.scoring import metrics
from inmo.reports.scoring.metrics import Values
from inmo.reports.scoring.protocols import GRIDS, TRAILING_ZERO_ROWS_MAY_LACK, Protocol
from inmo.reports.scoring.score import KINDS, SCALARS, Curve, Measures

Mask = NDArray[np.bool_]
AREAS = {"mean": metrics.mean_of_curve, "trapezoid": metrics.trapezoid}
NO_BOXES = np.empty((0, 4))
DISTANCES = {"failure": np.inf, "hit": -1.0}  # -1 lies below, inf above every threshold


class RefusalError(UserError):
    """A protocol refuses to score this prediction or annotation; the message says why."""


@dataclass(frozen=True)
class Target:
    """An annotation prepared for one protocol.

    Attributes:
        protocol: resolved for the benchmark.
        annotation: as given, less what the protocol leaves out of it.
        boxes: (n, 4), rounded where the protocol rounds.
        opening: (k, 4) rows at the front that predictions may lack: the frames before the benchmark's first.
        trailing: rows at the end that predictions may lack.
        remarks: keys of ``REMARKS`` that hold for every score of it.
        frames: what the curves are divided by.
        keep: (n,) frames above the line; None for all.
        overlap, distance, norm: (mask, value) pairs that settle frames before any comparison.
    """

    protocol: Protocol
    annotation: Annotation
    boxes: Boxes
    opening: Boxes
    trailing: int
    remarks: tuple[str, ...]
    frames: int
    keep: Mask | None
    overlap: tuple[tuple[Mask, float], ...]
    distance: tuple[tuple[Mask, float], ...]
    norm: tuple[tuple[Mask, float], ...]


def prepare(annotation: Annotation, protocol: Protocol, benchmark: str = "", sequence: str = "") -> Target:
    """Work out which frames count and how. Raises RefusalError where the protocol refuses the annotation."""
    rule = protocol.on(benchmark)
    opening = annotation.before if rule.before == "scored" and np.isfinite(annotation.before).all() else NO_BOXES
    if len(opening):
        flags = annotation.absent
        absent = None if flags is None else np.concatenate([np.zeros(len(opening), dtype=bool), flags])
        annotation = Annotation(np.concatenate([opening, annotation.boxes]), absent)
    unflagged = annotation.absent is None and rule.absent != "ignore" and flagged(benchmark)
    cut = rule.before == "scored" and len(annotation.before) > 0
    if sequence in rule.drop_last:
        annotation = _head(annotation, len(annotation) - 1)
    boxes = np.rint(annotation.boxes) if rule.round_boxes else annotation.boxes
    blank = np.isnan(boxes).any(axis=1)
    if rule.nan_annotation == "raise" and blank.any():
        raise RefusalError(f"{rule.name} refuses NaN in annotations ({int(blank.sum())} rows): use another protocol")
    invalid = np.zeros_like(blank)
    if rule.valid != "all":
        invalid = np.asarray(~((boxes if rule.valid == "xywh" else boxes[:, 2:]) > 0).all(axis=1))  # NaN is, too
    absent = annotation.absent if annotation.absent is not None and rule.absent != "ignore" else np.zeros_like(blank)
    if len(absent) != len(boxes):
        raise RefusalError(f"the annotation has {len(boxes)} boxes but {len(absent)} absent flags: mend the files")

    dropped = blank & (rule.nan_annotation == "excluded")
    dropped |= absent & (rule.absent == "excluded")
    dropped |= invalid & (rule.invalid_overlap == "excluded")
    if rule.first == "excluded":
        dropped[:1] = True
    keep = ~dropped if dropped.any() else None
    gone = absent & (rule.absent == "failure")
    far, far_norm = _distance_invalid(boxes, invalid, rule)
    frames = len(boxes) if keep is None else int(keep.sum())
    if rule.denominator == "valid":
        frames = int((~(invalid | gone)).sum())
    if frames == 0:
        raise RefusalError(f"{rule.name} finds no frame to score in this annotation")
    return Target(
        protocol=rule,
        annotation=annotation,
        boxes=boxes,
        opening=boxes[: len(opening)],
        trailing=_trailing_zero_rows(boxes) if family(benchmark) in TRAILING_ZERO_ROWS_MAY_LACK else 0,
        remarks=("unflagged",) * unflagged + ("cut",) * cut,
        frames=frames,
        keep=keep,
        overlap=_settled({"failure": -1.0}, (invalid, rule.invalid_overlap), (gone, "failure")),
        distance=_settled(DISTANCES, (far, rule.invalid_distance), (gone, "failure")),
        norm=_settled(DISTANCES, (far_norm, rule.invalid_norm), (gone, "failure")),
    )


def measure(prediction: Boxes, target: Target, sequence: str = "") -> Measures:
    """Curves and scalars of one prediction, (m, 4). Raises RefusalError where the protocol refuses it."""
    prediction, filled = _started(prediction, target)
    prediction, failed, broken = _usable(prediction, target.protocol)
    surplus = len(prediction) - len(target.boxes) - (sequence in target.protocol.drop_last)
    target, prediction = _same_length(prediction, target, sequence)
    rule, boxes = target.protocol, target.boxes
    if rule.round_boxes:
        prediction = np.rint(prediction)
    if rule.first == "annotation":
        prediction = np.concatenate([boxes[:1], prediction[1:]])

    ratio = metrics.overlap(prediction, boxes, pixels=rule.pixels, epsilon=rule.union_epsilon, skip_nan=rule.skip_nan)
    if rule.clamp:
        np.clip(ratio, 0.0, 1.0, out=ratio)
    if rule.zero_overlap_fails:
        ratio[ratio == 0.0] = -1.0
    ratio = _settle(ratio, target, target.overlap, failed, -1.0)
    counts = metrics.success_counts(ratio, GRIDS[rule.success_grid], inclusive=rule.inclusive)
    curves = {"success": counts / target.frames}
    if rule.precision_grid:
        far = metrics.centre_distance(prediction, boxes)
        if rule.round_distance is not None:
            far = np.round(far, rule.round_distance)
        far = _settle(far, target, target.distance, failed, np.inf)
        curves["precision"] = metrics.precision_counts(far, GRIDS[rule.precision_grid]) / target.frames
    if rule.norm_grid:
        far = metrics.normalised_distance(
            prediction, boxes, floor=rule.norm_floor, epsilon=rule.norm_epsilon, centres_first=rule.norm_centres_first
        )
        far = _settle(far, target, target.norm, failed, np.inf)
        curves["norm_precision"] = metrics.precision_counts(far, GRIDS[rule.norm_grid]) / target.frames
    coverage = float((prediction.sum(axis=1) > 0).mean()) if rule.coverage else None
    rows = {"longer": max(surplus, 0), "shorter": max(-surplus, 0)}
    return with_scalars(curves, rule, coverage=coverage, frames=target.frames, broken=broken, filled=filled, **rows)


def with_scalars(curves: dict[str, Curve], rule: Protocol, *, coverage: float | None = None, **sums: Any) -> Measures:
    """The measures of a sequence or of a mean: the curves given, the scalars the protocol reads off them, and ``sums``:
    the fields of ``Measures`` that add up."""
    values: dict[str, Any] = {**curves}
    for scalar in SCALARS:
        if scalar.curve in curves:
            curve = curves[scalar.curve]
            if scalar.at is None:
                values[scalar.key] = AREAS[rule.area](curve, GRIDS[rule.grid(scalar.curve) or ""])
            elif rule.points:
                values[scalar.key] = float(curve[scalar.at])
    return Measures(**values, **sums, box_coverage=coverage)


def mean_measures(parts: Iterable[Measures], rule: Protocol) -> Measures:
    """The unweighted mean of curves over sequences (or runs), then the scalars of the mean curves.

    A curve that some part lacks is absent from the mean. With ``drop_zero`` curves that are 0 everywhere are left
    out of their own mean, as the MATLAB toolkits do. Coverage alone is a mean over frames.
    """
    parts = list(parts)
    curves: dict[str, Curve] = {}
    for kind in KINDS:
        stack = [curve for part in parts if (curve := part.curve(kind)) is not None]
        if len(stack) < len(parts):
            continue
        if rule.drop_zero:
            stack = [curve for curve in stack if curve.any()] or stack[:1]
        if stack:
            curves[kind.key] = np.mean(stack, axis=0)
    frames = sum(part.frames for part in parts)
    covered = sum((part.box_coverage or 0.0) * part.frames for part in parts) / frames if rule.coverage else None
    sums = {key: sum(getattr(part, key) for part in parts) for key in ("broken", "filled", "longer", "shorter")}
    return with_scalars(curves, rule, coverage=covered, frames=frames, **sums)


def _distance_invalid(boxes: Boxes, invalid: Mask, rule: Protocol) -> tuple[Mask, Mask]:
    """Frames whose distance, and whose normalised distance, the annotation leaves undefined."""
    if rule.distance_valid == "same":
        return invalid, invalid
    if rule.distance_valid == "all":
        return np.zeros_like(invalid), np.zeros_like(invalid)
    x, y = metrics.centres(boxes)
    with np.errstate(divide="ignore", invalid="ignore"):
        norm_x, norm_y = x / (boxes[:, 2] + rule.norm_epsilon), y / (boxes[:, 3] + rule.norm_epsilon)
    return ~((x > 0) & (y > 0)), ~((norm_x > 0) & (norm_y > 0))


def _settled(decided: dict[str, float], *cases: tuple[Mask, str]) -> tuple[tuple[Mask, float], ...]:
    return tuple((mask, decided[what]) for mask, what in cases if what in decided and mask.any())


def _settle(
    values: Values, target: Target, cases: tuple[tuple[Mask, float], ...], failed: Mask | None, failure: float
) -> Values:
    """Of the frames that count, with those that are decided already and those that fail outright."""
    unknown = np.isnan(values)
    if unknown.any():
        values[unknown] = failure
    if failed is not None:
        values[failed[: len(values)]] = failure
    for mask, value in cases:
        values[mask] = value
    return values if target.keep is None else values[target.keep]


def _trailing_zero_rows(boxes: Boxes) -> int:
    positive = np.flatnonzero(boxes.any(axis=1))
    return len(boxes) - 1 - int(positive[-1]) if len(positive) else 0


def _head(annotation: Annotation, rows: int) -> Annotation:
    absent = None if annotation.absent is None else annotation.absent[:rows]
    return replace(annotation, boxes=annotation.boxes[:rows], absent=absent)


def _started(prediction: Boxes, target: Target) -> tuple[Boxes, int]:
    """The prediction from the target's first frame on, and how many of its rows are the annotation's for that."""
    opening = target.opening
    if len(opening) and len(prediction) == len(target.boxes) - len(opening):
        return np.concatenate([opening, prediction]), len(opening)
    return target.annotation.split(prediction)[1], 0


def _same_length(prediction: Boxes, target: Target, sequence: str) -> tuple[Target, Boxes]:
    """Bring prediction and annotation to one length, the protocol's way."""
    rule, wanted, given = target.protocol, len(target.boxes), len(prediction)
    if given == wanted:
        return target, prediction
    if given > wanted and (rule.longer == "cut" or sequence in rule.cut_sequences):
        return target, prediction[:wanted]
    forgiven = rule.shorter == "raise" and wanted - given <= target.trailing
    if 0 < given < wanted and (rule.shorter == "cut" or forgiven):
        return prepare(_head(target.annotation, given), rule), prediction
    if given < wanted and rule.shorter in ("zeros", "nan"):
        padding = np.full((wanted - given, 4), 0.0 if rule.shorter == "zeros" else np.nan)
        return target, np.concatenate([prediction, padding])
    raise RefusalError(
        f"{rule.name} refuses a result of {given} rows for an annotation of {wanted}: "
        "complete the result, or check that it belongs to this sequence"
    )


def _usable(prediction: Boxes, rule: Protocol) -> tuple[Boxes, Mask | None, int]:
    """The prediction with broken rows treated the protocol's way, the rows that fail outright, and how many broke."""
    sizes = prediction[:, 2:]
    with np.errstate(invalid="ignore", over="ignore"):
        if not len(prediction) or (sizes.min() > 0 and math.isfinite(prediction.sum())):
            return prediction, None, 0
    broken = int((~np.isfinite(prediction).all(axis=1) | (sizes <= 0).any(axis=1)).sum())
    failed = np.zeros(len(prediction), dtype=bool)
    repeat = np.zeros(len(prediction), dtype=bool)
    for words, what, mask in (
        ("NaN", rule.nan_prediction, np.isnan(prediction).any(axis=1)),
        ("negative sizes", rule.negative_size, (sizes < 0).any(axis=1)),
        ("zero sizes", rule.zero_size, (sizes == 0).any(axis=1)),
    ):
        if what == "raise" and mask.any():
            row = int(np.flatnonzero(mask)[0]) + 1
            raise RefusalError(f"{rule.name} refuses results with {words} (row {row}): use another protocol")
        failed |= mask & (what == "failure")
        repeat |= mask & (what == "repeat")
    if repeat.any():
        source = np.maximum.accumulate(np.where(repeat, 0, np.arange(len(prediction))))
        prediction = prediction[source]
    return prediction, failed if failed.any() else None, broken
