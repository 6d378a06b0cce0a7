"""Real keys of TCA, worked by hand, and the sizes of the presets."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from inmo.errors import UserError
from inmo.trackers.base import config_hash
from inmo.trackers.families.transinmo import TransInMoConfig, build_network
from inmo.trackers.inspect.keys import real_keys, stage_keys
from inmo.trackers.networks.inbn import PATCHES


def test_padded_keys_do_not_count() -> None:
    # a template of 3 x 3 in windows of 2, padded to 4 x 4: position (0, 0) holds the corners 0 0, 0 2, 2 0, 2 2: four
    # tokens; (0, 1) the columns 1 and 3 (padding): two; (1, 1) only 1 1. A search map of 4 x 4 has each 4 times.
    found = real_keys(3, 4, 2)
    assert found.cells == {1: 4, 2: 8, 4: 4}
    assert (found.least, found.median) == (1, 2)
    assert found.share(2) == 0.5


def test_a_position_of_padding_alone_has_no_key() -> None:
    # a template of 1 x 1 in windows of 2: three of four positions hold nothing
    assert real_keys(1, 2, 2).cells == {0: 3, 1: 1}


def test_without_windows_every_cell_sees_the_template() -> None:
    assert real_keys(3, 6, 1).cells == {9: 36}


def test_nano_has_one_key_in_half_of_its_stages_and_four_with_smaller_patches() -> None:
    assert [k.least for k in stage_keys(48, 96, PATCHES, 3)] == [16, 4, 1, 1]
    assert [k.cells for k in stage_keys(48, 96, (4, 2, 1, 1), 3)] == [{16: 576}, {4: 144}, {4: 144}, {4: 144}]


def test_full_size_is_padded() -> None:
    # 128 / 256 pixels: template maps of 32, 16, 8, 8. 8 in windows of 7 is padded to 14: only the first row and column
    # of a window hold two tokens a side. Search maps of 16 = 7 + 7 + 2 cells have 3 of 16 such rows: 13^2 = 169 cells
    # of 256 have one key, 2 * 3 * 13 = 78 two, 9 four.
    stages = stage_keys(128, 256, PATCHES, 7)
    assert stages[2].cells == stages[3].cells == {1: 169, 2: 78, 4: 9}
    assert [round(stages[2].share(n), 2) for n in (1, 2)] == [0.66, 0.30]
    assert [k.cells for k in stage_keys(128, 256, PATCHES, 4)] == [{64: 4096}, {16: 1024}, {4: 256}, {4: 256}]


def test_windows_per_stage_and_patches_make_a_network() -> None:
    config = TransInMoConfig(preset="nano", window=(4, 3, 2, 3), patches=(4, 2, 1, 1), widths=(32, 64, 96, 128))
    backbone: Any = build_network(config).eval().backbone
    maps, memories = backbone.template(torch.zeros(1, 3, 48, 48))
    assert maps.shape == (1, 96, 6, 6)
    assert [gims[-1].key.shape[-2] for gims in memories] == [9, 4, 9, 4]


def test_the_papers_patches_are_no_part_of_the_hash_and_others_are() -> None:
    hashes = {
        patches: config_hash("transinmo", TransInMoConfig(preset="nano", patches=patches).filled())
        for patches in (None, PATCHES, (4, 2, 1, 1))
    }
    assert hashes[None] == hashes[PATCHES] != hashes[4, 2, 1, 1]


@pytest.mark.parametrize(
    "values", [{"window": (3, 3)}, {"patches": (4, 2, 1)}, {"patches": (4, 4, 1, 1)}, {"patches": (4, 2, 0, 1)}]
)
def test_geometry_that_cannot_be(values: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(UserError):
        TransInMoConfig(preset="nano", **values)  # type: ignore[arg-type]


def test_released_has_neither() -> None:
    with pytest.raises(UserError):
        TransInMoConfig(preset="nano", interaction="released", patches=(4, 2, 1, 1))
