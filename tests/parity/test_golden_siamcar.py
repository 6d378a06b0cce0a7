"""SiamCAR: every stored output, intermediate and trace box of the official module."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from inmo.trackers.families.siamcar import SIAMCAR, SiamCARConfig, build_network
from inmo.trackers.inspect.describe import describe
from tests.parity import golden_car as car
from tests.parity import golden_rules as rules

pytestmark = pytest.mark.shared


@lru_cache(1)
def filled(shared: Path) -> Any:
    return car.filled(shared, "siamcar", SIAMCAR.released)


def our_module(official: str) -> str:
    part, _, rest = official.partition(".")
    return car.our_module(official) or {"car_head": f"head.{rest}", "down": "head.down"}.get(part, official)


def test_intermediates_and_outputs(shared: Path) -> None:
    car.assert_goldens(filled(shared), rules.golden(shared, "siamcar"), our_module, 19)


@car.traces("LaSOT", "OTB100", few=8)
def test_trace(shared: Path, hyper: str, dataset: str, frames: int) -> None:
    config = SIAMCAR.for_dataset(SiamCARConfig(), dataset)
    network = car.sharing(lambda: build_network(config), filled(shared))  # around() folds it in place
    car.assert_trace(SIAMCAR.around(network, config, "cpu"), shared, "siamcar", hyper, frames)


@pytest.mark.slow
def test_a_batch_gives_the_boxes_of_single_calls(shared: Path) -> None:
    config = SIAMCAR.for_dataset(SiamCARConfig(), "otb100")
    car.assert_batch(
        SIAMCAR.around(car.sharing(lambda: build_network(config), filled(shared)), config, "cpu"), frames=6
    )


def test_parameters_and_macs(shared: Path) -> None:
    rows = {row.name: row for row in describe(SIAMCAR.released()[0])}
    assert rows["total"].parameters == 51_384_903
    assert rows["backbone"].parameters == 45_528_128
    assert rows["neck"].parameters == 919_040
    assert rows["head"].parameters == 4_740_871 + 196_864
    assert rows["total"].template == 10_652_084_928
    assert rows["total"].search == 48_566_009_024
