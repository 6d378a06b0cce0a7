"""The classifier that is learnt while tracking: by hand, and in trackers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from inmo.errors import UserError
from inmo.trackers.base import config_hash, identity
from inmo.trackers.families.cnninmo import CNNINMO
from inmo.trackers.families.siamcar import SIAMCAR
from inmo.trackers.families.transinmo import TRANSINMO, TRANSINMO_STAR
from inmo.trackers.pipeline.family import Family
from inmo.trackers.pipeline.neural import NeuralTracker, State
from inmo.trackers.pipeline.online import LEAST, RATE, RIDGE, SURE, begin, cells_of, learn, likeness
from tests.trackers.pipeline.targets import exact

NANO = replace(TRANSINMO_STAR.config, preset="nano", allow_random_weights=True)
FRAMES = list(np.random.default_rng(1).integers(0, 255, (2, 90, 120, 3), dtype=np.uint8))
STARTS = np.array([[30.0, 40.0, 20.0, 16.0], [60.0, 20.0, 24.0, 30.0]])


def cells(maps: Tensor) -> Tensor:
    return cells_of(maps, torch.float64)


def maps(*marked: tuple[int, int], side: int = 8) -> Tensor:
    """(1, 2, side, side): (1, -1) in the cells ``marked`` (row, column), (-1, 1) in the others."""
    one = torch.full((side, side), -1.0)
    for row, column in marked:
        one[row, column] = 1.0
    return torch.stack([one, -one])[None]


MIDDLE = [(3, 3), (3, 4), (4, 3), (4, 4)]
QUARTER = exact([[0.25, 0.25]])  # of the region: 2 of 8 cells


def test_by_hand() -> None:
    """Two kinds of cell, so that ridge regression has two answers, from sums over the cells."""
    online = begin(cells(maps(*MIDDLE)), QUARTER)
    near = 0.5 / (0.25 * 2)  # of a middle cell along one axis, in deviations of the bump
    distance = (np.arange(8) - 3.5) / (0.25 * 2)
    bump = np.exp(-(distance[:, None] ** 2 + distance**2) / 2)
    assert bump[3, 3] == pytest.approx(np.exp(-(near**2)))
    clear = np.where((bump > 0.3) | (bump < 0.05), 1.0, 0.3)
    weight = sum(part / part.sum() for part in (clear * bump, clear * (1 - bump)))
    kind = np.where(bump >= bump[3, 3], 1.0, -1.0)
    epsilon = [1 + 5e-6, 1 + 5e-6, 1]  # of the norm
    rows = np.stack([kind, -kind, np.ones_like(kind)], axis=-1).reshape(-1, 3) / epsilon
    gram, right = (rows * weight.reshape(-1, 1)).T @ rows, rows.T @ (weight * bump).ravel()
    np.testing.assert_allclose(online.first.gram[0], gram, rtol=1e-5)
    np.testing.assert_allclose(online.first.right[0], right, rtol=1e-5)
    answer = np.linalg.solve(gram + RIDGE * np.trace(gram) / 3 * np.eye(3), right)
    found = likeness(online, cells(maps(*MIDDLE)))[0].view(8, 8)
    np.testing.assert_allclose(found[3:5, 3:5], np.full((2, 2), answer[0] - answer[1] + answer[2]), rtol=1e-4)
    assert float(found[0, 0]) == pytest.approx(max(LEAST, answer[1] - answer[0] + answer[2]), rel=1e-4)
    assert found[3, 3] > 0.3 > 0.1 > found[0, 0]


def test_where_the_target_is_found_it_looks_like_itself_elsewhere() -> None:
    """A map that moved: the classifier knows cells by what they are, not by where."""
    online = begin(cells(maps(*MIDDLE)), QUARTER)
    found = likeness(online, cells(maps((1, 6))))[0].view(8, 8)
    assert found.argmax() == 8 + 6


def test_a_share_of_a_later_frame_is_learnt_if_it_is_sure() -> None:
    online, later = begin(cells(maps(*MIDDLE)), QUARTER), maps((1, 1), (1, 2))
    centre = exact([[0.25, 0.1875]])
    unsure = learn(online, cells(later), centre, QUARTER, exact([SURE - 0.01]))
    assert torch.equal(unsure.later.gram, online.first.gram)
    after = learn(online, cells(later), centre, QUARTER, exact([SURE]))
    again = learn(after, cells(later), centre, QUARTER, exact([0.9]))
    assert after.first is online.first and torch.equal(after.first.gram, online.first.gram)
    steps = [after.later.gram - online.later.gram, again.later.gram - after.later.gram]
    torch.testing.assert_close(steps[1], (1 - RATE) * steps[0])
    wanted = begin(cells(torch.roll(later, (2, 2), (2, 3))), QUARTER)  # the same cells around a target in the middle
    moved = learn(online, cells(torch.roll(later, (2, 2), (2, 3))), exact([[0.5, 0.5]]), QUARTER, exact([1.0]))
    torch.testing.assert_close(moved.later.gram, (1 - RATE) * online.later.gram + RATE * wanted.later.gram)
    torch.testing.assert_close(moved.later.right, (1 - RATE) * online.later.right + RATE * wanted.later.right)


def test_a_look_alike_is_learnt_as_not_the_target() -> None:
    """It differs from the target by little, in two channels of four: where both were seen, the little counts."""
    alone = torch.zeros(1, 4, 8, 8)
    alone[:, 0] = 1.0
    alone[0, :, 3:5, 3:5] = torch.tensor([-1.0, 1.0, 0.2, -0.2])[:, None, None]
    both = alone.clone()
    both[0, :, 0:2, 3:5] = torch.tensor([-1.0, 1.0, -0.2, 0.2])[:, None, None]
    ratios = []
    for earlier in (alone, both):
        found = likeness(begin(cells(earlier), QUARTER), cells(both))[0].view(8, 8)
        ratios.append(float(found[0, 3] / found[3, 3]))
    assert ratios[1] < 0.8 < 0.9 < ratios[0]


def nano(**changes: Any) -> NeuralTracker:
    tracker = TRANSINMO_STAR.build(replace(NANO, **changes), "cpu")
    assert isinstance(tracker, NeuralTracker)
    return tracker


@pytest.mark.parametrize("more", [{}, {"mirror": True, "sure": 0.001}])
def test_lanes_learn_alone(more: dict[str, Any]) -> None:
    tracker = nano(online=0.5, **more)
    both = tracker.init(FRAMES, STARTS)
    after = tracker.step(FRAMES, both)
    for lane in range(2):
        alone = tracker.step([FRAMES[lane]], tracker.init([FRAMES[lane]], STARTS[[lane]]))
        taken = tracker.step([FRAMES[lane]], both.take([lane]))
        for one in (alone, taken):
            np.testing.assert_allclose(one.boxes[0], after.boxes[lane], atol=1e-3)
            assert one.state.online is not None and after.state.online is not None
            torch.testing.assert_close(
                one.state.online.later.gram[0], after.state.online.later.gram[lane], atol=1e-4, rtol=1e-3
            )
    joined = State.join([both, both.take([1])])
    assert joined.online is not None and len(joined.online.first.right) == 3


def test_without_it_nothing_is_learnt_or_shown() -> None:
    tracker = nano()
    state = tracker.init(FRAMES[:1], STARTS[:1])
    assert state.online is None and len(tracker.search(torch.zeros(1, 3, 96, 96), state.features[0])) == 2


def test_it_changes_which_place_is_chosen_and_no_box() -> None:
    plain, learning = nano(), nano(online=1.0)
    states = [tracker.init(FRAMES[:1], STARTS[:1]) for tracker in (plain, learning)]
    images = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    seen = [tracker.search(images, state.features[0]) for tracker, state in zip((plain, learning), states, strict=True)]
    assert seen[1]._fields == ("logits", "boxes", "maps")  # type: ignore[attr-defined]
    for one, other in zip(seen[0], seen[1][:2], strict=True):
        assert torch.equal(one, other)
    scores = [
        tracker.step(FRAMES[1:], state).scores[0] for tracker, state in zip((plain, learning), states, strict=True)
    ]
    assert scores[1] < scores[0]


def test_three_maps_cannot_be_learnt_from() -> None:
    with pytest.raises(UserError, match="online is for trackers with one map of the search region"):
        SIAMCAR.build(replace(SIAMCAR.config, allow_random_weights=True, online=0.5), "cpu")


@pytest.mark.parametrize("row", [SIAMCAR, CNNINMO, TRANSINMO, TRANSINMO_STAR], ids=lambda row: row.name)
def test_the_lite_presets_learn_and_others_do_not(row: Family) -> None:
    """The value enters the hash as any other; of 0, which all had before, it does not."""
    configs = [row.for_dataset(replace(row.config, preset="lite", online=given), "lasot") for given in (None, 0.5, 0.0)]
    assert [config.caution.online for config in configs] == [0.5, 0.5, 0.0]
    hashes = [config_hash(row.name, config) for config in configs]
    assert hashes[0] == hashes[1] != hashes[2]
    assert "online" not in identity(row.name, configs[2])
    for preset in ("nano", "full"):
        assert replace(row.config, preset=preset).caution.online == 0.0
