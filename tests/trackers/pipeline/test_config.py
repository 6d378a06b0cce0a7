"""What neural configs share: which constants a dataset takes, sizes without any None, and values that cannot be."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from inmo.datasets import DATASETS
from inmo.errors import UserError
from inmo.harness.training.config import load_config
from inmo.trackers.pipeline.config import Tuning, constants_for
from inmo.trackers.pipeline.family import families
from tests.conftest import ROOT

FAMILIES = families()
ROWS = [(name, row) for name, family in FAMILIES.items() for row in family.config.PRESETS]


def published(tracker: str, dataset: str) -> Tuning:
    """The constants of the published sizes."""
    return FAMILIES[tracker].config.tuning(dataset)


def test_sets_of_the_official_tables() -> None:
    assert published("transinmo-star", "otb100") == Tuning(0.147, 0.699, 0.49)
    assert published("transinmo", "nfs") == Tuning(0.015, 0.944, 0.49)
    assert published("cnninmo", "uav123") == Tuning(0.2, 0.4, 0.3)
    assert published("siamcar", "lasot") == Tuning(0.04, 0.33, 0.3)


def test_relatives_and_strangers() -> None:
    assert published("cnninmo", "mini-otb100") == published("cnninmo", "otb100")
    assert published("siamcar", "uav123_10fps") == published("siamcar", "uav123")
    for stranger in ("folder", "trackingnet", "nfs", "never-heard-of"):
        assert published("siamcar", stranger) == published("siamcar", "lasot")


@pytest.mark.parametrize(("tracker", "row"), ROWS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_preset_has_a_sane_set(tracker: str, row: str, dataset: str) -> None:
    chosen = constants_for(FAMILIES[tracker].config.PRESETS[row].constants, dataset)
    assert 0 <= chosen.penalty_k < 1 and 0 < chosen.lr <= 1 and 0 <= chosen.window_influence < 1


def test_what_the_user_set_is_kept() -> None:
    config = replace(FAMILIES["cnninmo"].config, lr=0.5)
    assert config.tuning("otb100") == Tuning(0.2, 0.5, 0.45)
    filled = FAMILIES["cnninmo"].for_dataset(config, "otb100")
    assert (filled.penalty_k, filled.lr, filled.window_influence) == (0.2, 0.5, 0.45)


@pytest.mark.parametrize(("tracker", "row"), ROWS)
def test_no_none_is_left_in_the_sizes(tracker: str, row: str) -> None:
    preset, *words = row.split()
    values: dict[str, object] = {"interaction": words[0]} if words and words[0] != "car" else {}
    if "car" in words:
        values["pixelwise"] = False
    config = replace(FAMILIES[tracker].config, preset=preset, **values)
    assert config.row() == row
    sizes = config.sizes()
    assert all(getattr(sizes, item.name) is not None for item in fields(sizes))
    assert config.filled().sizes() == sizes and config.filled().filled() == config.filled()


@pytest.mark.parametrize("tracker", FAMILIES)
@pytest.mark.parametrize(
    "values",
    [{"preset": "nan"}, {"precision": "fp8"}, {"lr": -0.1}, {"window_influence": 1.1}, {"penalty_k": -1.0}],
    ids=str,
)
def test_impossible_values_are_refused_at_construction(tracker: str, values: dict[str, object]) -> None:
    with pytest.raises(UserError, match=r"unknown|wants a number") as caught:
        type(FAMILIES[tracker].config)(**values)
    assert "\n" not in str(caught.value)


def test_recipes_are_the_configs_that_are_there() -> None:
    for name, family in FAMILIES.items():
        for preset, path in family.recipes.items():
            recipe = load_config(ROOT / path)
            assert (recipe.tracker, recipe.settings["preset"]) == (name, preset.partition(" ")[0])
    named = {path for family in FAMILIES.values() for path in family.recipes.values()}
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "configs").rglob("*.yaml")}
    assert named == {path for path in there if load_config(ROOT / path).initial != "shipped"}  # else it trains on
