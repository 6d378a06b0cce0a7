"""Intervals and tests over sequences, against scipy and against numbers worked by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inmo.reports.scoring.statistics import (
    EXACT,
    Pair,
    bootstrap_interval,
    compare_all,
    compare_with_best,
    interval_words,
    randomised,
    studentised,
)
from inmo.reports.tables.significance import matrix_table, pairs_table

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


@pytest.mark.parametrize(("count", "covered"), [(6, 0.94), (16, 0.95), (100, 0.95)])
def test_intervals_hold_the_true_mean_as_often_as_they_say(count: int, covered: float) -> None:
    rng, cases = np.random.default_rng(7), 2000
    values = rng.beta(2, 1.2, (count, cases))  # AUCs of sequences: most are high, some are lost early
    low, high = studentised(values, 1000, 7)
    assert ((low <= 2 / 3.2) & (high >= 2 / 3.2)).mean() == pytest.approx(covered, abs=0.015)


@given(st.lists(UNIT, min_size=6, max_size=12))
def test_interval_lies_within_what_can_be_around_the_mean(values: list[float]) -> None:
    interval = bootstrap_interval(values, within=(0.0, 1.0), resamples=300)
    assert interval is not None
    assert 0.0 <= interval.low <= interval.high <= 1.0
    assert interval.low - 1e-9 <= np.mean(values) <= interval.high + 1e-9


def test_compare_with_best_by_hand() -> None:
    best = {f"s{i}": 0.5 + 0.01 * i for i in range(6)}
    worse = {name: value - 0.1 - 0.001 * i for i, (name, value) in enumerate(best.items())}
    found = compare_with_best({"A": best, "B": worse, "C": dict(best)}, "A")
    assert set(found) == {"B", "C"}
    assert found["B"].difference == pytest.approx(-0.1025)
    assert found["B"].p_value == 2 / 64  # all six below; C, which differs nowhere, cannot be as far in any way
    assert found["C"].difference == 0.0
    assert found["C"].p_value == 1.0
    assert found["B"].interval is not None
    assert found["B"].interval.high < 0


def test_compare_uses_shared_sequences_only() -> None:
    found = compare_with_best({"A": {"x": 0.9, "y": 0.5}, "B": {"y": 0.25}, "C": {"z": 1.0}}, "A")
    assert set(found) == {"B"}
    assert (found["B"].difference, found["B"].n, found["B"].p_value) == (-0.25, 1, None)


def test_signs_are_turned_in_every_way() -> None:
    """With few sequences the test is exact: of 2**n ways, those whose mean is as far from 0 as the measured one."""
    (p,) = randomised([{f"s{i}": 0.1 for i in range(6)}])
    assert p == 2 / 64
    (p,) = randomised([{"a": 3.0, "b": 2.0, "c": 1.0}])
    assert p == 2 / 8
    (p,) = randomised([{"a": 3.0, "b": 2.0, "c": -1.0}])  # 6, 4, 4 above it or equal to it, and their opposites
    assert p == 4 / 8
    (p,) = randomised([dict.fromkeys("abc", 0.0)])
    assert p == 1
    assert randomised([]) == []


def test_the_test_agrees_with_scipys_and_with_students_in_the_large() -> None:
    from scipy import stats

    rng = np.random.default_rng(5)
    few = {f"s{i}": float(v) for i, v in enumerate(rng.normal(0.3, 1, EXACT))}
    drawn = {**few, "none": 0.0}  # one more sequence, without a difference
    assert randomised([few])[0] == pytest.approx(randomised([drawn])[0], abs=0.015)
    known = stats.permutation_test(([*few.values()],), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert randomised([few])[0] == pytest.approx(known.pvalue)
    many = rng.normal(0.16, 1, 200)
    expected = float(stats.ttest_1samp(many, 0).pvalue)
    assert randomised([{f"s{i}": float(v) for i, v in enumerate(many)}])[0] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("pairs", [1, 3, 10])
def test_a_mark_anywhere_is_wrong_in_at_most_one_table_of_twenty(pairs: int) -> None:
    """Exactly: of the 64 tables that differ in signs alone, as likely as each other where nothing differs."""
    values = np.random.default_rng(pairs).normal(size=(6, pairs))
    marked = 0
    for signs in itertools.product((1, -1), repeat=6):
        turned = np.array(signs)[:, None] * values
        found = randomised([{f"s{i}": float(v) for i, v in enumerate(column)} for column in turned.T])
        marked += min(found) <= 0.05
    assert marked <= 0.05 * 64


@pytest.mark.parametrize("count", [6, 8, 16])
def test_eleven_equal_trackers_that_lose_targets_get_a_mark_in_one_table_of_twenty(count: int) -> None:
    """Turning all signs of a sequence at once takes the differences for symmetric together, which skewed losses of many
    trackers are not: that it does no harm is seen, not proved."""
    rng, tables = np.random.default_rng(count), 300
    marked = 0
    for _ in range(tables):
        lost = rng.binomial(1, 0.2, (count, 11)) * rng.uniform(0.3, 1, (count, 11))
        aucs = rng.beta(2, 1.2, (count, 1)) * (1 - lost) + rng.normal(0, 0.01, (count, 11))
        values = {f"t{i}": {f"s{j}": float(v) for j, v in enumerate(column)} for i, column in enumerate(aucs.T)}
        marked += any(pair.better for pair in compare_all(values, resamples=10))
    assert marked <= tables * 0.05 + 3 * np.sqrt(tables * 0.05 * 0.95)


@given(st.lists(st.lists(st.floats(-1, 1), min_size=8, max_size=8), min_size=1, max_size=5))
def test_the_order_of_p_is_that_of_the_evidence_and_more_pairs_lower_none(rows: list[list[float]]) -> None:
    pairs = [{f"s{i}": value for i, value in enumerate(row)} for row in rows]
    together, alone = randomised(pairs), [randomised([pair])[0] for pair in pairs]
    assert all(one <= both for one, both in zip(alone, together, strict=True))
    assert all(2 / 2**8 <= p <= 1 for p in together)
    assert randomised([*pairs[1:], pairs[0]]) == [*together[1:], together[0]]


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
    # A - B is as far from 0 as this in 2 of 64 ways to turn signs, and B - C, whose signs alternate, in 2 others.
    assert ab.p_value == 4 / 64
    assert (ab.better, bc.better) == ("", "")
    assert bc.difference == pytest.approx(0)
    assert bc.p_value == 1
    # A - C is 0.2 on three of them: as far in 2 of 8 ways, two of which are the two of B - C.
    assert ac.p_value == 2 / 8
    # B - C is (6 - 2k) / 60 after k draws of C's better three. k = 0 and 6 have no deviation; k = 1 and 5, each 6 of
    # the other 62, hold the ends: 0.4 / 6 aside with a deviation of 0.1 * sqrt(5 / 9), so 2 / sqrt(5) deviations.
    assert bc.interval is not None
    assert (bc.interval.low, bc.interval.high) == (pytest.approx(-0.2 / 5**0.5), pytest.approx(0.2 / 5**0.5))
    assert ab.turned == Pair("B", "A", pytest.approx(-0.1), 6, ab.turned.interval, ab.p_value)
    (alone,) = compare_all({name: values[name] for name in "AB"})
    assert (alone.p_value, alone.better, alone.turned.better) == (2 / 64, "A", "A")


def test_pairs_agree_with_single_intervals_and_know_a_real_difference() -> None:
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
        ["A", "B", 8, pytest.approx(0.2), 2 / 2**8, "A"],
        ["A", "C", 8, pytest.approx(0.2), 2 / 2**8, "A"],
        ["B", "C", 8, 0, 1, "not told apart"],
    ]
    assert "over all 3 pairs together" in table.caption
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


def test_differences_of_measures_that_are_no_fractions_are_not_cut() -> None:
    frames = {"A": {f"s{k}": 30.0 + k for k in range(12)}, "B": {f"s{k}": 20.0 for k in range(12)}}
    (pair,) = compare_all(frames, within=(-np.inf, np.inf))
    assert pair.difference == 15.5 and pair.interval is not None and 12 < pair.interval.low < 15.5 < pair.interval.high
