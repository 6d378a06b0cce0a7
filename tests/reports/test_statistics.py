"""Intervals and tests over sequences, against scipy and against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.statistics import bootstrap_interval, compare_with_best, holm, interval_words

UNIT = st.floats(0, 1, allow_nan=False, width=32)


def test_no_interval_below_six_sequences() -> None:
    assert bootstrap_interval([0.1, 0.5, 0.9, 0.2, 0.3]) is None
    assert bootstrap_interval([0.1, 0.5, 0.9, 0.2, 0.3, 0.4]) is not None
    assert interval_words(5) == "no interval: 5 sequences are too few (at least 6)"
    assert interval_words(1).startswith("no interval: 1 sequence is too few")


def test_interval_is_the_normal_one_for_many_values() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 400)
    interval = bootstrap_interval(list(values))
    assert interval is not None
    half = 1.96 * values.std() / np.sqrt(400)
    assert interval.low == pytest.approx(values.mean() - half, abs=6e-4)
    assert interval.high == pytest.approx(values.mean() + half, abs=6e-4)
    assert interval.n == 400


def test_interval_is_seeded() -> None:
    values = list(np.random.default_rng(2).random(10))
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval(values) != bootstrap_interval(values, seed=1)


def test_equal_values_have_an_interval_of_no_width() -> None:
    interval = bootstrap_interval([0.25] * 7)
    assert interval is not None
    assert (interval.low, interval.high) == (0.25, 0.25)


@given(st.lists(UNIT, min_size=6, max_size=12))
def test_interval_lies_within_the_values_around_the_mean(values: list[float]) -> None:
    interval = bootstrap_interval(values, resamples=300)
    assert interval is not None
    assert min(values) - 1e-12 <= interval.low <= interval.high <= max(values) + 1e-12


def test_compare_with_best_by_hand() -> None:
    best = {f"s{i}": 0.5 + 0.01 * i for i in range(6)}
    worse = {name: value - 0.1 - 0.001 * i for i, (name, value) in enumerate(best.items())}
    found = compare_with_best({"A": best, "B": worse, "C": dict(best)}, "A")
    assert set(found) == {"B", "C"}
    assert found["B"].difference == pytest.approx(-0.1025)
    assert found["B"].p_value == pytest.approx(2 * 2 / 2**6)  # all six below: 2/64, doubled by Holm over two trackers
    assert found["C"].difference == 0.0
    assert found["C"].p_value == 1.0
    assert found["B"].interval is not None
    assert found["B"].interval.high < 0


def test_compare_uses_shared_sequences_only() -> None:
    found = compare_with_best({"A": {"x": 0.9, "y": 0.5}, "B": {"y": 0.25}, "C": {"z": 1.0}}, "A")
    assert set(found) == {"B"}
    assert (found["B"].difference, found["B"].n, found["B"].p_value) == (-0.25, 1, None)


def test_holm_by_hand() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.6, "b": 0.7}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


@given(st.dictionaries(st.text(max_size=3), UNIT, max_size=8))
def test_holm_never_lowers_and_keeps_the_order(p_values: dict[str, float]) -> None:
    corrected = holm(p_values)
    assert all(corrected[name] >= p_values[name] for name in p_values)
    ordered = sorted(p_values, key=lambda n: (p_values[n], n))
    assert [corrected[n] for n in ordered] == sorted(corrected.values())
