"""Quantities and curves on cases worked by hand, and the fast counting against the obvious one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inmo.reports.scoring import metrics
from inmo.reports.scoring.protocols import GRIDS
from inmo.reports.scoring.score import KINDS, MEASURES, SCALARS, Measures


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float64)


def test_overlap_worked_by_hand() -> None:
    a = boxes((0, 0, 10, 10), (0, 0, 10, 10), (0, 0, 10, 10), (0, 0, 10, 10), (5, 5, 4, 2))
    b = boxes((0, 0, 10, 10), (5, 0, 10, 10), (20, 0, 10, 10), (10, 0, 10, 10), (6, 5, 1, 2))
    # 100/100; 50/150; apart; touching; inside: 2/8
    expected = [1.0, float(Fraction(50, 150)), 0.0, 0.0, float(Fraction(2, 8))]
    for pixels in (False, True):
        np.testing.assert_array_equal(metrics.overlap(a, b, pixels=pixels), expected)


def test_overlap_of_two_empty_boxes_is_undefined() -> None:
    empty = boxes((3, 3, 0, 0))
    assert np.isnan(metrics.overlap(empty, empty)).all()
    assert metrics.overlap(empty, empty, epsilon=1e-16).tolist() == [0.0]


def test_a_negative_side_overlaps_nothing() -> None:
    assert metrics.overlap(boxes((20, 0, -10, 10)), boxes((0, 0, 30, 30)))[0] <= 0


def test_the_pixel_form_can_exceed_one_by_the_last_bit() -> None:
    found = {float(v) for v in metrics.overlap(*[np.random.default_rng(0).uniform(1, 99, (2000, 4))] * 2, pixels=True)}
    assert max(found) > 1.0
    assert max(found) < 1.0 + 1e-12


def test_a_side_that_is_nan_is_taken_from_the_other_box_on_request() -> None:
    a, b = boxes((0, np.nan, 10, 10)), boxes((0, 3, 10, 10))
    assert np.isnan(metrics.overlap(a, b)).all()
    assert metrics.overlap(a, b, skip_nan=True).tolist() == [1.0]


def test_distances_worked_by_hand() -> None:
    annotation = boxes((10, 20, 30, 40))
    prediction = boxes((13, 24, 30, 40))  # the centre moves by 3 and 4
    assert metrics.centre_distance(prediction, annotation).tolist() == [5.0]
    expected = float(np.hypot(3 / 30, 4 / 40))
    for first in (False, True):
        found = metrics.normalised_distance(prediction, annotation, centres_first=first)
        assert found.tolist() == pytest.approx([expected])
    assert metrics.normalised_distance(boxes((3, 4, 0, 0)), boxes((0, 0, 0, 0)), floor=1.0).tolist() == [5.0]


def test_a_larger_box_at_the_same_corner_moves_the_centre_by_half() -> None:
    assert metrics.centre_distance(boxes((0, 0, 16, 10)), boxes((0, 0, 10, 18))).tolist() == [5.0]


def test_success_counts_worked_by_hand() -> None:
    grid = GRIDS["iou"]
    counts = metrics.success_counts(np.array([1.0, 0.5, 0.0, -1.0]), grid)
    # > t: 1.0 passes all but t = 1; 0.5 passes 0 .. 0.45; 0 and -1 pass none
    assert counts.tolist() == [2] * 10 + [1] * 10 + [0]
    reached = metrics.success_counts(np.array([1.0, 0.5, 0.0, -1.0]), grid, inclusive=True)
    assert reached.tolist() == [3] + [2] * 10 + [1] * 10


def test_precision_counts_worked_by_hand() -> None:
    counts = metrics.precision_counts(np.array([-1.0, 0.0, 20.0, 20.0001, np.inf]), GRIDS["pixels"])
    assert counts.tolist() == [2] * 20 + [3] + [4] * 30


@pytest.mark.parametrize("name", list(GRIDS))
def test_grids_are_even_and_start_at_zero(name: str) -> None:
    grid = GRIDS[name]
    assert grid[0] == 0
    np.testing.assert_allclose(np.diff(grid), grid[-1] / (len(grid) - 1), rtol=1e-9)


def test_matlab_and_numpy_thresholds_differ_in_the_last_bit_only() -> None:
    low, high = GRIDS["iou-colon"], GRIDS["iou"]
    assert low[13] < 13 / 20 <= high[13]
    np.testing.assert_allclose(low, high, rtol=0, atol=3e-16)


@pytest.mark.parametrize("name", list(GRIDS))
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_counting_in_one_pass_equals_comparing_with_every_threshold(name: str, data: st.DataObject) -> None:
    grid = GRIDS[name]
    ties = st.sampled_from(sorted({float(v) for t in grid for v in (t, np.nextafter(t, -1), np.nextafter(t, 99))}))
    loose = st.floats(-2, float(grid[-1]) * 1.5) | st.sampled_from([np.inf, -1.0])
    values = np.array(data.draw(st.lists(ties | loose, min_size=1, max_size=40)))
    above = [(values > t).sum() for t in grid]
    at_least = [(values >= t).sum() for t in grid]
    assert metrics.counts_above(values, grid).tolist() == above
    assert metrics.counts_above(values, grid, inclusive=True).tolist() == at_least
    assert metrics.precision_counts(values, grid).tolist() == [(values <= t).sum() for t in grid]


def test_areas() -> None:
    grid = GRIDS["iou"]
    curve = np.linspace(1, 0, 21)
    assert metrics.mean_of_curve(curve, grid) == pytest.approx(0.5)
    assert metrics.trapezoid(curve, grid) == pytest.approx(0.5)
    assert metrics.trapezoid(np.ones(21), GRIDS["pixels-20"]) == pytest.approx(1.0)
    perfect = np.array([1.0] * 20 + [0.0])
    assert metrics.mean_of_curve(perfect, grid) == pytest.approx(20 / 21)


def test_every_measure_says_how_to_read_it() -> None:
    assert set(MEASURES) == {m.key for m in SCALARS} | {"op50", "op75"}
    assert {m.curve for m in MEASURES.values()} == {kind.key for kind in KINDS}
    for measure in MEASURES.values():
        assert measure.label
        assert measure.about
        assert measure.unit
        assert measure.low < measure.high
        assert measure.better in ("higher", "lower")
        assert Measures().value(measure) is None
    for kind in KINDS:
        assert kind.scalars
        assert Measures().curve(kind) is None
