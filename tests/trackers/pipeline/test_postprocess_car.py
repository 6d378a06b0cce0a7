"""SiamCAR's post-processing on score maps worked by hand."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inmo.trackers.pipeline.postprocess import Located, Targets
from inmo.trackers.pipeline.postprocess_car import (
    Maps,
    Rules,
    change_penalty,
    fine_maximum,
    locate,
    penalised,
    upsampling,
)
from tests.trackers.pipeline.targets import exact, targets

RULES = Rules(127, 255, smallest=10.0, reports_score=True)


def bump(row: int, column: int, side: float = 30.0, cells: int = 25) -> Maps:
    """A single sharp peak at one cell; every cell says half of ``side`` in each direction."""
    foreground = np.full((1, cells, cells), 0.01)
    foreground[0, row, column] = 1.0
    return Maps(*map(exact, (foreground, foreground * 3.0 - 1.0, np.full((1, 4, cells, cells), side / 2))))


def place(maps: Maps, rules: Rules = RULES, **changes: Any) -> Located:
    """By default one pixel of the frame is one of the crop: a target of 63.5 has a template of 127."""
    return locate(maps, targets(**{"size": [63.5, 63.5], **changes}), rules)


def test_the_middle_cell_is_the_old_centre() -> None:
    found = place(bump(12, 12))
    np.testing.assert_allclose(found.centre, [[100.0, 80.0]], atol=1e-9)
    np.testing.assert_allclose(found.size, [[30.0, 30.0]], atol=1e-6)  # penalty off, lr 1, foreground 1
    np.testing.assert_allclose(found.score, [1.0])


def test_a_cell_is_eight_crop_pixels() -> None:
    """OpenCV's resize to 193 puts cell i at 7.72 i + 3.36: the third cell right of the middle lies 24 crop pixels off
    by the network's stride, 23 by the resize, as in the released trackers."""
    # the template's side is 254: two frame pixels per crop pixel
    found = place(bump(12, 15), size=[127.0, 127.0], limits=[900.0, 900.0])
    peak = round((15 + 0.5) * 193 / 25 - 0.5) - 96
    np.testing.assert_allclose(found.centre, [[100.0 + 2 * peak, 80.0]], atol=1e-9)
    np.testing.assert_allclose(found.size, [[60.0, 60.0]], rtol=2e-3)  # the up-sampled foreground overshoots 1 a little


def test_state_stays_inside() -> None:
    maps, corner = bump(0, 0, side=1.0), {"centre": [3.0, 3.0], "limits": [40.0, 50.0]}
    found = place(maps, **corner)
    assert found.centre.tolist() == [[0.0, 0.0]] and found.size.tolist() == [[10.0, 10.0]]
    siamcar = RULES._replace(smallest=0.0, reports_score=False)
    found = place(maps, siamcar, **corner)
    assert (found.size > 0).all() and (found.size <= 1.0).all()
    assert found.score.isnan().all()


def test_change_penalty_by_hand() -> None:
    same, double, wide, half = exact([20.0, 20.0]), exact([40.0, 40.0]), exact([40.0, 10.0]), exact(0.5)
    assert change_penalty(same, same, half) == 1.0
    np.testing.assert_allclose(change_penalty(double, same, half), math.exp(-0.5))  # r = 1, s = 2
    scale = math.sqrt((40 + 25) * (10 + 25)) / 40.0
    np.testing.assert_allclose(change_penalty(wide, same, half), math.exp(-(4.0 * scale - 1.0) * 0.5))
    np.testing.assert_allclose(change_penalty(same, double, half), math.exp(-0.5))  # shrinking costs the same


def test_penalised_normalises_centerness() -> None:
    maps = Maps(*map(exact, ([[[0.5] * 2] * 2], [[[-3.0, 1.0], [5.0, 1.0]]], [[[[10.0] * 2] * 2] * 4])))
    size, strength = exact([[20.0, 20.0]]), exact([0.3])
    np.testing.assert_allclose(penalised(maps, size, strength), [[[0.0, 0.25], [0.5, 0.25]]])
    flat = maps._replace(centerness=exact([[[1.0, 1.0], [1.0, 1.0]]]))
    assert (penalised(flat, size, strength) == 0.0).all()


def test_upsampling_is_opencvs() -> None:
    maps = np.random.default_rng(0).normal(size=(25, 25))
    taps = upsampling(25, 193, torch.float64, torch.device("cpu")).numpy()
    expected = cv2.resize(maps, (193, 193), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(taps @ maps @ taps.T, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (192, 192), (190, 3), (96, 191)])
def test_a_coarse_maximum_at_the_border_is_no_error(row: int, column: int) -> None:
    scores = torch.zeros(1, 193, 193, dtype=torch.float64)
    scores[0, row, column] = 1.0
    assert fine_maximum(scores, scores, torch.full((1, 4, 25, 25), 200.0), 127) == (row, column)


def test_the_fine_maximum_is_sought_near_the_coarse_one() -> None:
    scores, weighted = torch.zeros(2, 193, 193), torch.zeros(2, 193, 193)
    weighted[:, 96, 96] = 1.0
    scores[:, 96, 96 + 28], scores[:, 96, 96 + 27], scores[:, 0, 0] = 0.9, 0.5, 1.0
    far, near = torch.full((4, 25, 25), 200.0), torch.full((4, 25, 25), 1.0)
    rows, columns = fine_maximum(scores, weighted, torch.stack([far, near]), 127)
    assert (int(rows[0]), int(columns[0])) == (96, 123)  # 55 / 2 = 27 cells reach, no further
    assert (int(rows[1]), int(columns[1])) == (0, 0)  # all zero within: the first index


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cells=st.sampled_from([13, 25]), wi=st.floats(0, 0.9), k=st.floats(0, 1))
def test_any_maps_give_a_box_inside_the_limits(seed: int, cells: int, wi: float, k: float) -> None:
    rng = np.random.default_rng(seed)
    sizes = (63, 127) if cells == 13 else (127, 255)
    maps = Maps(
        exact(rng.uniform(0, 1, (2, cells, cells))),
        exact(rng.normal(0, 5, (2, cells, cells))),
        exact(np.exp(rng.normal(0, 4, (2, 4, cells, cells)))),
    )
    limits = np.array([[320.0, 240.0], [50.0, 60.0]])
    state = targets(
        2, centre=limits / 2, size=rng.uniform(10, 200, (2, 2)), limits=limits, penalty_k=k, lr=0.5, window_influence=wi
    )
    found = locate(maps, state, Rules(*sizes, smallest=10.0, reports_score=True))
    assert all(part.isfinite().all() for part in found)
    assert (found.centre >= 0).all() and (found.centre <= state.limits).all()
    assert (found.size >= 10).all() and (found.size <= state.limits).all()


@given(seed=st.integers(0, 10_000))
def test_a_batch_equals_single_calls(seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = Maps(*(exact(rng.uniform(0, 40, (3, *shape))) for shape in ((25, 25), (25, 25), (4, 25, 25))))
    state = targets(
        3,
        centre=rng.uniform(0, 200, (3, 2)),
        size=rng.uniform(10, 200, (3, 2)),
        penalty_k=[0.0, 0.1, 0.4],
        lr=[0.2, 0.5, 1.0],
        window_influence=[0.0, 0.3, 0.6],
    )
    together = locate(maps, state, RULES)
    for lane in range(3):
        one = slice(lane, lane + 1)
        alone = locate(Maps(*(m[one] for m in maps)), Targets(*(v[one] for v in state)), RULES)
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a[one], b, rtol=1e-9)
