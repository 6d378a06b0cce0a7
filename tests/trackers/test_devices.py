"""Every network on a GPU, as far as can be seen without one: all tensors of ``init`` and ``step`` are made there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from inmo.harness.bench.clips import TARGET, scene
from inmo.trackers.pipeline import assembly, neural
from inmo.trackers.pipeline.family import families, family
from tests.fake_cuda import KEPT, fake_cuda

NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ("transt", {}),
    ("transt", {"preset": "nano"}),
    ("siamcar", {}),
    ("siamcar", {"preset": "lite"}),
    ("siamcar", {"preset": "nano"}),
    ("siamcar", {"preset": "nano", "pixelwise": False}),
    ("cnninmo", {"interaction": "released"}),
    ("cnninmo", {"interaction": "paper"}),
    ("cnninmo", {"preset": "lite"}),
    ("cnninmo", {"preset": "nano"}),
    ("cnninmo", {"preset": "nano", "interaction": "released"}),
    ("transinmo", {"interaction": "released"}),
    ("transinmo", {"interaction": "paper"}),
    ("transinmo", {"preset": "lite"}),
    ("transinmo", {"preset": "nano", "wp": False}),
    ("transinmo-star", {"interaction": "released"}),
    ("transinmo-star", {"interaction": "paper", "attention": "written"}),
    ("transinmo-star", {"preset": "nano"}),
]


@pytest.fixture(autouse=True)
def precisions() -> Iterator[None]:
    """What a tracker on CUDA sets for the process."""
    kept = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = kept


def follow(name: str, settings: dict[str, Any], lanes: int = 2) -> Any:
    """Two steps of ``lanes`` targets on a GPU that is not there; gives the last step."""
    row = family(name)
    config = replace(row.config, allow_random_weights=True, **settings)
    with fake_cuda() as device:
        tracker = row.build(config, str(device))
        state = tracker.init([scene(0)] * lanes, np.tile(TARGET, (lanes, 1)))
        features = [leaf for leaf in torch.utils._pytree.tree_leaves(state.features) if isinstance(leaf, Tensor)]
        assert {leaf.device for leaf in features} == {device}
        state = tracker.step([scene(1)] * lanes, state).state
        joined = type(state).join([state.take([1]), state])
        return tracker.step([scene(2)] * (lanes + 1), joined)


@pytest.mark.parametrize(("name", "settings"), NETWORKS)
def test_all_tensors_are_on_the_device(name: str, settings: dict[str, Any]) -> None:
    step = follow(name, settings)
    assert step.boxes.shape == (3, 4) and step.scores.shape == (3,)


def test_every_family_is_there() -> None:
    assert {name for name, _ in NETWORKS} == {*families()}


def test_a_tensor_made_on_the_processor_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly.MatchingNetwork, "normalise", staticmethod(_forgetful))
    with pytest.raises(RuntimeError, match="cuda:0 and cpu"):
        follow("transt", {"preset": "nano"})


def _forgetful(images: Tensor) -> Tensor:
    return images / 255.0 - torch.tensor(neural.IMAGENET_MEAN).view(1, 3, 1, 1)


def test_a_tensor_that_is_no_buffer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = assembly.MatchingNetwork.search

    def search(self: Any, images: Tensor, features: Any) -> Any:
        return plain(self, images + self.shift, features)

    monkeypatch.setattr(assembly.MatchingNetwork, "shift", torch.zeros(1, 3, 1, 1), raising=False)
    monkeypatch.setattr(assembly.MatchingNetwork, "search", search)
    with pytest.raises(RuntimeError, match="cuda:0"):
        follow("transt", {})


def test_results_that_are_left_on_the_device_are_found() -> None:
    with fake_cuda() as device, pytest.raises(TypeError, match="cuda:0 device type tensor to numpy"):
        torch.zeros(2, device=device).double().numpy()


def test_nothing_fake_is_left_behind() -> None:
    follow("cnninmo", {"preset": "nano"})
    assert [keep.cache_info().currsize for keep in KEPT] == [0] * len(KEPT)
    assert type(torch.zeros(1)) is Tensor
