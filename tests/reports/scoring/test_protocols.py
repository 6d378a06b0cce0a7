"""The rows of switches: every one scores the plain case, and each switch that is ours does what it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inmo.datasets.base import Annotation
from inmo.errors import UserError
from inmo.reports.scoring.measure import RefusalError
from inmo.reports.scoring.protocols import GRIDS, PROTOCOLS, protocol
from inmo.reports.scoring.raw import score_sequence

BOX = [10.0, 20.0, 30.0, 40.0]


def truth(*rows: list[float], absent: list[int] | None = None) -> Annotation:
    return Annotation(np.array(rows), None if absent is None else np.array(absent, dtype=bool))


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_a_perfect_and_a_hopeless_prediction(name: str) -> None:
    annotation = truth(*[BOX] * 4)
    perfect = score_sequence(annotation.boxes, annotation, name, "lasot")
    far = np.array([BOX] * 1 + [[900.0, 900.0, 30.0, 40.0]] * 3)
    hopeless = score_sequence(far, annotation, name, "lasot")
    rule = PROTOCOLS[name].on("lasot")
    ceiling = 1.0 if rule.inclusive else 20 / 21
    assert perfect.success_auc == pytest.approx(ceiling)
    assert (hopeless.success_auc or 0) < 0.3  # the first frame is free under most protocols
    for key in ("precision", "norm_precision"):
        curve = getattr(perfect, key)
        assert (curve is None) == (rule.grid(key) is None)
        if curve is not None:
            assert curve.tolist() == [1.0] * len(curve)
    for key in ("precision_20", "norm_precision_020"):
        value = getattr(perfect, key)
        assert value in (None, 1.0)
    if not rule.points:
        assert perfect.precision_20 is None
        assert perfect.norm_precision_020 is None


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_every_row_is_complete_and_explained(name: str) -> None:
    row = PROTOCOLS[name]
    assert row.name == name
    assert row.summary
    for benchmark in ("", "lasot", "tnl2k", "uav123", "nfs", "otb100", "trackingnet", "folder"):
        rule = row.on(benchmark)
        assert rule.success_grid in GRIDS
        assert rule.on(benchmark) == rule


@pytest.mark.parametrize("name", list(PROTOCOLS))
@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_curves_are_monotone_fractions_and_ignore_a_common_shift(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = rng.integers(100, 200, (30, 4)).astype(float)
    prediction = boxes + rng.integers(-40, 40, (30, 4))
    first = score_sequence(prediction, Annotation(boxes), name, "lasot")
    shifted = np.array([64.0, 128.0, 0.0, 0.0])  # powers of two: nothing is rounded
    second = score_sequence(prediction + shifted, Annotation(boxes + shifted), name, "lasot")
    for key in ("success", "precision", "norm_precision"):
        curve = getattr(first, key)
        if curve is None:
            continue
        steps = np.diff(curve)
        assert (steps <= 0).all() if key == "success" else (steps >= 0).all()
        assert 0 <= curve.min() <= curve.max() <= 1
        if key != "norm_precision":  # dividing both centres first rounds differently
            np.testing.assert_array_equal(curve, getattr(second, key))


def test_a_misspelt_name_gets_a_hint() -> None:
    with pytest.raises(UserError, match="did you mean pytracking"):
        protocol("pytraking")


def test_behaviour_by_dataset_is_data() -> None:
    rule = PROTOCOLS["pytracking"]
    assert rule.on("uav123_10fps").nan_annotation == "invalid"
    assert rule.on("mini-lasot").absent == "failure"
    assert rule.on("otb100").nan_annotation == "raise"
    assert PROTOCOLS["got10k"].on("nfs").norm_grid is None


def test_default_protocols_of_the_benchmarks_exist() -> None:
    from inmo.datasets import DATASETS, benchmark

    for name in DATASETS:
        if not name.startswith("mini-"):
            assert benchmark(name).protocol in PROTOCOLS


class TestClean:
    def test_absent_invalid_and_first_frames_do_not_exist(self) -> None:
        annotation = truth(BOX, BOX, BOX, [0, 0, 0, 0], [np.nan] * 4, absent=[0, 0, 1, 0, 0])
        prediction = np.array([[500.0, 500, 9, 9], BOX, [500, 500, 9, 9], [500, 500, 9, 9], [500, 500, 9, 9]])
        found = score_sequence(prediction, annotation, "clean")
        assert found.frames == 1
        assert found.success_auc == found.precision_20 == found.norm_precision_020 == 1.0

    @pytest.mark.parametrize("bad", [[np.nan] * 4, [10.0, 20, 0, 40], [10.0, 20, 30, -40], [np.nan, 20, 30, 40]])
    def test_a_broken_prediction_fails_everywhere(self, bad: list[float]) -> None:
        found = score_sequence(np.array([BOX, BOX, bad]), truth(*[BOX] * 3), "clean")
        assert found.success_auc == found.precision_20 == found.norm_precision_020 == 0.5

    def test_no_overlap_is_zero(self) -> None:
        found = score_sequence(np.array([BOX, [500.0, 500, 30, 40]]), truth(BOX, BOX), "clean")
        assert found.success is not None
        assert found.success.tolist() == [0.0] * 21

    def test_exact_ties_count(self) -> None:
        # IoU 600/1000 at the threshold 12/20
        found = score_sequence(np.array([[0.0, 0, 1, 1], [0, 0, 20, 30]]), truth([0, 0, 1, 1], [0, 0, 20, 50]), "clean")
        assert found.success is not None
        assert found.success.tolist() == [1.0] * 13 + [0.0] * 8

    def test_lengths_must_agree(self) -> None:
        for rows in (2, 4):
            with pytest.raises(RefusalError, match=f"{rows} rows for an annotation of 3"):
                score_sequence(np.array([BOX] * rows), truth(*[BOX] * 3), "clean")

    def test_nothing_to_find_is_refused(self) -> None:
        with pytest.raises(RefusalError, match="no frame to score"):
            score_sequence(np.array([BOX]), truth(BOX), "clean")


def test_otb_goes_without_a_trailing_zero_row_that_has_no_prediction() -> None:
    annotation = truth(BOX, BOX, [0.0, 0, 0, 0])
    for name in ("otb", "pysot", "lasot-matlab"):
        found = score_sequence(np.array([BOX, BOX]), annotation, name, "otb100")
        assert found.frames == 2
        assert found.success_auc == pytest.approx(20 / 21)
        with pytest.raises(RefusalError):  # a crashed tracker elsewhere gets no such leave
            score_sequence(np.array([BOX, BOX]), annotation, name, "lasot")
        with pytest.raises(RefusalError):  # nor for a row that had a box
            score_sequence(np.array([BOX]), annotation, name, "otb100")


def test_sots_auc_has_neither_precision_nor_masks() -> None:
    found = score_sequence(np.array([BOX, BOX]), truth(BOX, [0.0, 0, 0, 0], absent=[0, 1]), "sots-auc")
    assert found.precision is None
    assert found.norm_precision_auc is None
    assert found.success_auc == pytest.approx(10 / 21)
    two = truth(BOX, [0.0, 0, 0, 0])
    cut = score_sequence(np.array([BOX]), two, "sots-auc", "tnl2k", "advSamp_monitor_bikeyellow")
    assert cut.frames == 1


def test_monkey_17_is_cut_where_pysot_refuses_others() -> None:
    annotation, longer = truth(BOX, BOX), np.array([BOX] * 3)
    assert score_sequence(longer, annotation, "pysot", "lasot", "monkey-17").frames == 2
    with pytest.raises(RefusalError, match="3 rows for an annotation of 2"):
        score_sequence(longer, annotation, "pysot", "lasot", "monkey-1")


def test_the_prediction_given_is_left_as_it_was() -> None:
    prediction = np.array([[0.0, 0, 5, 5], [0, 0, 0, 0], BOX])
    before = prediction.copy()
    for name in ("lasot-matlab", "pysot", "pytracking", "got10k", "trackingnet-devkit", "clean", "otb"):
        score_sequence(prediction, truth(*[BOX] * 3), name)
        np.testing.assert_array_equal(prediction, before)


def test_pysot_asks_for_the_centre_in_pixels_for_p_and_in_box_sizes_for_p_norm() -> None:
    # LaSOT has a visible box of width -11: its centre is inside the image, in units of its width it is negative.
    annotation = truth(BOX, [50.0, 50.0, -11.0, 20.0])
    found = score_sequence(np.array([BOX, [400.0, 400.0, 30.0, 40.0]]), annotation, "pysot", "lasot")
    assert found.precision_20 == 0.5
    assert found.norm_precision_020 == 1.0


def test_the_first_row_cannot_be_repeated_from_nowhere() -> None:
    found = score_sequence(np.array([[0.0, 0, 0, 0], [0, 0, 0, 0], BOX]), truth(*[BOX] * 3), "lasot-matlab", "lasot")
    assert found.success_auc == pytest.approx(2 / 3 * 20 / 21)  # the free first frame and the last
