"""Label assignment, worked by hand on tiny maps."""

from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from inmo.harness.training.cell_labels import (
    IGNORED,
    NOTHING,
    TARGET,
    car_labels,
    corners,
    grid_points,
    inner_labels,
    released_token_labels,
    token_labels,
)


def test_corners() -> None:
    assert corners(torch.tensor([[0.5, 0.25, 0.5, 0.25]])).tolist() == [[0.25, 0.125, 0.75, 0.375]]


def test_every_token_whose_index_lies_in_the_box_is_the_target() -> None:
    # left .25 right .75 on 4 columns: ceil(1) .. ceil(3) - 1 = 1, 2; top .0 bottom .5: rows 0, 1
    labels = token_labels(torch.tensor([[0.5, 0.25, 0.5, 0.5]]), 4).view(4, 4)
    assert labels.tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    # left .3 right .31: ceil(1.2) = ceil(1.24) = 2: at least one
    labels = token_labels(torch.tensor([[0.305, 0.305, 0.01, 0.01]]), 4).view(4, 4)
    assert labels.nonzero().tolist() == [[2, 2]]


def test_boxes_over_the_border_are_cut_and_outside_the_nearest_token_stays() -> None:
    assert token_labels(torch.tensor([[0.0, 0.5, 1.0, 0.5]]), 4).view(4, 4)[2].tolist() == [1, 1, 0, 0]
    assert token_labels(torch.tensor([[1.6, 1.6, 0.2, 0.2]]), 4).nonzero().tolist() == [[0, 15]]
    assert token_labels(torch.tensor([[-0.6, 0.1, 0.2, 0.2]]), 4).nonzero().tolist() == [[0, 0]]


def test_released_labels_count_negative_indices_from_the_far_end() -> None:
    inside = torch.tensor([[0.5, 0.25, 0.5, 0.5]])
    assert torch.equal(released_token_labels(inside, 4), token_labels(inside, 4))
    # left -.5: index -2, which is column 2 of 4; right .5: column 2 is the first that is left out: nothing
    assert released_token_labels(torch.tensor([[0.0, 0.5, 1.0, 0.5]]), 4).sum() == 0


def test_inner_half_is_the_target_and_the_rest_of_the_box_is_ignored() -> None:
    labels = inner_labels(torch.tensor([[0.5, 0.5, 1.0, 0.5]]), 4).view(4, 4)
    # centres .125 .375 .625 .875; inner |dx| <= .25, |dy| <= .125; whole |dx| <= .5, |dy| <= .25
    assert labels.tolist() == [
        [NOTHING] * 4,
        [IGNORED, TARGET, TARGET, IGNORED],
        [IGNORED, TARGET, TARGET, IGNORED],
        [NOTHING] * 4,
    ]
    tiny = inner_labels(torch.tensor([[0.3, 0.9, 0.01, 0.01]]), 4).view(4, 4)
    assert tiny.nonzero().tolist() == [[3, 1]]


def test_siamcar_grid_is_the_published_one() -> None:
    points = grid_points(25, 255, torch.device("cpu"))
    assert points[0].tolist() == [32, 32]
    assert points[1].tolist() == [40, 32]
    assert points[-1].tolist() == [32 + 8 * 24] * 2


def test_siamcar_labels_by_hand() -> None:
    # points 8, 16, 24 on 31 px; box left 8, right 28, top 6, bottom 26
    box = torch.tensor([[18 / 31, 16 / 31, 20 / 31, 20 / 31]])
    labels, distances, centerness = car_labels(box, 3, 31)
    assert labels.view(3, 3).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    torch.testing.assert_close(distances[0, 4], torch.tensor([8.0, 10.0, 12.0, 10.0]))
    assert math.isclose(centerness[0, 4].item(), math.sqrt(8 / 12), rel_tol=1e-5)
    assert centerness[0].count_nonzero() == 1


@given(st.lists(st.floats(-0.3, 1.3), min_size=2, max_size=2), st.lists(st.floats(0.01, 1.5), min_size=2, max_size=2))
def test_some_token_is_always_the_target(centre: list[float], size: list[float]) -> None:
    box = torch.tensor([centre + size])
    assert (token_labels(box, 8) == TARGET).any()
    assert (inner_labels(box, 8) == TARGET).any()
