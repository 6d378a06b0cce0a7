"""Scores as the JSON object that ``score --format json`` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from inmo.reports.scoring.protocols import GRIDS, PROTOCOLS
from inmo.reports.scoring.score import KINDS, SCALARS, Measures, Score

NOT_DEFINED = "{} has no {}"


def scores_json(scores: Iterable[Score], per_sequence: bool = False) -> dict[str, Any]:
    """One object: ``{"scores": [...]}``, fractions 0..1, null with a ``reason`` where there is no number.

    The three curves are sampled at IoU 0, 0.05 .. 1 (21 values), 0, 1 .. 50 px (51) and 0, 0.01 .. 0.50 (51). A
    protocol that samples otherwise has null there and its own curves, with their thresholds, under ``curves``.
    """
    return {"scores": [_score(score, per_sequence) for score in scores]}


def _score(score: Score, per_sequence: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "dataset": score.dataset,
        "tracker": score.tracker,
        "protocol": score.protocol,
        "sequences": score.sequences,
        "expected_sequences": score.expected,
        **_measures(score.mean, score.protocol, score.reason),
    }
    if score.boxes:
        entry["boxes"] = score.boxes
    if score.readings:
        entry["readings"] = [asdict(reading) for reading in score.readings]
    if score.notes:
        entry["notes"] = list(score.notes)
    if score.holes:
        entry["holes"] = [{"sequence": hole.sequence, "reason": hole.reason} for hole in score.holes]
    if per_sequence:
        # A sequence is its own coverage, so that every object has the same keys.
        head = {"dataset": score.dataset, "tracker": score.tracker, "protocol": score.protocol}
        parts = {name: (1, measures, "") for name, measures in score.per_sequence.items()}
        parts |= {hole.sequence: (0, Measures(), hole.reason) for hole in score.holes}
        entry["per_sequence"] = {
            name: {**head, "sequences": done, "expected_sequences": 1, **_measures(measures, score.protocol, reason)}
            for name, (done, measures, reason) in parts.items()
        }
    return entry


def _measures(measures: Measures, protocol: str, reason: str) -> dict[str, Any]:
    values: dict[str, Any] = {each.key: measures.value(each) for each in SCALARS if not each.instead_of}
    own: dict[str, Any] = {}
    for kind in KINDS:
        curve = measures.curve(kind)
        known = curve is not None and len(curve) == kind.points
        values[f"{kind.key}_curve"] = curve.tolist() if curve is not None and known else None
        if curve is not None and not known:
            thresholds = GRIDS[PROTOCOLS[protocol].grid(kind.key) or ""]
            own[kind.key] = {"thresholds": thresholds.tolist(), "values": curve.tolist()}
    for each in SCALARS:
        if each.instead_of and measures.value(each) is not None:
            values[each.key] = measures.value(each)
    counts = {"broken_predictions": "broken", "rows_beyond_annotation": "longer", "rows_lacking": "shorter"}
    values |= {key: count for key, name in counts.items() if (count := getattr(measures, name))}
    if measures.box_coverage is not None:
        values["box_coverage"] = measures.box_coverage
    if own:
        values["curves"] = own
    if absent := [key for key, value in values.items() if value is None]:
        values["reason"] = reason or NOT_DEFINED.format(protocol, ", ".join(absent))
    return values
