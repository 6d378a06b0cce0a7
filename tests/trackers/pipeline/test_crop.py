"""Crops against a plain implementation that pads the whole frame first, and the sides by hand."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inmo.errors import UserError
from inmo.harness.run.setup import configure
from inmo.trackers.pipeline import crop
from inmo.trackers.pipeline.neural import NeuralTracker


def padded_crop(frame: NDArray[np.uint8], cx: float, cy: float, side: int, size: int) -> NDArray[np.uint8]:
    """The textbook way: a frame padded on all sides, one slice, one resize."""
    left, top = math.floor(cx - (side + 1) / 2 + 0.5), math.floor(cy - (side + 1) / 2 + 0.5)
    pad = side + abs(left) + abs(top) + max(frame.shape)
    whole = np.zeros((frame.shape[0] + 2 * pad, frame.shape[1] + 2 * pad, 3), np.uint8)
    whole[:] = frame.mean(axis=(0, 1))  # a uint8 assignment truncates
    whole[pad : pad + frame.shape[0], pad : pad + frame.shape[1]] = frame
    cut = whole[top + pad : top + pad + side, left + pad : left + pad + side]
    return cut if side == size else cv2.resize(cut, (size, size))


@settings(max_examples=150, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    centre=st.tuples(st.floats(-60, 100), st.floats(-60, 100)),
    side=st.integers(1, 70),
    size=st.integers(1, 40),
    seed=st.integers(0, 9),
)
def test_equals_padding_the_whole_frame(
    shape: tuple[int, int], centre: tuple[float, float], side: int, size: int, seed: int
) -> None:
    frame = np.random.default_rng(seed).integers(0, 256, (*shape, 3)).astype(np.uint8)
    got = crop.crop(frame, np.array(centre), side, size, crop.mean_colour(frame))
    np.testing.assert_array_equal(got, padded_crop(frame, *centre, side, size))
    assert got.flags.c_contiguous and not np.shares_memory(got, frame)


def test_the_fill_is_truncated_not_rounded() -> None:
    frame = np.zeros((3, 1, 3), np.uint8)
    frame[0] = (32, 1, 255)  # means 10.67, 0.33, 85
    assert crop.mean_colour(frame).tolist() == [10, 0, 85]


def test_where_the_square_lies() -> None:
    frame = np.zeros((9, 9, 3), np.uint8)
    frame[..., 0] = np.arange(9)
    frame[..., 1] = np.arange(9)[:, None]
    cut = crop.crop(frame, np.array([4.0, 4.5]), 3, 3, np.zeros(3, np.uint8))
    assert cut[0, 0, :2].tolist() == [2, 3]  # floor(4 - 2 + 0.5) = 2, floor(4.5 - 2 + 0.5) = 3
    assert cut[2, 2, :2].tolist() == [4, 5]


@pytest.mark.parametrize(("centre", "side"), [((math.nan, 1), 5), ((1, 1), 0), ((1, 1), math.inf), ((1, 1), 1e6)])
def test_broken_boxes_are_refused(centre: tuple[float, float], side: float) -> None:
    with pytest.raises(UserError, match="box is broken"):
        crop.crop(np.zeros((4, 4, 3), np.uint8), np.array(centre, float), side, 3, np.zeros(3, np.uint8))


def test_sides_by_hand() -> None:
    sizes = np.array([[48.0, 36.0], [10.0, 10.0]])  # p = 42 and 10
    template = math.sqrt(90 * 78)  # 83.79
    assert crop.transt_template_side(sizes).tolist() == [84, 20]
    assert crop.transinmo_template_side(sizes).tolist() == [84, 20]
    assert crop.siamcar_template_side(sizes).tolist() == [84, 20]
    assert crop.transt_search_side(sizes).tolist() == [math.ceil(math.sqrt(174 * 162)), 40]
    assert crop.siamcar_search_side(sizes).tolist() == [round(template * 255 / 127), round(20 * 255 / 127)]


def test_halves_round_each_trackers_own_way() -> None:
    sizes = np.array([1.25, 1.25])  # template side 2.5 = search side with equal model sizes
    assert crop.transt_template_side(sizes) == 3
    assert crop.transinmo_template_side(sizes) == 2
    assert crop.siamcar_search_side(sizes, 127, 127) == 2
    assert crop.cnninmo_search_side(sizes, 127, 127) == 3
    assert crop.siamcar_search_side(np.zeros(2)) == 1  # a vanishing target still has a search region


@pytest.mark.parametrize("threads", [2, 5])
def test_crops_of_several_threads_are_those_of_one(threads: int) -> None:
    setup = configure("siamcar", {"preset": "nano"})
    tracker = setup.spec.build(setup.on("lasot"), "cpu")
    assert isinstance(tracker, NeuralTracker)
    rng, before = np.random.default_rng(2), torch.get_num_threads()
    frames = [rng.integers(0, 256, (60, 80, 3), dtype=np.uint8) for _ in range(9)]
    centre, side = rng.uniform(-20, 100, (9, 2)), rng.uniform(5, 300, 9)
    fill = rng.integers(0, 256, (9, 3), dtype=np.uint8)
    try:
        torch.set_num_threads(1)
        one = tracker._images(frames, centre, side, 64, fill)
        torch.set_num_threads(threads)
        assert torch.equal(tracker._images(frames, centre, side, 64, fill), one)
        centre[7, 0] = np.nan
        with pytest.raises(UserError, match="cannot cut a search region"):
            tracker._images(frames, centre, side, 64, fill)
    finally:
        torch.set_num_threads(before)
