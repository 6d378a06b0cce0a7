"""CNNInMo, released: every stored output, intermediate, variant and trace box of the official module."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from inmo.trackers.families.cnninmo import CNNINMO, CNNInMoConfig, around, build_network, key_map
from inmo.trackers.inspect.describe import describe
from tests.parity import golden_car as car
from tests.parity import golden_rules as rules

pytestmark = pytest.mark.shared


@lru_cache(1)
def filled(shared: Path) -> Any:
    return car.filled(shared, "cnninmo", CNNINMO.released)


def variant(shared: Path, **values: Any) -> Any:
    """The released network with some values of its config changed, around the same tensors."""
    return car.sharing(lambda: build_network(CNNInMoConfig(interaction="released", **values)), filled(shared))


def our_module(official: str) -> str:
    return car.our_module(official) or key_map(official + ".weight").removesuffix(".weight")


def test_intermediates_and_outputs(shared: Path) -> None:
    car.assert_goldens(filled(shared), rules.golden(shared, "cnninmo"), our_module, 33)


@pytest.mark.parametrize(
    ("name", "values"), [("nowp", {"wp": False}), ("notca", {"tca": False}), ("nocsa", {"csa": False})]
)
def test_variants(shared: Path, name: str, values: dict[str, Any]) -> None:
    golden = rules.golden(shared, "cnninmo")
    outputs = car.run(variant(shared, **values))
    rules.assert_final(golden, tuple(f"{name}.final.{kind}" for kind in ("cls", "reg", "cen")), outputs)


@car.traces("LASOTTEST", "OTB2015", few=4)
def test_trace(shared: Path, hyper: str, dataset: str, frames: int) -> None:
    config = CNNINMO.for_dataset(CNNInMoConfig(interaction="released"), dataset)
    car.assert_trace(around(variant(shared), config, "cpu"), shared, "cnninmo", hyper, frames)


@pytest.mark.slow
def test_a_batch_gives_the_boxes_of_single_calls(shared: Path) -> None:
    config = CNNINMO.for_dataset(CNNInMoConfig(interaction="released"), "otb100")
    car.assert_batch(around(variant(shared), config, "cpu"), frames=6)


def test_parameters_and_macs(shared: Path) -> None:
    rows = {row.name: row for row in describe(CNNINMO.released()[0])}
    assert rows["total"].parameters == 151_668_423
    assert rows["backbone"].parameters == 145_811_648
    assert rows["neck"].parameters == 919_040
    assert rows["head"].parameters == 4_937_735
    assert rows["total"].released_template == 10_652_084_928
    assert rows["total"].released_search == 133_415_632_064
    assert rows["total"].search < 126_800_000_000  # keys and values of the template are computed once
