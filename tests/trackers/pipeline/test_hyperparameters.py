"""The hyper-parameter table: which set a dataset takes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from inmo.datasets import DATASETS
from inmo.trackers.pipeline.hyperparameters import HYPERPARAMETERS, Tuning, fill_in, hyperparameters


def test_sets_of_the_official_tables() -> None:
    assert hyperparameters("transinmo-star", "otb100") == Tuning(0.147, 0.699, 0.49)
    assert hyperparameters("transinmo", "nfs") == Tuning(0.015, 0.944, 0.49)
    assert hyperparameters("cnninmo", "uav123") == Tuning(0.2, 0.4, 0.3)
    assert hyperparameters("siamcar", "lasot") == Tuning(0.04, 0.33, 0.3)


def test_relatives_and_strangers() -> None:
    assert hyperparameters("cnninmo", "mini-otb100") == hyperparameters("cnninmo", "otb100")
    assert hyperparameters("siamcar", "uav123_10fps") == hyperparameters("siamcar", "uav123")
    for stranger in ("folder", "trackingnet", "nfs", "never-heard-of"):
        assert hyperparameters("siamcar", stranger) == hyperparameters("siamcar", "lasot")


@pytest.mark.parametrize("tracker", HYPERPARAMETERS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_pair_has_a_sane_set(tracker: str, dataset: str) -> None:
    chosen = hyperparameters(tracker, dataset)
    assert 0 <= chosen.penalty_k < 1 and 0 < chosen.lr <= 1 and 0 <= chosen.window_influence < 1


def test_fill_in_keeps_what_the_user_set() -> None:
    @dataclass(frozen=True)
    class Config:
        penalty_k: float | None = None
        lr: float | None = 0.5
        other: int = 3

    assert fill_in("cnninmo", Config(), "otb100") == Config(0.2, 0.5, 3)
