"""Real keys of TCA, worked by hand, against the masks of the attention, and of networks as they are built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from inmo.errors import UserError
from inmo.harness.run.setup import configure
from inmo.harness.training.config import load_config
from inmo.records import as_words
from inmo.trackers.base import RealKeys, config_hash
from inmo.trackers.families.transinmo import TransInMoConfig, build_network
from inmo.trackers.inspect.keys import Asked, network_keys, real_keys, table
from inmo.trackers.networks.gim import padding_masks
from inmo.trackers.networks.inbn import PATCHES
from inmo.trackers.networks.swin import Windows, cut_windows, merge_windows
from tests.conftest import ROOT


def asked(name: str, **values: str) -> tuple[Asked, ...]:
    setup = configure(name, {**values, "allow_random_weights": "true"})
    assert setup.spec.network is not None
    with torch.device("meta"):
        return network_keys(setup.spec.network(setup.config))


def cells(name: str, **values: str) -> list[dict[int, int] | None]:
    return [one.keys and dict(one.keys.cells) for one in asked(name, **values)]


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


@pytest.mark.parametrize(("template", "window"), [(8, 7), (5, 3), (6, 3), (2, 3), (15, 7)])
def test_what_the_masks_leave_is_what_is_counted(template: int, window: int) -> None:
    bias, _ = padding_masks(template, template, window, torch.device("cpu"))
    groups = torch.full((window * window,), (template // window) ** 2) if bias is None else (bias == 0).sum((1, 2, 3))
    found = real_keys(template, window, window)  # a search map of one window has a cell of every position
    assert found.cells == {int(n): int((groups == n).sum()) for n in groups.unique()}


def test_rolled_maps_have_their_keys_where_they_are_rolled_to() -> None:
    template, search = Windows(8, 8, 7, 3), Windows(16, 16, 7, 3)
    tokens = cut_windows(torch.ones(1, 8, 8, 1), template).sum(0)  # of every position, padding adds nothing
    windows = len(cut_windows(torch.ones(1, 16, 16, 1), search))
    counts = merge_windows(tokens.repeat(windows, 1, 1), search).flatten().long()
    assert real_keys(8, 16, 7, 3).cells == {int(n): int((counts == n).sum()) for n in counts.unique()}


def test_the_median_is_the_lower_of_two() -> None:
    assert RealKeys({1: 2, 4: 2}).median == 1
    assert RealKeys({1: 1, 4: 2}).median == 4
    assert RealKeys({0: 1, 1: 1, 9: 2}).without_choice() == 2


def test_nano_has_one_key_in_half_of_its_stages_and_four_with_smaller_patches() -> None:
    assert cells("transinmo-star", preset="nano") == [{16: 576}, {4: 144}, {1: 36}, {1: 36}]
    smaller = {"patches": "[4,2,1,1]", "widths": "[32,64,96,128]"}
    assert cells("transinmo", preset="nano", **smaller) == [{16: 576}, {4: 144}, {4: 144}, {4: 144}]


def test_full_size_is_padded() -> None:
    # 128 / 256 pixels: template maps of 32, 16, 8, 8. 8 in windows of 7 is padded to 14: only the first row and column
    # of a window hold two tokens a side. Search maps of 16 = 7 + 7 + 2 cells have 3 of 16 such rows: 13^2 = 169 cells
    # of 256 have one key, 2 * 3 * 13 = 78 two, 9 four.
    found = asked("transinmo", interaction="paper")
    assert [one.name for one in found] == [f"backbone.stages.{n}.gims.{g}.tca" for n, g in enumerate((1, 1, 5, 1))]
    assert [one.keys and one.keys.least for one in found] == [16, 4, 1, 1]
    last = found[3]
    assert last.keys is not None and last.keys.cells == {1: 169, 2: 78, 4: 9}
    assert (round(last.keys.share(1), 2), round(last.keys.share(2), 2)) == (0.66, 0.30)
    # 16 padded to 21: 21^2 / 16^2 = 1.72
    assert (last.template, last.search, last.window, round(last.padding, 2)) == (8, 16, 7, 0.72)
    whole = asked("transinmo", interaction="paper", window="4")
    assert [one.keys and one.keys.cells for one in whole] == [{64: 4096}, {16: 1024}, {4: 256}, {4: 256}]
    assert [one.padding for one in whole] == [0, 0, 0, 0]


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*-choice.yaml")), ids=lambda path: str(path)[-40:])
def test_every_cell_of_the_recipes_with_a_choice_has_four_keys_or_more(path: Path) -> None:
    config = load_config(path)
    found = asked(config.tracker, **as_words(config.settings))
    assert len(found) == 4
    assert all(one.keys is not None and one.keys.least >= 4 for one in found)


def test_released_asks_whole_windows_and_in_the_papers_layout_their_positions() -> None:
    assert cells("transinmo", interaction="released") == [{25: 4096}, {9: 1024}, {4: 256}, {1: 64}]
    # the last stage: a map of 4 x 4 in one window of 7, rolled by 3: 4 of 7 positions a side hold a token. A search map
    # of 8 x 8 has 5 of 8 rows at one of them: 25 cells
    assert cells("transinmo", interaction="released", cross_window="7")[3] == {0: 39, 1: 25}


def test_cnninmo() -> None:
    # template maps of 31, 15, 15, 15 cells in windows of 7: 15 = 7 + 7 + 1, search maps of 31 = 4 * 7 + 3 have 5 of 31
    # rows at the position with a third token
    found = asked("cnninmo", interaction="paper")
    assert [one.keys and one.keys.least for one in found] == [16, 4, 4, 4]
    assert found[1].keys is not None and found[1].keys.cells == {4: 676, 6: 260, 9: 25}
    assert [one.keys for one in asked("cnninmo", interaction="released")] == [None] * 4


def test_the_table_says_padding_least_median_and_shares() -> None:
    lines = table((Asked("one", 8, 16, 7, real_keys(8, 16, 7)), Asked("two", 6, 12, 3, None))).splitlines()
    assert lines[1].split(None, 6)[:2] == ["one", "7"]
    assert "+72%" in lines[1] and lines[1].endswith("1       1  1: 66%, 2: 30%, 4: 4%")
    assert "none" in lines[2] and lines[2].endswith("no softmax over keys")


def test_without_window_process_every_cell_asks_all_and_without_tca_nothing_is_asked() -> None:
    assert cells("transinmo", preset="nano", wp="false") == [{144: 576}, {36: 144}, {9: 36}, {9: 36}]
    assert asked("transinmo", preset="nano", tca="false") == ()
    assert asked("siamcar", preset="nano") == ()


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
