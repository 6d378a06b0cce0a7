"""Training steps on a GPU, as far as can be seen without one: labels, losses and the optimiser's state are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from inmo.harness.training.config import DistilConfig, TrainConfig
from inmo.harness.training.distil import Teacher
from inmo.harness.training.distributed import Group
from inmo.harness.training.loop import Training
from inmo.harness.training.model import build_model
from inmo.harness.training.objectives import OBJECTIVES, CARObjective, Shape
from inmo.harness.training.sampling import Batch
from tests.fake_cuda import fake_cuda
from tests.harness.training.tiny import TINY

PAIRS = 4
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("transt", {}, "transt", "transt"),
    ("transt", TINY["transt"], "small", "small"),
    ("siamcar", {}, "siamcar", "siamcar"),
    ("siamcar", {"preset": "lite"}, "small", "lite"),
    ("cnninmo", {"interaction": "released"}, "cnninmo-released", "cnninmo-released"),
    ("cnninmo", TINY["cnninmo"], "siamcar", "siamcar"),
    ("cnninmo", {"preset": "lite"}, "small", "lite"),
    ("transinmo", {"interaction": "paper"}, "transt", "transt"),
    ("transinmo", {"interaction": "released"}, "transinmo-released", "transinmo-released"),
    ("transinmo-star", TINY["transinmo-star"], "small", "small"),
    ("transinmo-star", {"interaction": "paper", "preset": "nano"}, "transt", "transt"),
]


def train(case: tuple[str, dict[str, Any], str, str], patch: pytest.MonkeyPatch, **values: Any) -> dict[str, float]:
    """Two steps on a GPU that is not there, with gradients of zero; gives what the second one says of itself."""
    name, settings, objective, schedule = case
    config = TrainConfig(name, settings, objective, schedule, steps=10, batch=PAIRS, **values)
    with fake_cuda() as device:
        model = build_model(name, settings, objective)
        learns = model.trainee.parameters
        patch.setattr(Tensor, "backward", lambda loss: [_give_gradient(one) for one in learns() if one.requires_grad])
        teacher = None
        if values.get("distil"):
            channels = 7
            sides = model.trainee.distil(channels)
            teacher = Teacher(torch.nn.Identity(), channels, "")
            maps = [torch.zeros(PAIRS, side, side, channels, dtype=torch.float16) for side in sides]
        model.trainee.to(device)
        training = Training(config, model, Group(0, 1, device), Path(), teacher=teacher)
        z, x = model.config.sizes().template_size, model.config.sizes().search_size
        images = (torch.zeros(PAIRS, side, side, 3, dtype=torch.uint8) for side in (z, x))
        batch = Batch(*images, torch.zeros(PAIRS, 4), torch.zeros(PAIRS, 2), torch.arange(PAIRS))
        if teacher is not None:
            batch = batch._replace(template_map=maps[0], search_map=maps[1])
        for step in range(2):
            said = training.step(step, batch.to(device))
        states = [value for state in training.optimiser.state.values() for value in state.values()]
        assert states
        assert {state.device for state in states if isinstance(state, Tensor) and state.dim()} == {device}
        assert {value.device for value in training.average.values()} == ({device} if config.ema else set())
        return said


def _give_gradient(parameter: Tensor) -> None:
    parameter.grad = torch.zeros_like(parameter)


@pytest.mark.parametrize("case", CASES)
def test_a_step_stays_on_the_device(
    case: tuple[str, dict[str, Any], str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = train(case, monkeypatch)
    assert {"loss", "class", "gradient", "rate"} <= said.keys()


def test_averages_parts_and_a_teachers_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    case = ("transinmo-star", TINY["transinmo-star"], "small", "small")
    said = train(case, monkeypatch, accumulate=2, ema=0.9, distil=DistilConfig(weight=1.0))
    assert "distil" in said


def test_labels_made_on_the_processor_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = CARObjective.labels

    def forgetful(self: Any, boxes: Tensor, shape: Shape) -> tuple[Tensor, ...]:
        return plain(self, boxes.cpu(), shape)

    monkeypatch.setattr(CARObjective, "labels", forgetful)
    with pytest.raises(RuntimeError, match="cpu"):
        train(("siamcar", TINY["siamcar"], "siamcar", "siamcar"), monkeypatch)


def test_every_objective_is_there() -> None:
    assert {objective for _, _, objective, _ in CASES} == {*OBJECTIVES}
