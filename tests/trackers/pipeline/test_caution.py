"""What a tracker does when it is unsure: by hand, and through a tracker whose network says what the test wants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from inmo.errors import UserError
from inmo.trackers.families.siamcar import SIAMCAR
from inmo.trackers.families.transt import TRANST
from inmo.trackers.pipeline.caution import REFRESH, Caution, Past
from inmo.trackers.pipeline.crop import transt_crops
from inmo.trackers.pipeline.neural import NeuralTracker, Recipe, State, unchanged
from inmo.trackers.pipeline.postprocess import Located, Targets

NANO = replace(TRANST.config, preset="nano", allow_random_weights=True)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"unsure": 1.2}, "unsure wants a number from 0 to 1, not 1.2"),
        ({"motion": -0.1}, "motion wants"),
        ({"sure": 2.0}, "sure wants"),
        ({"online": 1.5}, "online wants"),
        ({"unsure": 0.3, "widen": 3.0}, "widen wants a number from 1 to 2, not 3.0"),
        ({"widen": 1.2}, "say --set unsure=0.8"),
        ({"hold_size": True}, "say --set unsure=0.8"),
    ],
)
def test_values_that_cannot_be(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        Caution(**values)
    with pytest.raises(UserError, match=words):
        replace(NANO, **values)


def test_region_by_hand() -> None:
    past = Past(np.array([[4.0, -2.0], [0.0, 0.0]]), np.array([2.0, 9.0]), np.zeros(2))
    centre, side = np.array([[50.0, 60.0], [10.0, 10.0]]), np.array([100.0, 100.0])
    middle, wide = Caution(unsure=0.5, widen=1.1, motion=0.5).region(centre, side, past)
    np.testing.assert_array_equal(middle, [[52.0, 59.0], [10.0, 10.0]])
    np.testing.assert_array_equal(wide, [121.0, 200.0])  # 1.1^2, and 1.1^9 > 2
    same = Caution().region(centre, side, past)
    assert same[0] is centre and same[1] is side


def test_past_by_hand() -> None:
    past = Past(np.array([[4.0, 0.0], [4.0, 0.0]]), np.array([0.0, 1.0]), np.array([3.0, 0.0]))
    after = Caution(unsure=0.5).remember(past, np.array([[2.0, 2.0], [90.0, 0.0]]), np.array([True, False]))
    np.testing.assert_array_equal(after.motion, [[3.0, 1.0], [4.0, 0.0]])
    np.testing.assert_array_equal(after.missed, [0.0, 2.0])
    np.testing.assert_array_equal(after.age, [4.0, 1.0])


def test_judgement() -> None:
    found, sure = Caution(unsure=0.4, sure=0.8).judge(np.array([0.3, 0.4, 0.8]))
    np.testing.assert_array_equal(found, [False, True, True])
    np.testing.assert_array_equal(sure, [False, False, True])
    found, sure = Caution().judge(np.array([np.nan]))
    assert found.all() and not sure.any()
    with pytest.raises(UserError, match="reports no score"):
        Caution(unsure=0.4).judge(np.array([np.nan]))


class Told(nn.Module):
    """Its templates are the mean of their images; a search gives that mean back."""

    template_size, search_size = 16, 32

    def template(self, images: Tensor) -> tuple[Tensor]:
        return (images.flatten(1).mean(1, keepdim=True),)

    def search(self, images: Tensor, features: tuple[Tensor]) -> tuple[Tensor, ...]:
        return (features[0],)


class Follower(NeuralTracker):
    """A tracker that goes where ``script`` says: rows of x, y, w, h, score, one per step. Keeps what it was told."""

    def __init__(self, script: list[tuple[float, ...]], **caution: Any) -> None:
        self.script, self.told, self.seen = list(script), [], []  # type: ignore[var-annotated]
        recipe = Recipe(transt_crops(16, 32), unchanged, self.place, (0.0, 1.0, 0.0))
        super().__init__(Told(), recipe, "cpu", replace(NANO, **caution))

    def place(self, outputs: tuple[Tensor, ...], targets: Targets) -> Located:
        self.told.append(targets)
        self.seen.append(outputs[0])
        row = torch.tensor(self.script.pop(0), dtype=torch.float64).repeat(len(targets.side), 1)
        return Located(row[:, :2], row[:, 2:4], row[:, 4])


def follow(tracker: Follower, steps: int, batch: int = 1) -> tuple[State, list[np.ndarray[Any, Any]]]:
    """Boxes of a target of 20 x 20 at (50, 50) in frames that get brighter by one each."""
    frames = [np.full((120, 160, 3), number, np.uint8) for number in range(steps + 1)]
    state = tracker.init([frames[0]] * batch, np.array([[40.0, 40.0, 20.0, 20.0]] * batch))
    boxes = []
    for frame in frames[1:]:
        step = tracker.step([frame] * batch, state)
        state = step.state
        boxes.append(step.boxes[0])
    return state, boxes


def test_an_unsure_frame_keeps_the_size_and_widens_the_next_region() -> None:
    script = [(52.0, 50.0, 30.0, 10.0, 0.2), (54.0, 50.0, 30.0, 10.0, 0.2), (54.0, 50.0, 30.0, 10.0, 0.9), (54.0,) * 5]
    tracker = Follower(script, unsure=0.5, hold_size=True, widen=1.5)
    _, boxes = follow(tracker, 4)
    np.testing.assert_allclose([box[2:] for box in boxes[:3]], [[20, 20], [20, 20], [30, 10]])
    sides = [float(targets.side) for targets in tracker.told]
    assert sides[:3] == [80.0, 120.0, 160.0]  # 20 (1 + 3); 1.5 times it; 2.25 times is more than twice
    assert sides[3] == np.ceil(np.sqrt((30 + 60) * (10 + 60)))  # found again


def test_without_caution_nothing_depends_on_the_score() -> None:
    tracker = Follower([(52.0, 50.0, 20.0, 20.0, 0.0)] * 3)
    follow(tracker, 3)
    assert [float(targets.side) for targets in tracker.told] == [80.0] * 3
    assert [targets.centre[0].tolist() for targets in tracker.told] == [[50, 50], [52, 50], [52, 50]]


def test_a_moving_target_is_expected_further_on() -> None:
    tracker = Follower(
        [(54.0, 50.0, 20.0, 20.0, 1.0), (58.0, 50.0, 20.0, 20.0, 1.0), (62.0, 50.0, 20.0, 20.0, 1.0)], motion=1.0
    )
    follow(tracker, 3)
    places = [targets.centre[0, 0].item() for targets in tracker.told]
    assert places == [50.0, 56.0, 61.0]  # 54 + 4 / 2; 58 + (2 + 4) / 2


def test_a_second_template_is_taken_when_it_is_due_and_sure() -> None:
    """The template says how bright its frame is; the outputs of the two are averaged."""
    script = [(50.0, 50.0, 20.0, 20.0, 0.9)] * (REFRESH - 1) + [(50.0, 50.0, 20.0, 20.0, 0.5)] * 2
    script += [(50.0, 50.0, 20.0, 20.0, 0.9)] * 2
    tracker = Follower(script, sure=0.8)
    state, _ = follow(tracker, len(script))
    shown = [float(seen[0, 0]) for seen in tracker.seen]
    assert shown == [0.0] * (REFRESH + 2) + [(REFRESH + 2) / 2]
    assert float(state.past.age[0]) == 1.0


def nano(**changes: Any) -> NeuralTracker:
    tracker = TRANST.build(replace(NANO, **changes), "cpu")
    assert isinstance(tracker, NeuralTracker)
    return tracker


def test_with_a_mirror_a_mirrored_video_gives_mirrored_boxes() -> None:
    """Whatever the network: both of its answers are the mean of the same two."""
    frames = np.random.default_rng(0).integers(0, 255, (2, 90, 120, 3), dtype=np.uint8)
    other = np.ascontiguousarray(frames[:, :, ::-1])
    off = {}
    for mirror in (False, True):
        tracker = nano(mirror=mirror)
        state = tracker.init([frames[0]], np.array([[30.0, 40.0, 20.0, 16.0]]))
        turned = tracker.init([other[0]], np.array([[70.0, 40.0, 20.0, 16.0]]))
        ((x, y, w, h),) = tracker.step([frames[1]], state).boxes
        off[mirror] = np.abs(tracker.step([other[1]], turned).boxes - [[120.0 - x - w, y, w, h]]).max()
    assert off[True] < 1e-3 < 0.1 < off[False]


def test_a_mirror_and_a_second_template_keep_lanes_apart() -> None:
    frames = list(np.random.default_rng(1).integers(0, 255, (2, 90, 120, 3), dtype=np.uint8))
    starts = np.array([[30.0, 40.0, 20.0, 16.0], [60.0, 20.0, 24.0, 30.0]])
    tracker = nano(mirror=True, sure=0.001)
    both = tracker.init(frames, starts)
    for lane in range(2):
        alone = tracker.init([frames[lane]], starts[[lane]])
        together = tracker.step(frames, both).boxes[lane]
        np.testing.assert_allclose(tracker.step([frames[lane]], alone).boxes[0], together, atol=1e-3)
        np.testing.assert_allclose(tracker.step([frames[lane]], both.take([lane])).boxes[0], together, atol=1e-3)
    parts = pytree.tree_leaves(State.join([both, both]).features)
    assert {len(part) for part in parts if isinstance(part, Tensor)} == {4}


def test_a_head_without_a_box_in_every_cell_has_no_mirror() -> None:
    config = replace(SIAMCAR.config, allow_random_weights=True, mirror=True)
    with pytest.raises(UserError, match="mirror is for trackers with a box in every cell"):
        SIAMCAR.build(config, "cpu")
    assert SIAMCAR.build(replace(config, preset="nano"), "cpu")  # of other parts


def test_lanes_keep_their_own_past() -> None:
    tracker = Follower([(52.0, 50.0, 20.0, 20.0, 0.9)] * 2, sure=0.8, motion=0.5)
    state, _ = follow(tracker, 2, batch=2)
    one = state.take([1])
    assert one.past.motion.shape == (1, 2) and len(one.features) == 2
    both = State.join([one, state])
    assert both.past.age.tolist() == [2.0] * 3 and both.features[1][0].shape == (3, 1)


def test_what_is_said_of_the_next_region_is_where_it_is_cut() -> None:
    tracker = Follower([(54.0, 50.0, 20.0, 20.0, 0.2)] * 2, unsure=0.5, widen=1.5, motion=1.0)
    tracker_state, _ = follow(tracker, 1)
    x, y, w, h = tracker.regions(tracker_state)[0]
    tracker.step([np.zeros((120, 160, 3), np.uint8)], tracker_state)
    told = tracker.told[-1]
    assert (w, h) == (float(told.side), float(told.side)) == (120.0, 120.0)
    assert (x + w / 2, y + h / 2) == tuple(told.centre[0].tolist())
