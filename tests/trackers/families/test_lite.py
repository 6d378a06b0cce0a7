"""Presets lite and nano of the CNN trackers and TransInMo's lite: what interactions change, fresh lite ones nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inmo.errors import UserError
from inmo.harness.run.setup import configure
from inmo.trackers import tracker
from inmo.trackers.families.cnninmo import CNNInMoConfig, around
from inmo.trackers.families.cnninmo import build_network as build_cnninmo
from inmo.trackers.families.fused import LITE as SIZES
from inmo.trackers.families.fused import LiteNetwork
from inmo.trackers.families.siamcar import SiamCARConfig
from inmo.trackers.families.siamcar import build_network as build_siamcar
from inmo.trackers.families.transinmo import TransInMoConfig
from inmo.trackers.families.transinmo import build_network as build_transinmo
from inmo.trackers.inspect.describe import describe
from inmo.trackers.inspect.keys import network_keys
from inmo.trackers.networks import efficientnet
from tests.trackers.lock_step import assert_lock_step

LITE: Any = {"preset": "lite", "allow_random_weights": True}
INTERACTIONS = "backbone.interactions."
CONSTANTS = SIZES.constants["lasot"]._asdict()


@pytest.fixture(autouse=True)
def same_dice() -> None:
    torch.manual_seed(0)


def cnninmo(**values: Any) -> LiteNetwork:
    made = build_cnninmo(CNNInMoConfig(**LITE, **values)).eval()
    assert isinstance(made, LiteNetwork)
    return made


def siamcar() -> LiteNetwork:
    made = build_siamcar(SiamCARConfig(**LITE)).eval()
    assert isinstance(made, LiteNetwork)
    return made


def transinmo(**values: Any) -> LiteNetwork:
    made = build_transinmo(TransInMoConfig(**LITE, **values)).eval()
    assert isinstance(made, LiteNetwork)
    return made


def take_over(network: nn.Module, source: nn.Module) -> None:
    """Every parameter that both have; whatever one alone has belongs to an interaction."""
    missing, unexpected = network.load_state_dict(source.state_dict(), strict=False)
    assert all(key.startswith(INTERACTIONS) for key in (*missing, *unexpected))


def learn(network: nn.Module) -> None:
    """Move the interactions' parameters by about as much as a training does."""
    dice = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in network.get_submodule("backbone.interactions").parameters():
            parameter.add_(torch.randn(parameter.shape, generator=dice) * 0.05)


def inputs(batch: int = 2) -> tuple[Tensor, Tensor]:
    dice = torch.Generator().manual_seed(1)
    z, x = (torch.rand(batch, 3, s, s, generator=dice) * 255 for s in (64, 128))
    return efficientnet.normalise(z), efficientnet.normalise(x)


@torch.no_grad()
def outputs(network: LiteNetwork) -> tuple[Tensor, ...]:
    z, x = inputs()
    return tuple(network.search(x, network.template(z, torch.tensor([[0.5, 0.4], [0.3, 0.6]]))))


def distance(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> float:
    return max(float((x - y).abs().max()) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("values", [{}, {"wp": False}, {"prenorm": False}], ids=str)
@pytest.mark.parametrize(("make", "own"), [(cnninmo, {"mlp_ratio": 1.0}), (transinmo, {"depths": (1, 1, 1, 1)})])
def test_fresh_interactions_change_nothing(
    make: Callable[..., LiteNetwork], own: dict[str, Any], values: dict[str, Any]
) -> None:
    for chosen in (values, {**own, **values}):
        with_interaction, without = make(**chosen), siamcar()
        take_over(with_interaction, without)
        torch.testing.assert_close(outputs(with_interaction), outputs(without))
        learn(with_interaction)
        assert distance(outputs(with_interaction), outputs(without)) > 1e-3


def test_without_interaction_transinmo_is_siamcars_network() -> None:
    bare = transinmo(csa=False, tca=False, mlp_ratio=0.0)
    assert sorted(bare.state_dict()) == sorted(siamcar().state_dict())
    star = transinmo(matching="transt", encoder_layers=2)
    assert [*star.backbone.state_dict()] == [*transinmo().backbone.state_dict()]
    assert {name.split(".")[4] for name in star.state_dict() if name.startswith("neck.neck.encoder.layers")} == {
        "0",
        "1",
    }


def test_every_tca_of_transinmo_has_a_choice() -> None:
    assert [asked.keys and asked.keys.least for asked in network_keys(transinmo())] == [16, 4, 4, 4]


def test_tca_is_in_the_last_gim_of_the_chosen_stages() -> None:
    names = transinmo(tca=(False, True, False, True)).state_dict()
    found = {name.removeprefix(INTERACTIONS).partition(".tca.")[0] for name in names if ".tca." in name}
    assert found == {"1.gim.0", "3.gim.1"}


def test_wp_changes_who_asks_whom_and_no_parameter() -> None:
    windows, whole = cnninmo(), cnninmo(wp=False)
    learn(windows)
    whole.load_state_dict(windows.state_dict())
    assert distance(outputs(windows), outputs(whole)) > 1e-4
    template, search = torch.randn(1, 40, 8, 8), torch.randn(1, 40, 16, 16)
    other = template.clone()
    other[0, :, 5, 2] += torch.randn(40)  # stands at row 1, column 2 of its window of 4
    alike = {(row, column) for row in range(1, 16, 4) for column in range(2, 16, 4)}
    everywhere = {(row, column) for row in range(16) for column in range(16)}
    for network, reached in ((windows, alike), (whole, everywhere)):
        interaction: Any = network.backbone.interactions[0]  # type: ignore[index, union-attr]
        with torch.no_grad():
            asked = [interaction.search(search, interaction.template(maps)[1]) for maps in (template, other)]
        moved = (asked[0] - asked[1]).abs().sum(dim=1)[0] > 1e-6
        assert {(int(row), int(column)) for row, column in moved.nonzero()} == reached


@torch.no_grad()
def maps_of(network: LiteNetwork, other: bool = False) -> tuple[Tensor, Tensor]:
    """Fused maps of template and search region, the search region asking its own template or that of the other."""
    z, x = inputs()
    backbone: Any = network.backbone
    template, memories = backbone.template(z)
    if other:
        _, memories = backbone.template(z.flip(0))
    return template, backbone.search(x, memories)


def test_without_tca_the_search_region_does_not_see_the_template() -> None:
    for tca, seen in ((True, True), (False, False), ((False, False, True), True)):
        network = cnninmo(tca=tca)
        learn(network)
        (_, own), (_, strange) = maps_of(network), maps_of(network, other=True)
        assert (float((own - strange).abs().max()) > 1e-4) == seen, tca
        stages = tca if isinstance(tca, tuple) else (tca,) * 3
        names = set(network.state_dict())
        assert [f"{INTERACTIONS}{i}.gim.tca.map.weight" in names for i in range(3)] == list(stages)


def test_csa_alone_changes_the_template() -> None:
    bare = siamcar()
    for csa in (True, False):
        network = cnninmo(csa=csa)
        take_over(network, bare)
        learn(network)
        (template, search), (plain, unseen) = maps_of(network), maps_of(bare)
        assert (float((template - plain).abs().max()) > 1e-4) == csa
        assert float((search - unseen).abs().max()) > 1e-4  # through TCA at least
    neither = cnninmo(csa=False, tca=False)
    take_over(neither, bare)
    learn(neither)
    torch.testing.assert_close(outputs(neither), outputs(bare))
    assert sorted(neither.state_dict()) == sorted(bare.state_dict())


def test_the_parts_add_up() -> None:
    rows = {row.name: row for row in describe(cnninmo())}
    bare = describe(siamcar())[-1]
    interaction = rows["backbone: CSA"].parameters + rows["backbone: TCA"].parameters
    assert rows["total"].parameters == bare.parameters + interaction
    assert rows["total"].search > bare.search


def frames(seed: int, length: int = 3) -> list[np.ndarray]:
    dice = np.random.default_rng(seed)
    base = np.kron(dice.integers(0, 256, (12, 16, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    return [np.roll(base, (t * 3, t * 5), (0, 1)) for t in range(length)]


@pytest.mark.parametrize("name", ["cnninmo", "siamcar", "transinmo", "transinmo-star"])
def test_lock_step_equals_single_targets(name: str) -> None:
    spec = tracker(name)
    made: Any = spec.build(spec.for_dataset(replace(spec.config, **LITE), "otb100"), "cpu")
    learn(made.network)
    assert_lock_step(made, [frames(0), frames(1)], np.array([[20.0, 30, 40, 25], [100, 60, 20, 30]]), scores=1e-4)


def test_the_tracker_is_the_network_that_was_trained() -> None:
    """Folding batch norms and the tracker's own normalisation change nothing."""
    network = cnninmo()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]
    expected = outputs(network)
    made = around(network, CNNInMoConfig(**LITE, online=0.0), "cpu")
    assert not any(isinstance(module, nn.BatchNorm2d) for module in made.network.modules())
    torch.testing.assert_close(outputs(network), expected, rtol=1e-3, atol=1e-4)
    assert made.recipe.normalise is efficientnet.normalise


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("cnninmo", {"interaction": "released"}, "paper's sense alone"),
        ("cnninmo", {"tca": "[true, true, true, true]"}, "tca wants one value or 3"),
        ("cnninmo", {"widths": "[8, 8, 8, 8]"}, "those of EfficientNet-Lite0"),
        ("siamcar", {"depths": "[1, 1, 1, 1]"}, "those of EfficientNet-Lite0"),
        ("cnninmo", {"heads": "5"}, "dim 96 cannot be split in 5 heads"),
        ("cnninmo", {"dim": "10"}, "dim 10 cannot be split in 4 heads"),
        ("cnninmo", {"window": "0"}, "window wants a number above 0"),
        ("siamcar", {"lr": "2"}, "lr wants a number from 0 to 1"),
        ("transinmo", {"interaction": "released"}, "paper's sense alone"),
        ("transinmo", {"widths": "[8, 8, 8, 8]"}, "those of EfficientNet-Lite0"),
        ("transinmo-star", {"patches": "[4, 2, 1, 1]"}, "those of EfficientNet-Lite0"),
        ("transinmo", {"window": "[4, 2]"}, "window and patches want one side"),
        ("siamcar", {"wp": "false"}, "unknown setting of siamcar"),
        ("siamcar", {"preset": "light"}, "unknown preset 'light': did you mean lite"),
        ("transt", {}, "unknown preset 'lite'"),
    ],
)
def test_impossible_values_are_one_sentence(name: str, words: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message.replace("[", r"\[")) as caught:
        configure(name, {"preset": "lite"} | words).on("lasot")
    assert "\n" not in str(caught.value)


def test_the_constants_are_the_presets_unless_given() -> None:
    for name in ("cnninmo", "siamcar"):
        spec = tracker(name)
        for benchmark in ("otb100", "lasot"):
            config = spec.for_dataset(replace(spec.config, **LITE, lr=0.4), benchmark)
            assert {key: getattr(config, key) for key in CONSTANTS} == {**CONSTANTS, "lr": 0.4}
