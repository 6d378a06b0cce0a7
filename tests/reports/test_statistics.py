"""Intervals and tests over sequences, against scipy and against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.significance import matrix_table, pairs_table
from reports.statistics import Pair, bootstrap_interval, compare_all, compare_with_best, holm, interval_words

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


def test_all_pairs_worked_by_hand() -> None:
    """Six sequences. A is 0.1 above B on every one: all resamples say so. C is 0.1 above and below B in turn."""
    names = [f"s{i}" for i in range(6)]
    b = dict.fromkeys(names, 0.5)
    values = {
        "A": dict.fromkeys(names, 0.6),
        "B": b,
        "C": {name: 0.4 if i % 2 else 0.6 for i, name in enumerate(names)},
        "alone": {"other": 0.9},
    }
    found = {(p.first, p.second): p for p in compare_all(values)}
    assert list(found) == [("A", "B"), ("A", "C"), ("B", "C")]  # who shares nothing is compared with nobody
    ab, ac, bc = found.values()
    assert (ab.difference, ab.n) == (pytest.approx(0.1), 6)
    assert ab.interval is not None
    assert (ab.interval.low, ab.interval.high) == (pytest.approx(0.1), pytest.approx(0.1))
    assert ab.p_value == pytest.approx(3 * 2 / 10_001)  # no resample of 10,000 is at or below 0; times three pairs
    assert (ab.better, bc.better) == ("A", "")
    assert bc.difference == pytest.approx(0)
    assert bc.p_value == 1
    # A - C is 0 or 0.2: a resample is 0 when it draws six times from three of six, which one in 64 does.
    assert ac.p_value == pytest.approx(2 * 2 / 64, abs=0.008)  # two pairs are left for Holm
    # B - C is (6 - 2k) / 60 after k draws of C's better three: k is 0 or 6 in 1 of 64 each, outside the middle 95 %.
    assert bc.interval is not None
    assert (bc.interval.low, bc.interval.high) == (pytest.approx(-0.2 / 3, abs=1e-9), pytest.approx(0.2 / 3, abs=1e-9))
    assert ab.turned == Pair("B", "A", pytest.approx(-0.1), 6, ab.turned.interval, ab.p_value)
    assert ab.turned.better == "A"


def test_pairs_agree_with_the_intervals_of_scipy_and_know_a_real_difference() -> None:
    rng = np.random.default_rng(3)
    names = [f"s{i}" for i in range(60)]
    hard = rng.random(60)
    values = {
        name: {n: float(v) for n, v in zip(names, hard * 0.5 + shift + rng.normal(0, 0.05, 60), strict=True)}
        for name, shift in {"A": 0.3, "B": 0.27, "C": 0.27}.items()
    }
    for pair in compare_all(values):
        differences = [values[pair.first][n] - values[pair.second][n] for n in names]
        known = bootstrap_interval(differences)
        assert known is not None and pair.interval is not None
        assert (pair.interval.low, pair.interval.high) == pytest.approx((known.low, known.high), abs=1e-3)
        assert (pair.better == "A") == (pair.first == "A")
    assert compare_all(values) == compare_all(values)


def test_five_sequences_claim_nothing() -> None:
    values = {name: {f"s{i}": base for i in range(5)} for name, base in {"A": 0.9, "B": 0.1}.items()}
    (pair,) = compare_all(values)
    assert (pair.interval, pair.p_value, pair.better) == (None, None, "")
    assert compare_all({"A": values["A"]}) == ()


def test_tables_of_pairs_say_who_is_better_and_how_it_was_judged() -> None:
    names = [f"s{i}" for i in range(8)]
    values = {t: dict.fromkeys(names, v) for t, v in {"A": 0.7, "B": 0.5, "C": 0.5}.items()}
    pairs = compare_all(values)
    table = pairs_table(pairs, title="T", protocol="pysot")
    assert [[cell.value for cell in row] for row in table.rows] == [
        ["A", "B", 8, pytest.approx(0.2), pytest.approx(6 / 10_001), "A"],
        ["A", "C", 8, pytest.approx(0.2), pytest.approx(6 / 10_001), "A"],
        ["B", "C", 8, 0, 1, "not told apart"],
    ]
    assert "Holm-corrected for 3 pairs" in table.caption
    matrix = matrix_table(pairs, title="T", protocol="pysot")
    assert [[cell.value for cell in row] for row in matrix.rows] == [
        ["A", 2, None, pytest.approx(0.2), pytest.approx(0.2)],
        ["B", 0, pytest.approx(-0.2), None, 0],
        ["C", 0, pytest.approx(-0.2), 0, None],
    ]
    assert [[cell.mark for cell in row[2:]] for row in matrix.rows] == [["", "*", "*"], ["*", "", ""], ["*", "", ""]]
    assert "95 % interval -20.0 to -20.0" in matrix.rows[1][2].note
    assert "* told apart at the 5 % level." in matrix.to_text()
    few = pairs_table(compare_all({t: {"s0": v["s0"]} for t, v in values.items()}))
    assert "Nothing is claimed" in few.caption
