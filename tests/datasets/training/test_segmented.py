"""Composites from label maps: which segments are used, what folds and what keeps its size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from inmo.datasets.training import open_source
from inmo.datasets.training.articulation import articulate
from inmo.datasets.training.cutouts import Sprite
from inmo.datasets.training.segmented import _by_likeness, _segments
from inmo.errors import UserError
from tests.harness.training.segments import write_segmented


def test_segments_are_the_labels_neither_tiny_nor_the_ground(tmp_path: Path) -> None:
    root = write_segmented(tmp_path / "set", 1)
    found = _segments(root / "0.jpg")
    # the ground takes more than MOST of the photo; an ellipse of 51 x 37 and two boxes of 20 x 40 pixels stay
    assert [s.alpha.shape for s in found] == [(37, 51), (40, 20), (40, 20)]
    assert found[1].alpha[20, 10] == 1.0
    assert found[0].alpha[0, 0] < 0.1  # the ellipse's corner is not its own
    assert _by_likeness(found, 1)[0] == 2  # the other box, of the same colour


def test_folding_keeps_the_size_and_not_the_shape() -> None:
    sprite = Sprite(np.full((60, 24, 3), 90, np.uint8), np.ones((60, 24), np.float32))
    shapes = set()
    for seed in range(8):
        folded = articulate(sprite, np.random.default_rng(seed))
        shapes.add(folded.alpha.shape)
        assert np.sqrt(folded.alpha.size) == pytest.approx(np.sqrt(60 * 24), rel=0.04)
        solid = np.asarray(folded.alpha >= 0.5)
        ends = np.asarray(solid.any(axis=0))[[0, -1]]
        assert ends.all()  # tight
        count, _ = cv2.connectedComponents(solid.astype(np.uint8))
        assert count == 2  # one piece: parts hang together
    assert len(shapes) > 4


def test_a_steady_target_keeps_its_size_while_its_pose_changes(tmp_path: Path) -> None:
    root = str(write_segmented(tmp_path / "set"))
    spread = {}
    for steady in (0.0, 1.0):
        source = open_source("segmented", root, {"steady": steady, "articulated": 1.0, "distractors": 0})
        pairs = [source.draw(np.random.default_rng(n), n) for n in range(40)]
        spread[steady] = np.std([np.log(p.search.box[2:].prod() / p.template.box[2:].prod()) / 2 for p in pairs])
    assert spread[1.0] < 0.6 * spread[0.0]


def test_every_tenth_photograph_is_held_back(tmp_path: Path) -> None:
    root = str(write_segmented(tmp_path / "set"))
    assert [len(open_source("segmented", root, {"part": p})) for p in ("all", "train", "validation")] == [12, 10, 2]


def test_a_map_of_another_size_is_refused(tmp_path: Path) -> None:
    root = write_segmented(tmp_path / "set", 1)
    cv2.imwrite(str(root / "0.png"), np.ones((20, 30), np.uint8))
    with pytest.raises(UserError, match="another size"):
        open_source("segmented", str(root)).draw(np.random.default_rng(0), 0)


@pytest.mark.parametrize("values", [{"steady": 2.0}, {"articulated": -1.0}, {"distractors": -1}, {"part": "some"}])
def test_settings_that_cannot_be(tmp_path: Path, values: dict[str, object]) -> None:
    with pytest.raises(UserError):
        open_source("segmented", str(write_segmented(tmp_path / "set", 1)), values)
