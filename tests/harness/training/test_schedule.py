"""Learning rates of the published schedules, and what they leave frozen."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from inmo.harness.training.model import build_model
from inmo.harness.training.schedule import NEVER, SCHEDULES, Schedule, freeze, make_optimiser, set_rate


class Toy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.ModuleDict(
            {n: nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)) for n in ("layer1", "layer2")}
        )
        self.head = nn.Linear(3, 2)


def test_published_lengths() -> None:
    assert SCHEDULES["transt"].steps() == 1000 * 1000
    assert SCHEDULES["transinmo-released"].steps() == 100 * 6250
    assert SCHEDULES["siamcar"].steps() == 20 * 7500


def test_transt_steps_down_at_half() -> None:
    row = SCHEDULES["transt"]
    assert [row.at_step(s, 100) for s in (0, 49, 50, 99)] == pytest.approx([1, 1, 0.1, 0.1])


def test_released_transinmo_steps_every_fifth() -> None:
    row = SCHEDULES["transinmo-released"]
    assert [row.at_step(s, 100) for s in (0, 19, 20, 40, 60, 80, 99)] == pytest.approx(
        [1, 1, 0.1, 0.01, 1e-3, 1e-4, 1e-4]
    )


def test_siamcar_warms_up_over_a_quarter_and_falls_to_a_tenth() -> None:
    row = SCHEDULES["siamcar"]
    rates = [row.rate * row.at_step(s, 400) for s in (0, 50, 100, 250, 400)]
    assert rates == pytest.approx([0.001, 0.005 / 5**0.5, 0.005, 0.005 / 10**0.5, 0.0005])


def test_small_warms_up_and_ends_near_zero() -> None:
    row = SCHEDULES["small"]
    assert row.at_step(0, 1000) == pytest.approx(1 / 60)
    assert row.at_step(59, 1000) == 1
    assert row.at_step(530, 1000) == pytest.approx(0.5)
    assert row.at_step(999, 1000) < 1e-5


def test_backbone_has_its_own_rate_and_vectors_no_decay_where_asked() -> None:
    optimiser = make_optimiser(Toy(), SCHEDULES["transt"])
    set_rate(optimiser, SCHEDULES["transt"], 0, 10)
    assert {round(group["lr"], 8): group["weight_decay"] for group in optimiser.param_groups} == {
        1e-4: 1e-4,
        1e-5: 1e-4,
    }
    small = make_optimiser(Toy(), SCHEDULES["small"])
    for group in small.param_groups:
        assert all((p.dim() > 1) == (group["weight_decay"] > 0) for p in group["params"])


def test_siamcar_freezes_parameters_and_statistics_until_half() -> None:
    torch.manual_seed(0)
    toy, row = Toy(), SCHEDULES["siamcar"]
    for step, learning in ((0, False), (50, True)):
        freeze(toy, row, step, 100)
        assert not toy.backbone["layer1"][1].training  # type: ignore[index]
        assert toy.backbone["layer2"][1].training is learning  # type: ignore[index]
        assert toy.head.training
        follows = {name for name, parameter in toy.named_parameters() if parameter.requires_grad}
        assert follows == {name for name, _ in toy.named_parameters() if not row.is_frozen(name, step, 100)}


def test_interactions_learn_from_the_first_step_while_their_backbone_is_frozen() -> None:
    row = SCHEDULES["siamcar"]
    frozen = ("backbone.body", "backbone.body.layer2.0.conv1.weight", "backbone.layer3.0.bn1", "backbone.conv1.weight")
    free = (
        "backbone",
        "backbone.interactions",
        "backbone.interactions.3.gim.tca.query.weight",
        "neck.levels.0.0.weight",
    )
    assert all(row.is_frozen(name, 0, 100) for name in frozen)
    assert not any(row.is_frozen(name, 0, 100) for name in free)


def test_what_is_frozen_for_ever_is_left_out_of_autograd() -> None:
    toy = Toy()
    row = Schedule(
        "adamw", 1e-3, 0.1, 0.0, 1, 10, 1, "step",
        frozen=((r"backbone\.layer1(\..*)?", NEVER), (r"backbone\.layer2(\..*)?", 0.5)),
    )  # fmt: skip
    held = {id(p) for group in make_optimiser(toy, row).param_groups for p in group["params"]}
    for name, parameter in toy.named_parameters():
        learns_some_day = not name.startswith("backbone.layer1")
        assert row.never_learns(name) is not learns_some_day
        assert parameter.requires_grad is learns_some_day
        assert (id(parameter) in held) is learns_some_day
    assert row.is_frozen("backbone.layer1.0.weight", 9, 10)
    assert not row.is_frozen("backbone.layer2.0.weight", 5, 10)


def test_the_slow_pattern_decides_who_learns_slowly() -> None:
    toy = Toy()
    row = Schedule("adamw", 1e-3, 0.1, 0.0, 1, 10, 1, "step", slow=r"backbone\.layer2\..*")
    optimiser = make_optimiser(toy, row)
    set_rate(optimiser, row, 0, 10)
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    for name, parameter in toy.named_parameters():
        assert rates[id(parameter)] == pytest.approx(1e-4 if name.startswith("backbone.layer2") else 1e-3), name


def test_lite_freezes_the_first_blocks_and_slows_the_rest_of_the_body() -> None:
    row = SCHEDULES["lite"]
    network = build_model("cnninmo", {"preset": "lite"}, "small").network
    optimiser = make_optimiser(network, row)
    shares = {id(p): group["share"] for group in optimiser.param_groups for p in group["params"]}
    for name, parameter in network.named_parameters():
        words = name.split(".")
        if words[:2] != ["backbone", "body"]:
            expected: float | None = 1.0
        elif words[2] == "stem" or int(words[3]) <= 4:
            expected = None
        else:
            expected = 0.15
        assert shares.get(id(parameter)) == expected, name
        assert parameter.requires_grad is (expected is not None), name
    freeze(network, row, 0, 10)
    body = network.get_submodule("backbone.body")
    assert not body.get_submodule("blocks.4").training
    assert body.get_submodule("blocks.10").training
