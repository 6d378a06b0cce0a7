"""Ranges of AUC over the values of a constant, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from inmo.reports.scoring.spread import spreads
from inmo.reports.scoring.statistics import bootstrap_interval

BASE = np.arange(6.0)
# on sequence s, tracker A scores (s, s + 1, s + 3) / 20 under the three values, B (2 s, 2 s + 1, 2 s) / 20
A, B = (BASE[:, None] + [0, 1, 3]) / 20, (2 * BASE[:, None] + [0, 1, 0]) / 20


def test_ranges_are_those_of_means() -> None:
    first, second = spreads([A[None], B[None]], resamples=500)
    assert (first.range.value, second.range.value, second.range_difference.value) == pytest.approx((0.15, 0.05, -0.1))
    assert (first.first.value, second.first.value, second.first_difference.value) == pytest.approx((0.125, 0.25, 0.125))
    for found, end in ((first.range, 0.15), (second.range_difference, -0.1)):  # the same in every resample
        assert found.interval is not None and (found.interval.low, found.interval.high) == pytest.approx((end, end))
    assert second.first_difference.interval == bootstrap_interval([*BASE / 20], resamples=500)  # B less A is s / 20
    few = spreads([A[None, :5], B[None, :5]])[1]
    assert all(part.interval is None for part in vars(few).values())


def test_a_range_of_several_trainings_is_the_mean_of_theirs() -> None:
    # trainings of A move by 3 / 20 and 5 / 20, in opposite directions: their mean curve moves less than either
    other = (BASE[:, None] + [5, 1, 0]) / 20
    found, single = spreads([np.stack([A, other]), B[None]], resamples=2000)
    assert found.range.value == pytest.approx(0.2)
    assert found.first.value == pytest.approx(5 / 20)
    assert single.range_difference.value == pytest.approx(0.05 - 0.2)
    assert found.range.interval is not None and found.first.interval is not None
    assert found.range.interval.low < 0.15 and found.range.interval.high > 0.25  # two trainings tell little
    assert found.range.interval.high - found.range.interval.low == pytest.approx(
        2 * (found.range.interval.high - 0.2), rel=0.2
    )


def test_trainings_that_agree_add_no_doubt() -> None:
    once, twice = spreads([A[None]], resamples=500)[0], spreads([np.stack([A, A])], resamples=500)[0]
    assert twice.range == once.range
    assert twice.first.value == pytest.approx(once.first.value) and twice.first.interval is not None
