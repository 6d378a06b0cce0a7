"""SiamCAR's post-processing on score maps worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackers.postprocess_car import Maps, Rules, change_penalty, fine_maximum, locate, penalised

RULES = Rules(127, 255, penalty_k=0.0, lr=1.0, window_influence=0.0, smallest=10.0, reports_score=True)


def bump(row: int, column: int, side: float = 30.0, cells: int = 25) -> Maps:
    """A single sharp peak at one cell; every cell says half of ``side`` in each direction."""
    foreground = np.full((1, cells, cells), 0.01)
    foreground[0, row, column] = 1.0
    return Maps(foreground, foreground * 3.0 - 1.0, np.full((1, 4, cells, cells), side / 2))


def test_the_middle_cell_is_the_old_centre() -> None:
    size = np.array([[63.5, 63.5]])  # template side 127: one crop pixel per frame pixel
    found = locate(bump(12, 12), np.array([[100.0, 80.0]]), size, np.array([[320.0, 240.0]]), RULES)
    np.testing.assert_allclose(found.centre, [[100.0, 80.0]], atol=1e-9)
    np.testing.assert_allclose(found.size, [[30.0, 30.0]], atol=1e-6)  # penalty off, lr 1, foreground 1
    np.testing.assert_allclose(found.score, [1.0])


def test_a_cell_is_eight_crop_pixels() -> None:
    """OpenCV's resize to 193 puts cell i at 7.72 i + 3.36: the third cell right of the middle lies 24 crop pixels off
    by the network's stride, 23 by the resize, as in the released trackers."""
    size = np.array([[127.0, 127.0]])  # template side 254: two frame pixels per crop pixel
    found = locate(bump(12, 15), np.array([[100.0, 80.0]]), size, np.array([[900.0, 900.0]]), RULES)
    peak = round((15 + 0.5) * 193 / 25 - 0.5) - 96
    np.testing.assert_allclose(found.centre, [[100.0 + 2 * peak, 80.0]], atol=1e-9)
    np.testing.assert_allclose(found.size, [[60.0, 60.0]], rtol=2e-3)  # the up-sampled foreground overshoots 1 a little


def test_state_stays_inside() -> None:
    maps = bump(0, 0, side=1.0)
    found = locate(maps, np.array([[3.0, 3.0]]), np.array([[63.5, 63.5]]), np.array([[40.0, 50.0]]), RULES)
    assert found.centre.tolist() == [[0.0, 0.0]] and found.size.tolist() == [[10.0, 10.0]]
    siamcar = RULES._replace(smallest=0.0, reports_score=False)
    found = locate(maps, np.array([[3.0, 3.0]]), np.array([[63.5, 63.5]]), np.array([[40.0, 50.0]]), siamcar)
    assert (found.size > 0).all() and (found.size <= 1.0).all()
    assert np.isnan(found.score).all()


def test_change_penalty_by_hand() -> None:
    same, double, wide = np.array([20.0, 20.0]), np.array([40.0, 40.0]), np.array([40.0, 10.0])
    assert change_penalty(same, same, 0.5) == 1.0
    np.testing.assert_allclose(change_penalty(double, same, 0.5), math.exp(-0.5))  # r = 1, s = 2
    scale = math.sqrt((40 + 25) * (10 + 25)) / 40.0
    np.testing.assert_allclose(change_penalty(wide, same, 0.5), math.exp(-(4.0 * scale - 1.0) * 0.5))
    np.testing.assert_allclose(change_penalty(same, double, 0.5), math.exp(-0.5))  # shrinking costs the same


def test_penalised_normalises_centerness() -> None:
    maps = Maps(np.full((2, 2), 0.5), np.array([[-3.0, 1.0], [5.0, 1.0]]), np.full((4, 2, 2), 10.0))
    np.testing.assert_allclose(penalised(maps, np.array([20.0, 20.0]), 0.3), [[0.0, 0.25], [0.5, 0.25]])
    flat = maps._replace(centerness=np.ones((2, 2)))
    assert (penalised(flat, np.array([20.0, 20.0]), 0.3) == 0.0).all()


@pytest.mark.parametrize(("row", "column"), [(0, 0), (192, 192), (190, 3), (96, 191)])
def test_a_coarse_maximum_at_the_border_is_no_error(row: int, column: int) -> None:
    scores = np.zeros((193, 193))
    scores[row, column] = 1.0
    assert fine_maximum(scores, scores, np.full((4, 25, 25), 200.0), 127) == (row, column)


def test_the_fine_maximum_is_sought_near_the_coarse_one() -> None:
    scores, weighted = np.zeros((193, 193)), np.zeros((193, 193))
    weighted[96, 96] = 1.0
    scores[96, 96 + 28], scores[96, 96 + 27], scores[0, 0] = 0.9, 0.5, 1.0  # 55 / 2 = 27 cells reach, no further
    assert fine_maximum(scores, weighted, np.full((4, 25, 25), 200.0), 127) == (96, 123)
    assert fine_maximum(scores, weighted, np.full((4, 25, 25), 1.0), 127) == (0, 0)  # all zero within: the first index


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cells=st.sampled_from([13, 25]), wi=st.floats(0, 0.9), k=st.floats(0, 1))
def test_any_maps_give_a_box_inside_the_limits(seed: int, cells: int, wi: float, k: float) -> None:
    rng = np.random.default_rng(seed)
    sizes = (63, 127) if cells == 13 else (127, 255)
    maps = Maps(
        rng.uniform(0, 1, (2, cells, cells)),
        rng.normal(0, 5, (2, cells, cells)),
        np.exp(rng.normal(0, 4, (2, 4, cells, cells))),
    )
    limits = np.array([[320.0, 240.0], [50.0, 60.0]])
    rules = Rules(*sizes, k, 0.5, wi, smallest=10.0, reports_score=True)
    found = locate(maps, limits / 2, rng.uniform(10, 200, (2, 2)), limits, rules)
    assert np.isfinite(found.centre).all() and (found.centre >= 0).all() and (found.centre <= limits).all()
    assert (found.size >= 10).all() and (found.size <= limits).all() and np.isfinite(found.score).all()
