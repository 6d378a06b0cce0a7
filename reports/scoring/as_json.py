"""Scores as the JSON object that ``score --format json`` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inmo.reports.scoring.protocols import GRIDS, PROTOCOLS
from inmo.reports.scoring.score import Measures, Score

POINTS = {"success_curve": 21, "precision_curve": 51, "norm_precision_curve": 51}
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
    if score.holes:
        entry["holes"] = [{"sequence": hole.sequence, "reason": hole.reason} for hole in score.holes]
    if per_sequence:
        # A sequence is its own coverage, so that every object has the same keys.
        head = {"dataset": score.dataset, "tracker": score.tracker, "protocol": score.protocol}
        counts = {"sequences": 1, "expected_sequences": 1}
        entry["per_sequence"] = {
            name: {**head, **counts, **_measures(measures, score.protocol, "")}
            for name, measures in score.per_sequence.items()
        }
        for hole in score.holes:
            entry["per_sequence"][hole.sequence] = {
                **head,
                "sequences": 0,
                "expected_sequences": 1,
                **_measures(Measures(), score.protocol, hole.reason),
            }
    return entry


def _measures(measures: Measures, protocol: str, reason: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "success_auc": measures.success_auc,
        "precision_20": measures.precision_20,
        "norm_precision_020": measures.norm_precision_020,
        "norm_precision_auc": measures.norm_precision_auc,
        "success_curve": None,
        "precision_curve": None,
        "norm_precision_curve": None,
    }
    own: dict[str, Any] = {}
    for name in ("success", "precision", "norm_precision"):
        curve = getattr(measures, name)
        if curve is not None and len(curve) == POINTS[f"{name}_curve"]:
            values[f"{name}_curve"] = curve.tolist()
        elif curve is not None:
            own[name] = {"thresholds": GRIDS[PROTOCOLS[protocol].grid(name) or ""].tolist(), "values": curve.tolist()}
    if measures.precision_auc is not None:
        values["precision_auc"] = measures.precision_auc
    if measures.broken:
        values["broken_predictions"] = measures.broken
    if measures.box_coverage is not None:
        values["box_coverage"] = measures.box_coverage
    if own:
        values["curves"] = own
    absent = [key for key, value in values.items() if value is None]
    if absent:
        values["reason"] = reason or NOT_DEFINED.format(protocol, ", ".join(absent))
    return values
