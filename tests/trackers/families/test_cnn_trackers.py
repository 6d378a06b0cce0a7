"""SiamCAR and CNNInMo at nano size: batches, folding, toggles, configs, precision; and their shared parts by hand."""

from __future__ import annotations

import copy
import logging
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from inmo.errors import UserError
from inmo.trackers import tracker
from inmo.trackers.base import config_hash
from inmo.trackers.families.cnninmo import CNNInMo, CNNInMoConfig
from inmo.trackers.families.cnninmo import build_network as build_cnninmo
from inmo.trackers.families.siamcar import SiamCARConfig, crop_centre
from inmo.trackers.families.siamcar import build_network as build_siamcar
from inmo.trackers.inspect.describe import describe
from inmo.trackers.networks.interactions import ConvAttention, linear_attention
from inmo.trackers.networks.resnet import SiamCARResNet, TransTResNet, fold_batch_norms
from inmo.trackers.pipeline.checkpoint import load_state_dict
from inmo.trackers.pipeline.neural import NeuralTracker, State

NANO: Any = {"preset": "nano", "allow_random_weights": True, "pixelwise": False}
ROWS: dict[str, tuple[str, Any]] = {
    "siamcar": ("siamcar", SiamCARConfig(**NANO)),
    "cnninmo paper": ("cnninmo", CNNInMoConfig(**NANO)),
    "cnninmo released": ("cnninmo", CNNInMoConfig(**NANO, interaction="released")),
    "no wp": ("cnninmo", CNNInMoConfig(**NANO, wp=False)),
    "no tca": ("cnninmo", CNNInMoConfig(**NANO, tca=False)),
    "tca in two stages": ("cnninmo", CNNInMoConfig(**NANO, tca=(False, True, False, True))),
    "no csa": ("cnninmo", CNNInMoConfig(**NANO, csa=False)),
    "nothing": ("cnninmo", CNNInMoConfig(**NANO, tca=False, csa=False)),
    "released, no wp": ("cnninmo", CNNInMoConfig(**NANO, interaction="released", wp=False)),
    "released, tca in two stages": (
        "cnninmo",
        CNNInMoConfig(**NANO, interaction="released", tca=(True, False, True, False)),
    ),
}


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def start(row: str, **values: Any) -> NeuralTracker:
    name, config = ROWS[row]
    spec = tracker(name)
    built: NeuralTracker = spec.build(spec.for_dataset(replace(config, **values), "otb100"), "cpu")
    return built


def film(seed: int, length: int = 4) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    base = np.kron(rng.integers(0, 256, (12, 16, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    return [np.roll(base, (t * 3, t * 5), (0, 1)) for t in range(length)]


FILMS = [film(seed) for seed in range(3)]
BOXES = np.array([[20.0, 30, 40, 25], [100, 60, 20, 30], [-5, 90, 50, 45]])


def follow(with_tracker: NeuralTracker, lanes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (T, B, 4) and scores (T, B) of some of the films in lock-step."""
    state = with_tracker.init([FILMS[i][0] for i in lanes], BOXES[lanes])
    boxes, scores = [], []
    for t in range(1, len(FILMS[0])):
        step = with_tracker.step([FILMS[i][t] for i in lanes], state)
        state = step.state
        boxes.append(step.boxes)
        scores.append(step.scores)
    return np.array(boxes), np.array(scores)


@pytest.mark.parametrize("row", ROWS)
def test_a_batch_gives_the_boxes_of_single_calls(row: str) -> None:
    with_tracker = start(row)
    together, scores = follow(with_tracker, [0, 1, 2])
    alone = [follow(with_tracker, [i]) for i in range(3)]
    np.testing.assert_allclose(together, np.concatenate([b for b, _ in alone], axis=1), rtol=0, atol=1e-2)
    np.testing.assert_allclose(scores, np.concatenate([s for _, s in alone], axis=1), rtol=0, atol=1e-4)
    assert np.isfinite(together).all() and np.isnan(scores).all() == (row == "siamcar")
    assert len({tuple(box) for box in together[-1].round(3).tolist()}) == 3


def test_lanes_can_be_taken_out_and_joined() -> None:
    with_tracker = start("cnninmo paper")
    both = with_tracker.init([FILMS[i][0] for i in (0, 1)], BOXES[[0, 1]])
    joined = State.join([both.take([1]), both.take([0])])
    first = with_tracker.step([FILMS[1][1], FILMS[0][1]], joined).boxes
    np.testing.assert_allclose(first[::-1], with_tracker.step([FILMS[i][1] for i in (0, 1)], both).boxes, atol=1e-3)


@pytest.mark.parametrize("row", ROWS)
def test_nano_networks_are_small(row: str) -> None:
    name, config = ROWS[row]
    network = build_siamcar(config) if name == "siamcar" else build_cnninmo(config)
    assert describe(network)[-1].parameters <= 1_050_000


def test_toggles_take_parts_away() -> None:
    sizes = {row: describe(build_cnninmo(ROWS[row][1]))[-1] for row in ROWS if row != "siamcar"}
    paper = sizes["cnninmo paper"]
    assert sizes["no wp"].parameters == paper.parameters and sizes["no wp"].search > paper.search
    assert sizes["nothing"].parameters < sizes["no tca"].parameters < sizes["tca in two stages"].parameters
    assert sizes["tca in two stages"].parameters < paper.parameters
    assert sizes["nothing"].parameters == describe(build_siamcar(ROWS["siamcar"][1]))[-1].parameters


@pytest.mark.parametrize("make", [SiamCARResNet, TransTResNet])
def test_folding_batch_norms_keeps_the_function(make: Any) -> None:
    torch.manual_seed(0)
    network = make((8, 16, 24, 32)[: 4 if make is SiamCARResNet else 3], (2,) * (4 if make is SiamCARResNet else 3), 16)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            nn.init.normal_(module.weight, 1.0, 0.2)
            nn.init.normal_(module.bias)
    network.eval()
    image = torch.rand(2, 3, 63, 63)
    with torch.no_grad():
        expected = network(image)
        folded = fold_batch_norms(copy.deepcopy(network))
        for ours, theirs in zip(folded(image), expected, strict=True):
            assert (ours - theirs).abs().max() <= 1e-4 * theirs.std()
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())


def test_linear_attention_by_its_formula() -> None:
    torch.manual_seed(0)
    for length, keys in ((5, 3), (4, 40)):  # both orders of the products
        q, k, v = (torch.randn(2, n, 3).double() for n in (length, keys, keys))
        expected = torch.zeros(2, length, 3).double()
        for b in range(2):
            for i in range(length):
                channels = (q[b, i] / 3**0.5).exp() / (q[b, i] / 3**0.5).exp().sum()
                for j in range(keys):
                    expected[b, i] += (channels * k[b, j]).sum() * v[b, j]
        torch.testing.assert_close(linear_attention(q, k, v), expected)


def test_released_attention_runs_across_windows() -> None:
    """A change of one position reaches only positions alike inside their windows, in the template and here."""
    torch.manual_seed(0)
    part = ConvAttention(8, 2, 4, "TCA").eval()
    for conv in (part.query, part.key, part.value, part.map):  # 1x1 in effect: no leak between neighbours
        with torch.no_grad():
            keep = conv.weight[:, :, 1, 1].clone()
            conv.weight.zero_()
            conv.weight[:, :, 1, 1] = keep
    search, template = torch.randn(1, 8, 9, 10), torch.randn(1, 8, 7, 7)
    changed = template.clone()
    changed[0, :, 5, 2] += 1.0  # in-window position (1, 2)
    with torch.no_grad():
        moved = (part(search, part.memory(changed)) - part(search, part.memory(template))).abs().sum(1)[0] > 1e-6
    rows, columns = np.nonzero(moved.numpy())
    assert set(rows % 4) == {1} and set(columns % 4) == {2} and len(rows) == 2 * 2  # rows 1, 5; columns 2, 6


def test_the_template_alone_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and values remembered are those that would be computed anew, and a frame computes none of them."""
    network = build_cnninmo(ROWS["cnninmo released"][1]).eval()
    with torch.no_grad():
        features = network.template(torch.rand(1, 3, 63, 63) * 255)
        called: list[int] = []
        for i, interaction in enumerate(network.backbone.interactions):
            interaction.tca.key.register_forward_hook(lambda *_, i=i: called.append(i))
        network.search(torch.rand(1, 3, 127, 127) * 255, features)
    assert called == []


def test_crop_centre_takes_the_official_cells() -> None:
    cells = torch.arange(15.0).expand(1, 1, 15, 15)
    assert crop_centre(cells, 7)[0, 0, 0].tolist() == [4, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("row", ["siamcar", "cnninmo paper", "cnninmo released"])
def test_bfloat16_stays_near(row: str) -> None:
    exact, rough = start(row), start(row, precision="bf16")
    boxes = [follow(t, [0, 1])[0][0] for t in (exact, rough)]
    # One frame: afterwards the search regions differ and an arg-max may flip. bfloat16 keeps 8 bits.
    np.testing.assert_allclose(boxes[1][:, 2:], boxes[0][:, 2:], rtol=0.05)


@pytest.mark.slow
def test_compiled_gives_the_same_boxes() -> None:
    small = {"depths": (1, 1, 1, 1), "tca": (False, False, True, True)}  # all that there is, compiled quickly
    for seed in (0, 1):  # what was compiled for one network holds its parameters, and must not serve the next
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled, _ = follow(start("cnninmo paper", compile=True, seed=seed, **small), [0])
        expected = follow(start("cnninmo paper", seed=seed, **small), [0])[0]
        np.testing.assert_allclose(compiled, expected, rtol=0, atol=1e-2)


def test_fused_and_written_attention_agree() -> None:
    torch.manual_seed(0)
    fused = build_cnninmo(ROWS["cnninmo paper"][1]).eval()
    written: CNNInMo = build_cnninmo(replace(ROWS["cnninmo paper"][1], attention="written")).eval()
    written.load_state_dict(fused.state_dict())
    z, x = torch.rand(1, 3, 63, 63) * 255, torch.rand(1, 3, 127, 127) * 255
    with torch.no_grad():
        for ours, theirs in zip(
            fused.search(x, fused.template(z)), written.search(x, written.template(z)), strict=True
        ):
            assert (ours - theirs).abs().max() <= 1e-5 * max(1.0, theirs.abs().max())


def test_scores_that_are_not_finite_are_an_error() -> None:
    broken = start("siamcar")
    torch.nn.init.constant_(broken.network.head.cls_logits.weight, torch.nan)  # type: ignore[union-attr,arg-type]
    with pytest.raises(UserError, match="network's logits are not finite: its weights are damaged"):
        follow(broken, [0])


def test_random_weights_must_be_wanted(caplog: pytest.LogCaptureFixture) -> None:
    spec = tracker("siamcar")
    with pytest.raises(UserError, match=r"SiamCAR has no weights.*--allow-random-weights"):
        spec.build(SiamCARConfig(preset="nano"), "cpu")
    with caplog.at_level(logging.WARNING):
        start("siamcar")
    assert "RANDOM" in caplog.text


@pytest.mark.parametrize("row", ["siamcar", "cnninmo paper", "cnninmo released"])
def test_weights_from_a_file(tmp_path: Path, row: str) -> None:
    name, config = ROWS[row]
    torch.manual_seed(5)
    network = build_siamcar(config) if name == "siamcar" else build_cnninmo(config)
    state = network.state_dict()
    if row == "cnninmo paper":
        torch.save(state, tmp_path / "w.pth")
    else:  # under the authors' names, as their files are
        torch.save({"state_dict": {f"module.{theirs(key, name)}": v for key, v in state.items()}}, tmp_path / "w.pth")
    loaded = start(row, weights=str(tmp_path / "w.pth"), allow_random_weights=False)
    assert len(load_state_dict(tmp_path / "w.pth")) == len(state)
    np.testing.assert_allclose(
        loaded.network.head.bbox_pred.weight.detach(),  # type: ignore[union-attr,operator,arg-type]
        state["head.bbox_pred.weight"],
    )
    with pytest.raises(UserError, match="does not fit"):
        start("no csa", weights=str(tmp_path / "w.pth"))


def theirs(key: str, name: str) -> str:
    """The authors' name of one of our parameters, worked backwards by hand."""
    words = key.split(".")
    if words[0] == "neck":
        return f"neck.downsample{int(words[2]) + 2}.downsample.{words[3]}.{words[4]}"
    if name == "siamcar":
        return key.replace("head.down.", "down.") if "head.down" in key else key.replace("head.", "car_head.")
    if "interactions" in words:
        branch = {"tca": "cross", "csa": "self"}[words[3]]
        role = {"query": "map_q", "key": "map_k", "value": "map_v", "map": "proj"}[words[4]]
        return f"backbone.{branch}_{role}.{words[2]}.{words[5]}"
    return key.replace("backbone.body.", "backbone.")


def test_the_hash_follows_what_decides_the_boxes() -> None:
    spec = tracker("cnninmo")
    base = spec.for_dataset(spec.config, "lasot")
    same = config_hash("cnninmo", base)
    assert config_hash("cnninmo", replace(base, allow_random_weights=True)) == same
    assert config_hash("cnninmo", spec.for_dataset(spec.config, "folder")) == same
    assert config_hash("cnninmo", spec.for_dataset(spec.config, "otb100")) != same
    assert config_hash("cnninmo", replace(base, window=5)) != same
    kept = spec.for_dataset(replace(spec.config, window_influence=0.3), "otb100")
    assert (kept.window_influence, kept.penalty_k) == (0.3, 0.2)


@pytest.mark.parametrize(
    "values",
    [{"widths": (1, 2)}, {"depths": (0, 1, 1, 1)}, {"lr": 2.0}, {"window_influence": -0.1}, {"penalty_k": -1.0}],
)
def test_impossible_values(values: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="wants"):
        SiamCARConfig(**values)
    with pytest.raises(UserError, match="wants"):
        CNNInMoConfig(**values)


@pytest.mark.parametrize("values", [{"tca": (True,)}, {"window": 0}, {"heads": 0}, {"dim": 6}])
def test_impossible_values_of_the_interaction(values: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"wants|cannot be split"):
        CNNInMoConfig(**values)
