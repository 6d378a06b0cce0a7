"""Every config of the published size makes a step: about four gigabytes and a few seconds each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from inmo.harness.run.setup import configure
from inmo.harness.training.config import load_config
from inmo.harness.training.distributed import Group
from inmo.harness.training.loop import Training
from inmo.harness.training.model import build_model
from inmo.harness.training.sampling import Batch
from inmo.harness.training.schedule import SCHEDULES, freeze
from inmo.records import as_words
from tests.conftest import ROOT

PAIRS = 2


def random_pairs(template: int, search: int) -> Batch:
    dice = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (PAIRS, s, s, 3), generator=dice, dtype=torch.uint8) for s in (template, search)]
    boxes = torch.tensor([[0.45, 0.55, 0.3, 0.2], [0.6, 0.4, 0.25, 0.35]])
    return Batch(*images, boxes, torch.tensor([[0.5, 0.35], [0.4, 0.55]]), torch.arange(PAIRS))


def _momentum(state: Mapping[str, torch.Tensor | None]) -> float:
    """Largest absolute value of what SGD or AdamW remembers of a parameter's gradients; 0 where it never learned."""
    kept = state.get("momentum_buffer", state.get("exp_avg"))
    return 0.0 if kept is None else float(kept.abs().max())


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "full").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_step_moves_all_that_is_not_frozen(path: Path, tmp_path: Path) -> None:
    config = replace(load_config(path), batch=PAIRS)
    model = build_model(config.tracker, config.settings, config.objective, seed=config.seed)
    training = Training(config, model, Group(0, 1, torch.device("cpu")), tmp_path)
    before = {name: value.detach().clone() for name, value in model.network.named_parameters()}
    values = training.step(0, random_pairs(model.geometry.template_size, model.geometry.search_size))
    assert torch.isfinite(torch.tensor([*values.values()])).all(), values
    assert values["loss"] > 0
    frozen = {name for name in before if training.row.is_frozen(name, 0, training.total)}
    state = training.optimiser.state
    # momentum, not the value: a first step may be smaller than what float32 tells apart at 1
    moved = {name for name, value in model.network.named_parameters() if _momentum(state.get(value, {})) > 0}
    assert moved == set(before) - frozen
    assert all(torch.equal(value, before[name]) for name, value in model.network.named_parameters() if name in frozen)
    assert len(frozen) < len(before)
    assert all(torch.isfinite(value).all() for value in model.network.parameters())


@pytest.mark.parametrize(
    ("tracker", "first", "second"), [("siamcar", 78.5, 185.6), ("cnninmo", 168.0, 221.8)], ids=["siamcar", "cnninmo"]
)
def test_no_gradients_are_computed_for_a_backbone_that_is_frozen(tracker: str, first: float, second: float) -> None:
    """GMACs of a pair, forward and backward, before and after half of the training. CNNInMo's interactions learn from
    the start, so that gradients go through its body to them."""
    config = load_config(ROOT / "configs" / "full" / f"{tracker}.yaml")
    setup, row = configure(tracker, as_words(config.settings) | {"allow_random_weights": "true"}), SCHEDULES["siamcar"]
    assert config.schedule == "siamcar" and setup.spec.network is not None
    with torch.device("meta"):
        network: Any = setup.spec.network(setup.config)
    for step, expected in ((0, first), (50, second)):
        freeze(network, row, step, 100)
        template, search = (torch.empty(2, 3, side, side, device="meta") for side in (127, 255))
        with FlopCounterMode(display=False) as counter:
            outputs = network.search(search, network.template(template))
            torch.stack([maps.sum() for maps in outputs]).sum().backward()
        assert counter.get_total_flops() / 2 / 2 / 1e9 == pytest.approx(expected, abs=0.1)
