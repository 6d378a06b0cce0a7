"""From outputs to boxes, with numbers worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inmo.trackers.pipeline.postprocess import (
    Located,
    Targets,
    change_penalty,
    context_size,
    hanning_window,
    locate,
    mirrored,
    weighed,
)
from tests.trackers.pipeline.targets import exact, targets


def place(probability: list[float], boxes: list[list[float]], **changes: Any) -> Located:
    return locate(exact([probability]), exact([boxes]), targets(**changes))


FOUR = [[0.5, 0.5, 0.2, 0.1], [0.6, 0.4, 0.3, 0.2], [0.1, 0.1, 0.1, 0.1], [0.9, 0.9, 0.4, 0.4]]


def test_transt_rule_by_hand() -> None:
    found = place([0.1, 0.9, 0.2, 0.3], FOUR)
    # box 1: centre (0.6, 0.4) * 200 - 100 = (20, -20) from the old centre, size (60, 40)
    np.testing.assert_allclose(found.centre, [[120.0, 60.0]])
    np.testing.assert_allclose(found.size, [[60.0, 40.0]])
    assert found.score.tolist() == [0.9]


def test_window_pulls_to_the_middle() -> None:
    nine = [[i / 9, i / 9, 0.2, 0.1] for i in range(9)]
    probability = [0.6] + [0.0] * 3 + [0.5] + [0.0] * 4
    assert place(probability, nine).score[0] == 0.6
    windowed = place(probability, nine, window_influence=0.49)
    assert windowed.score[0] == pytest.approx(0.5 * 0.51 + 0.49)  # the 3 x 3 window is 1 in the middle, 0 elsewhere


def test_a_mirror_image_has_its_left_cells_on_the_right() -> None:
    logits = exact([[[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0]]])
    turned = mirrored((logits, exact([FOUR])))
    assert turned[0][0, :, 0].tolist() == [2.0, 1.0, 4.0, 3.0]
    wanted = [[0.4, 0.4, 0.3, 0.2], [0.5, 0.5, 0.2, 0.1], [0.1, 0.9, 0.4, 0.4], [0.9, 0.1, 0.1, 0.1]]
    np.testing.assert_allclose(turned[1][0], wanted)
    again = mirrored(turned)
    assert torch.equal(again[0], logits)
    np.testing.assert_allclose(again[1][0], FOUR)
    assert mirrored((logits, exact([FOUR]), exact([[[[1.0, 2.0, 3.0]]]])))[2].tolist() == [[[[3.0, 2.0, 1.0]]]]


def test_weighed_by_hand() -> None:
    logits = exact([[[0.0, 0.0], [3.0, 3.0], [1.0, 1.0], [60.0, 0.0]]])
    boxes = exact([FOUR])
    found, same = weighed((logits, boxes), exact([[0.5, 0.001, 1.0, 1.0]]))
    np.testing.assert_allclose(torch.softmax(found, dim=-1)[0, :, 0], [0.25, 0.0005, 0.5, 1.0])
    assert same is boxes and found.isfinite().all()


def test_penalty_by_hand() -> None:
    # same aspect, twice the size: s = 2, r = 1; aspect 2 -> 1/2 at the same context size: s = 1, r = 4
    predicted, current, strength = (
        exact([[[80.0, 40.0], [20.0, 40.0], [40.0, 20.0]]]),
        exact([[40.0, 20.0]]),
        exact([0.1]),
    )
    penalty = change_penalty(predicted, current, exact([1.0]), strength)
    np.testing.assert_allclose(penalty, [[np.exp(-0.1), np.exp(-0.3), 1.0]])
    # the current size is multiplied by the template scale, the predicted is not
    half = change_penalty(predicted[:, 2:], current, exact([0.5]), strength)
    np.testing.assert_allclose(half, [[np.exp(-0.1)]])
    assert float(context_size(exact([30.0, 10.0]))) == pytest.approx((50 * 30) ** 0.5)


def test_smoothing_uses_penalty_and_score() -> None:
    found = place([0.5, 0.0, 0.0, 0.0], FOUR, penalty_k=0.2, lr=0.6)
    # box 0 is (40, 20): no change, penalty 1, rate 0.5 * 0.6
    np.testing.assert_allclose(found.size, [[40.0, 20.0]])
    found = place([0.0, 0.5, 0.0, 0.0], FOUR, penalty_k=0.2, lr=0.6)
    scale = np.sqrt((60 + 50) * (40 + 50)) / np.sqrt((40 + 30) * (20 + 30))
    penalty = np.exp(-(scale * (2.0 / 1.5) - 1) * 0.2)
    rate = penalty * (0.5 * penalty) * 0.6
    np.testing.assert_allclose(found.size, [[rate * 60 + (1 - rate) * 40, rate * 40 + (1 - rate) * 20]])


def test_without_penalty_smoothing_is_plain() -> None:
    np.testing.assert_allclose(place([0.0, 0.5, 0.0, 0.0], FOUR, lr=0.25).size, [[45.0, 25.0]])


def test_clamps() -> None:
    far = [[3.0, -3.0, 0.001, 5.0]] * 4
    found = place([1.0, 0, 0, 0], far)
    assert found.centre.tolist() == [[320.0, 0.0]]
    assert found.size.tolist() == [[10.0, 240.0]]


def test_first_of_equals_wins() -> None:
    np.testing.assert_allclose(place([0.5, 0.5, 0.5, 0.5], FOUR).size, [[40.0, 20.0]])


def test_hanning_window() -> None:
    window = hanning_window(5).reshape(5, 5)
    np.testing.assert_allclose(window[2], np.hanning(5))
    np.testing.assert_allclose(window, window.T)


@given(seed=st.integers(0, 10_000), k=st.sampled_from([0.0, 0.147]))
def test_batch_equals_singles(seed: int, k: float) -> None:
    rng = np.random.default_rng(seed)
    state = targets(
        3,
        centre=rng.uniform(0, 200, (3, 2)),
        size=rng.uniform(10, 90, (3, 2)),
        side=rng.uniform(50, 300, 3),
        template_scale=rng.uniform(0.5, 2, 3),
        limits=rng.uniform(200, 400, (3, 2)),
        penalty_k=k,
        lr=0.7,
        window_influence=0.49,
    )
    probability, boxes = exact(rng.uniform(size=(3, 16))), exact(rng.uniform(0.05, 0.95, (3, 16, 4)))
    whole = locate(probability, boxes, state)
    for lane in range(3):
        one = slice(lane, lane + 1)
        single = locate(probability[one], boxes[one], Targets(*(v[one] for v in state)))
        for a, b in zip(whole, single, strict=True):
            np.testing.assert_array_equal(a[one], b)
