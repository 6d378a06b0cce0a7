"""The one loop behind scores of raw results and of stores."""

from __future__ import annotations

import numpy as np
import pytest

from inmo.datasets.base import Annotation, Hole
from inmo.reports.scoring.protocols import protocol
from inmo.reports.scoring.tally import Tally, take_in, tallies

TRUTH = Annotation(np.array([[10.0, 10, 20, 20]] * 4))
FAR = TRUTH.boxes + np.array([500.0, 0, 0, 0])
BROKEN = TRUTH.boxes * np.array([[1.0], [np.nan], [1], [1]])


def taken() -> Tally:
    rules = [protocol("pytracking")]
    into = tallies("d", "lasot", ["t"], rules)
    for name, boxes in {
        "a": [TRUTH.boxes, FAR],
        "b": [BROKEN],
        "c": [BROKEN],
        "e": [Hole("e", "it fell over")],
    }.items():
        take_in(into, {"t": boxes}, TRUTH, rules, "lasot", name)
    return into["t", "pytracking"]


def test_a_sequence_is_the_mean_of_its_runs() -> None:
    # One run is perfect but for overlap 1 (20 of 21 thresholds), the other right in the first frame alone.
    found = taken().done["a"].success_auc
    assert found == pytest.approx((20 / 21 + 20 / 21 / 4) / 2)


def test_a_refusal_leaves_no_number_or_a_hole() -> None:
    strict, forgiving = taken().score(5), taken().score(5, forgiving=True)
    assert strict.mean.success_auc is None
    assert strict.reason.startswith("b: pytracking refuses results with NaN (row 2)")
    assert strict.reason.endswith("(and 1 more sequences)")
    assert forgiving.reason == ""
    assert forgiving.coverage == "1 of 5"
    assert forgiving.mean.success_auc == forgiving.per_sequence["a"].success_auc
    assert [hole.sequence for hole in forgiving.holes] == ["e", "b", "c"]


def test_nothing_to_score_says_why() -> None:
    tally = Tally("d", "t", protocol("pysot"), [Hole("a", "no result file")])
    assert tally.score(1).reason == "nothing to score: a: no result file"
    assert tally.score(1, reason="its server scores the export").reason == "its server scores the export"
