"""The small presets' rule for place and size, with numbers worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from inmo.trackers.pipeline.crop import Floats
from inmo.trackers.pipeline.postprocess import Located, Targets
from inmo.trackers.pipeline.postprocess_small import ASPECT, LEAK, SMALLEST, locate_gently, neighbours
from tests.trackers.pipeline.targets import exact, targets

CELLS = 9  # of the maps below, 3 x 3


def scores(**cells: float) -> Floats:
    """(1, 9): c4=0.5 puts one half in the middle."""
    made = np.zeros((1, CELLS))
    for name, value in cells.items():
        made[0, int(name[1:])] = value
    return made


def boxes(default: tuple[float, ...] = (0.5, 0.5, 0.2, 0.1), **cells: tuple[float, ...]) -> Floats:
    """(1, 9, 4): the default has the size of the frame before, in the middle."""
    made = np.tile(np.array(default), (1, CELLS, 1))
    for name, value in cells.items():
        made[0, int(name[1:])] = value
    return made


def place(probability: Floats, found: Floats, **changes: Any) -> Located:
    return locate_gently(exact(probability), exact(found), targets(len(probability), **changes))


def test_constants_are_those_worked_with_below() -> None:
    assert (ASPECT, LEAK, SMALLEST) == (0.3, 0.98, 4.0)


def test_one_confident_cell() -> None:
    # box (0.6, 0.4, 0.4, 0.1) * 200 = (120, 80, 80, 20): 20 right of the middle, 20 above; twice as wide, as high
    found = place(scores(c4=1.0), boxes(c4=(0.6, 0.4, 0.4, 0.1)), lr=0.5)
    np.testing.assert_allclose(found.centre, [[120.0, 60.0]])
    # log2 step (1, 0): mean 1/2, rest +-1/2; half of 1/2 +- 0.3/2 is 0.325, 0.175; 0.98 of it stays
    np.testing.assert_allclose(found.size, [[40 * 2 ** (0.325 * 0.98), 20 * 2 ** (0.175 * 0.98)]])
    assert found.score.tolist() == [1.0]


def test_size_alone_and_aspect_alone() -> None:
    double = place(scores(c4=1.0), boxes(c4=(0.5, 0.5, 0.4, 0.2)), lr=0.1)  # log2 step (1, 1)
    np.testing.assert_allclose(double.size, [[40 * 2**0.098, 20 * 2**0.098]])
    wider = place(scores(c4=1.0), boxes(c4=(0.5, 0.5, 0.4, 0.05)), lr=0.1)  # log2 step (1, -1)
    np.testing.assert_allclose(wider.size, [[40 * 2 ** (0.3 * 0.098), 20 * 2 ** (-0.3 * 0.098)]])
    np.testing.assert_allclose(double.centre, [[100.0, 80.0]])


def test_size_leaks_back_to_the_first() -> None:
    # four times the first size, predicted as it is: 2^2 becomes 2^1.96; the aspect ratio leaks the same way
    grown = place(scores(c4=1.0), boxes((0.5, 0.5, 0.8, 0.4)), size=np.array([[160.0, 80.0]]))
    np.testing.assert_allclose(grown.size, [[40 * 2**1.96, 20 * 2**1.96]])
    turned = place(scores(c4=1.0), boxes((0.5, 0.5, 0.1, 0.2)), size=np.array([[20.0, 40.0]]))
    np.testing.assert_allclose(turned.size, [[40 * 2**-0.98, 20 * 2**0.98]])


def test_the_cells_around_share_by_the_square_of_their_scores() -> None:
    # weights .64 and .16 over .8: 4/5 and 1/5; x 0.5 and 0.75 of 200 px: 0.8 * 100 + 0.2 * 150 = 110
    found = place(scores(c4=0.8, c5=0.4), boxes(c5=(0.75, 0.5, 0.4, 0.2)), lr=0.5)
    np.testing.assert_allclose(found.centre, [[110.0, 80.0]])
    # the log2 size wanted is 0 and 1 in shares of 4/5 and 1/5, at rate lr * score = 0.4
    np.testing.assert_allclose(found.size, [[40 * 2 ** (0.2 * 0.4 * 0.98), 20 * 2 ** (0.2 * 0.4 * 0.98)]])
    assert found.score.tolist() == [0.8]


@pytest.mark.parametrize(
    ("best", "near"),
    [(0, {0, 1, 3, 4}), (1, {0, 1, 2, 3, 4, 5}), (3, {0, 1, 3, 4, 6, 7}), (4, set(range(9))), (8, {4, 5, 7, 8})],
)
def test_neighbours_end_at_the_border(best: int, near: set[int]) -> None:
    found = neighbours(torch.tensor([best]), 3)
    assert set(np.flatnonzero(found[0])) == near


def test_a_border_cell_does_not_reach_round_the_edge() -> None:
    # cells 2 (end of the first row) and 3 (start of the second) follow each other and are no neighbours
    aside = {f"c{i}": (0.9, 0.9, 0.9, 0.9) for i in (2, 5, 8)}
    found = place(scores(c3=0.6, c2=0.5, c5=0.5, c8=0.5), boxes(c3=(0.25, 0.5, 0.2, 0.1), **aside))
    np.testing.assert_allclose(found.centre, [[50.0, 80.0]])
    np.testing.assert_allclose(found.size, [[40.0, 20.0]])


def test_window_and_penalty_choose_and_the_score_is_the_probability() -> None:
    # the 3 x 3 window is 1 in the middle: 0.6 * 0.6 = 0.36 in the corner against 0.6 * 0.1 + 0.4
    corner = {"c0": (0.1, 0.1, 0.2, 0.1)}
    assert place(scores(c0=0.6, c4=0.1), boxes(**corner)).score.tolist() == [0.6]
    assert place(scores(c0=0.6, c4=0.1), boxes(**corner), window_influence=0.4).score.tolist() == [0.1]
    # three times the size at k = 1: exp(-2) * 0.6 < 0.1; the penalty also slows the size's step
    large = {"c0": (0.1, 0.1, 0.6, 0.3)}
    assert place(scores(c0=0.6, c4=0.1), boxes(**large), penalty_k=1.0).score.tolist() == [0.1]
    alone = place(scores(c4=1.0), boxes(c4=(0.5, 0.5, 0.4, 0.2)), penalty_k=0.5)  # exp(-(2 - 1) / 2)
    np.testing.assert_allclose(alone.size, [[40 * 2 ** (0.98 * np.exp(-0.5)), 20 * 2 ** (0.98 * np.exp(-0.5))]])


def test_a_target_seen_nowhere_keeps_its_size_and_the_mean_place() -> None:
    found = place(np.zeros((1, CELLS)), boxes((0.5, 0.5, 0.9, 0.9)))
    np.testing.assert_allclose(found.centre, [[100.0, 80.0]])
    np.testing.assert_allclose(found.size, [[40.0, 20.0]])
    assert found.score.tolist() == [0.0]


def test_centre_and_size_stop_at_the_limits() -> None:
    out = place(scores(c4=1.0), boxes(c4=(-9.0, 9.0, 0.2, 0.1)))
    np.testing.assert_allclose(out.centre, [[0.0, 240.0]])
    huge = place(scores(c4=1.0), boxes((0.5, 0.5, 99.0, 99.0)))
    np.testing.assert_allclose(huge.size, [[320.0, 240.0]])
    tiny = place(
        scores(c4=1.0), boxes((0.5, 0.5, 1e-5, 1e-5)), size=np.array([[4.0, 4.0]]), first=np.array([[4.0, 4.0]])
    )
    np.testing.assert_allclose(tiny.size, [[4.0, 4.0]])


def drawn(seed: int, batch: int, cells: int = 6, **changes: Any) -> tuple[Tensor, Tensor, Targets]:
    dice = np.random.default_rng(seed)
    found = np.concatenate(
        [dice.uniform(-0.5, 1.5, (batch, cells**2, 2)), np.exp(dice.normal(-1.5, 1.5, (batch, cells**2, 2)))], axis=2
    )
    state = targets(
        batch,
        **{"penalty_k": 0.1, "lr": 0.3, "window_influence": 0.35, **changes},
        centre=dice.uniform(0, 200, (batch, 2)),
        size=np.exp(dice.normal(3.0, 1.0, (batch, 2))).clip(SMALLEST),
        first=np.exp(dice.normal(3.0, 1.0, (batch, 2))).clip(SMALLEST),
        side=dice.uniform(20, 500, batch),
        limits=dice.uniform(64, 400, (batch, 2)),
    )
    return exact(dice.random((batch, cells**2)) ** 3), exact(found), state


@given(st.integers(0, 10_000))
def test_a_batch_equals_single_calls(seed: int) -> None:
    probability, found, state = drawn(seed, 4)
    together = locate_gently(probability, found, state)
    for lane in range(4):
        own = Targets(*(values[lane : lane + 1] for values in state))
        alone = locate_gently(probability[lane : lane + 1], found[lane : lane + 1], own)
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a[lane], b[0], rtol=1e-12)


def test_constants_per_target_equal_one_call_each() -> None:
    constants = {"penalty_k": [0.0, 0.1, 0.4], "lr": [0.1, 0.5, 1.0], "window_influence": [0.0, 0.3, 0.6]}
    together = locate_gently(*drawn(3, 3, **constants))
    for lane in range(3):
        alone = locate_gently(*drawn(3, 3, **{name: listed[lane] for name, listed in constants.items()}))
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a[lane], b[lane], rtol=1e-12)


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 2))
def test_sizes_and_centres_stay_inside_their_limits(seed: int, lr: float, penalty_k: float) -> None:
    probability, found, state = drawn(seed, 3, lr=lr, penalty_k=penalty_k)
    new = locate_gently(probability, found, state)
    limits = state.limits
    assert (new.centre >= 0).all()
    assert (new.centre <= limits).all()
    assert (new.size >= SMALLEST).all()
    assert (new.size <= limits.clamp(min=SMALLEST)).all()
    assert ((new.score >= 0) & (new.score <= 1)).all()


def test_the_step_is_never_longer_than_the_way() -> None:
    """With lr 1 and full score the mean log size arrives at what is wanted, less the leak: never beyond it."""
    for factor in (0.5, 0.9, 1.1, 2.0):
        found = place(scores(c4=1.0), boxes((0.5, 0.5, 0.2 * factor, 0.1 * factor)))
        assert found.size[0, 0] == pytest.approx(40 * factor**LEAK)
