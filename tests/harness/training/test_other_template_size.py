"""Weights of a small tracker as initial values of one with a larger template."""

from __future__ import annotations

import pytest
import torch

from inmo.errors import UserError
from inmo.harness.training.model import build_model
from inmo.trackers.networks.pixelwise import other_cells
from inmo.trackers.pipeline.checkpoint import load_state_dict
from inmo.trackers.pipeline.shipped import file_of

JOIN = "neck.join.weight"


def test_cells_are_resampled_between_their_centres() -> None:
    """2 x 2 cells to 4 x 4: a quarter of the way in between, and a quarter of the weight each."""
    found = other_cells(torch.tensor([[9.0, 0.0, 4.0, 8.0, 12.0]]), 4, 16)
    across = torch.tensor([0.0, 1.0, 3.0, 4.0])
    assert torch.equal(found[0, 1:].view(4, 4), (across[None] + 2 * across[:, None]) / 4)
    assert found[0, 0] == 9.0
    assert found[0, 1:].sum() == 24.0


def test_all_but_the_cells_fits_as_it_is() -> None:
    file = file_of("transinmo-lite")
    model = build_model("transinmo", {"preset": "lite-192"}, "small", initial=str(file))
    assert model.note == f"{file} is for a template of 64 cells: what the head reads of them is resampled to 144"
    given = load_state_dict(file)
    for name, value in model.network.state_dict().items():
        if name != JOIN:
            assert torch.equal(value, given[name].to(value.dtype)), name
    join = model.network.state_dict()[JOIN]
    rest = join.shape[1] - 144
    assert torch.equal(join[:, :rest], given[JOIN][:, :rest].float())
    assert torch.allclose(join[:, rest:].sum(1), given[JOIN][:, rest:].float().sum(1), atol=1e-5)
    assert (model.shape.cells, build_model("transinmo", {"preset": "lite"}, "small").shape.cells) == (24, 16)


@pytest.mark.parametrize("settings", [{"preset": "lite", "width": 64}, {"preset": "nano"}])
def test_another_network_is_refused_all_the_same(settings: dict[str, object]) -> None:
    with pytest.raises(UserError, match="does not fit the network"):
        build_model("transinmo", settings, "small", initial=str(file_of("transinmo-lite")))
