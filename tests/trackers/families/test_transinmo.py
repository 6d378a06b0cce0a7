"""Configs, presets, ablation rows and building blocks of the transformer trackers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from inmo.errors import UserError
from inmo.trackers import tracker
from inmo.trackers.base import config_hash
from inmo.trackers.families.transinmo import TRANSINMO, TransInMoConfig, build_network
from inmo.trackers.families.transt import TransTConfig
from inmo.trackers.families.transt import build_network as build_transt
from inmo.trackers.inspect.describe import describe, shares, table
from inmo.trackers.inspect.stages import built_stages
from inmo.trackers.networks.heads import BoxHead
from inmo.trackers.networks.inbn import InBN, StageSize
from inmo.trackers.networks.matching import DepthwiseNeck
from inmo.trackers.networks.swin import Windows, cut_windows, merge_windows, shift_mask
from inmo.trackers.pipeline.assembly import MatchingNetwork
from inmo.trackers.pipeline.neural import NeuralTracker, State, resolve_device
from tests.ablations import TABLES, ablation
from tests.trackers.lock_step import assert_lock_step

NANO = TransInMoConfig(preset="nano", allow_random_weights=True)
FRAMES = [np.random.default_rng(i).integers(0, 256, (120, 160, 3)).astype(np.uint8) for i in range(4)]
BOXES = np.array([[20.0, 30.0, 40.0, 24.0], [70.0, 40.0, 30.0, 50.0], [100.0, 10.0, 20.0, 20.0]])


def run(config: Any, name: str = "transinmo") -> np.ndarray:
    """Boxes of three targets over three frames, in lock-step: (3, 3, 4)."""
    made = tracker(name).build(config, "cpu")
    state = made.init([FRAMES[0]] * 3, BOXES)
    boxes = []
    for frame in FRAMES[1:]:
        step = made.step([frame] * 3, state)
        state = step.state
        boxes.append(step.boxes)
    return np.array(boxes)


ROWS = [(table, row) for table in TABLES for row in TABLES[table]]


@pytest.mark.parametrize(("which", "row"), ROWS)
def test_every_ablation_row_runs_as_nano(which: str, row: str) -> None:
    name, config = ablation(which, row, preset="nano", allow_random_weights=True)
    boxes = run(config, name)
    assert np.isfinite(boxes).all()
    assert (boxes[..., 2:] >= 10).all()
    assert describe(build_network(config))[-1].parameters < 1.1e6


def test_ablation_rows_differ_where_they_should() -> None:
    assert [len(rows) for rows in TABLES.values()] == [4, 6]
    hashes = {
        config_hash(name, TRANSINMO.for_dataset(config, "lasot")) for name, config in (ablation(*row) for row in ROWS)
    }
    assert len(hashes) == 9  # the full row of table 4 is the four-layer row of table 5
    sizes = {row: describe(build_network(ablation("table4", row, preset="nano")[1]))[-1] for row in TABLES["table4"]}
    assert sizes["wp"].parameters == sizes["no-wp-no-tca"].parameters
    assert sizes["wp-tca"].parameters > sizes["wp"].parameters
    assert sizes["wp-tca"].search < sizes["tca"].search


@pytest.mark.parametrize(
    "changes",
    [
        {"interaction": "released"},
        {"interaction": "released", "cross_window": 4, "matching": "transt"},
        {"tca": (False, True, False, True)},
        {"csa": False, "mlp_ratio": 0.0, "prenorm": False},
        {"window": 7},
        {"tcas": 2, "order": "tca-csa"},
        {"box_reference": "search", "penalty_k": 0.1, "lr": 0.5},
    ],
    ids=str,
)
def test_nano_variants_run(changes: dict[str, Any]) -> None:
    assert np.isfinite(run(replace(NANO, **changes))).all()


def test_tcas_are_in_the_last_gims_of_stages_that_have_one() -> None:
    deep = replace(NANO, depths=(1, 2, 3, 2), tca=(True, True, True, False))
    for tcas, wanted in ((1, [(1,), (2,), (3,), ()]), (2, [(1,), (1, 2), (2, 3), ()])):
        stages = built_stages(build_network(replace(deep, tcas=tcas)))
        assert [stage.tca for stage in stages[:4]] == wanted


def test_every_tca_asks_the_template_of_its_own_gim() -> None:
    network = build_network(replace(NANO, depths=(2, 1, 1, 1), tcas=2)).eval()
    x = torch.randn(1, 3, network.search_size, network.search_size)
    templates = torch.randn(2, 1, 3, network.template_size, network.template_size)
    with torch.no_grad():
        one, other = (network.template(z) for z in templates)
        (first, second), *rest = one.memories
        (other_first, _), *_ = other.memories
        mixed = one._replace(memories=((other_first, second), *rest))
        plain, changed = (network.backbone.search(x, f.memories) for f in (one, mixed))
    assert first.key.shape == second.key.shape and not torch.allclose(plain, changed)


def test_fused_equals_written() -> None:
    for changes in ({}, {"interaction": "released"}, {"matching": "transt"}, {"window": 7}):
        config = replace(NANO, **changes)
        networks = [build_network(replace(config, attention=kind)).eval() for kind in ("fused", "written")]
        networks[1].load_state_dict(networks[0].state_dict())
        z, x = (torch.randn(2, 3, side, side) for side in (networks[0].template_size, networks[0].search_size))
        with torch.no_grad():
            a, b = (network.search(x, network.template(z)) for network in networks)
        for ours, theirs in zip(a, b, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_lock_step_equals_single_targets_and_lanes_can_be_taken_out() -> None:
    for name, config in (("transinmo", NANO), ("transinmo-star", replace(NANO, matching="transt", window=7))):
        made = tracker(name).build(config, "cpu")
        together = assert_lock_step(made, [FRAMES] * 3, BOXES)
        swapped = State.join([together.take([2]), together.take([0, 1])])
        a, b = made.step([FRAMES[0]] * 3, together), made.step([FRAMES[0]] * 3, swapped)
        np.testing.assert_allclose(a.boxes[[2, 0, 1]], b.boxes, rtol=0, atol=1e-2)


def test_random_weights_need_a_word_and_depend_on_the_seed(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UserError, match="has no weights"):
        TRANSINMO.build(replace(NANO, allow_random_weights=False), "cpu")
    assert np.array_equal(run(NANO), run(NANO))
    assert "RANDOM weights" in caplog.text
    assert not np.array_equal(run(NANO), run(replace(NANO, seed=1)))
    before = torch.random.get_rng_state()
    TRANSINMO.build(NANO, "cpu")
    assert torch.equal(before, torch.random.get_rng_state())


def test_weights_of_the_paper_sense_round_trip(tmp_path: Path) -> None:
    network = build_network(NANO)
    save_file(network.state_dict(), tmp_path / "own.safetensors")
    loaded = TRANSINMO.build(replace(NANO, weights=str(tmp_path / "own.safetensors")), "cpu").network
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), loaded.parameters(), strict=True))
    with pytest.raises(UserError, match="missing"):
        TRANSINMO.build(replace(NANO, weights=str(tmp_path / "own.safetensors"), matching="transt"), "cpu")


def test_presets_choose_the_sense() -> None:
    assert TransInMoConfig().filled().interaction == "released"
    assert NANO.filled().interaction == "paper"
    paper = TransInMoConfig(interaction="paper").filled()
    assert (paper.widths, paper.depths, paper.window, paper.dim) == ((96, 192, 384, 768), (2, 2, 6, 2), 7, 256)
    assert paper.filled() == paper


@pytest.mark.parametrize(
    "changes",
    [
        {"preset": "nanno"},
        {"matching": "dww"},
        {"interaction": "published"},
        {"attention": "flash"},
        {"precision": "fp8"},
        {"interaction": "released", "wp": False},
        {"tca": (True, False)},
        {"tcas": 0},
        {"tcas": 3},
        {"order": "csa-csa"},
        {"interaction": "released", "order": "tca-csa"},
        {"interaction": "released", "tcas": 2},
        {"lr": 1.5},
    ],
    ids=str,
)
def test_impossible_values_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        replace(NANO, **changes)


def test_constants_come_from_the_dataset_unless_given() -> None:
    released = replace(NANO, interaction="released")
    assert TRANSINMO.for_dataset(released, "otb100").penalty_k == 0.147
    assert TRANSINMO.for_dataset(released, "folder").lr == 1.0
    assert TRANSINMO.for_dataset(released, "otb100") != TRANSINMO.for_dataset(released, "lasot")
    for dataset in ("otb100", "folder"):  # the small presets bring constants of their own, the same everywhere
        assert (TRANSINMO.for_dataset(NANO, dataset).penalty_k, TRANSINMO.for_dataset(NANO, dataset).lr) == (0.1, 0.15)
        assert TRANSINMO.for_dataset(replace(NANO, penalty_k=0.3), dataset).penalty_k == 0.3
    hashes = {config_hash("transinmo", TRANSINMO.for_dataset(released, name)) for name in ("otb100", "lasot")}
    assert len(hashes) == 2


@pytest.mark.parametrize("box", [[1.0, 2.0, 0.0, 4.0], [1.0, np.nan, 3.0, 4.0]])
def test_broken_first_boxes_are_refused(box: list[float]) -> None:
    with pytest.raises(UserError, match="first box"):
        TRANSINMO.build(NANO, "cpu").init(FRAMES[:1], np.array([box]))


def test_unusable_device_is_named() -> None:
    with pytest.raises(UserError, match="device 'tpu9'"):
        resolve_device("tpu9")


@pytest.mark.parametrize("side", [7, 8, 16])
def test_windows_have_an_inverse(side: int) -> None:
    maps = torch.randn(2, side, side + 3, 4)
    for shift in (0, 3):
        grid = Windows(side, side + 3, 7, shift)
        assert torch.equal(merge_windows(cut_windows(maps, grid), grid), maps)


def test_shift_mask_separates_what_the_roll_brought_together() -> None:
    grid = Windows(8, 8, 4, 2)
    mask = shift_mask(grid, torch.device("cpu"))
    assert mask is not None
    assert shift_mask(grid._replace(shift=0), torch.device("cpu")) is None
    # tokens of one window may meet only if they were neighbours before the roll
    places = torch.arange(64.0).view(1, 8, 8, 1)
    rows, columns = (cut_windows(v, grid)[..., 0] for v in (places // 8, places % 8))
    apart = ((rows[:, :, None] - rows[:, None]).abs() > 3) | ((columns[:, :, None] - columns[:, None]).abs() > 3)
    assert torch.equal(mask[:, 0] != 0, apart)


def test_paper_backbone_has_table_1s_shapes() -> None:
    sizes = tuple(
        StageSize(p, c, d, 4, True) for p, c, d in zip((4, 2, 2, 1), (96, 192, 384, 768), (2, 2, 6, 2), strict=True)
    )
    with torch.device("meta"):
        net = InBN(sizes, width=256, window=7, dim=256, csa=True, mlp_ratio=4.0, prenorm=True, fused=True)
        features, shapes = torch.empty(1, 256, 256, 3), []
        for stage in net.stages:
            features, memory = stage.template(features)  # type: ignore[operator]
            shapes.append(tuple(features.shape[1:]))
            assert memory is not None
        fused, _ = net.template(torch.empty(1, 3, 256, 256))
    assert shapes == [(64, 64, 96), (32, 32, 192), (16, 16, 384), (16, 16, 768)]
    assert fused.shape == (1, 256, 32, 32)
    with_tca = [name for name, module in net.named_modules() if getattr(module, "part", "") == "TCA"]
    assert with_tca == ["stages.0.gims.1.tca", "stages.1.gims.1.tca", "stages.2.gims.5.tca", "stages.3.gims.1.tca"]


@pytest.mark.parametrize(
    ("network", "parameters", "template", "search", "parts"),
    [
        (TransInMoConfig(), 28_417_472, 2_318_099_584, 8_439_329_664, (28_152_762, 0, 264_710)),
        (
            TransInMoConfig(matching="transt"),
            34_341_312,
            2_318_099_584,
            15_905_190_784,
            (28_152_762, 5_923_840, 264_710),
        ),
        (TransTConfig(), 23_016_006, 2_404_122_624, 23_006_281_728, (8_543_296, 13_945_600 + 262_400, 264_710)),
    ],
    ids=["transinmo", "transinmo-star", "transt"],
)
def test_published_sizes(network: Any, parameters: int, template: int, search: int, parts: tuple[int, ...]) -> None:
    with torch.device("meta"):
        made = build_transt(network) if isinstance(network, TransTConfig) else build_network(network)
    rows = describe(made)
    total = rows[-1]
    assert (total.parameters, total.released_template, total.released_search) == (parameters, template, search)
    assert tuple(row.parameters for row in rows if ":" not in row.name)[:-1] == parts
    assert sum(row.search for row in rows[:-1] if ":" not in row.name) == total.search
    assert f"{parameters:,}" in table(rows)


def test_shares_of_the_interaction() -> None:
    with torch.device("meta"):
        found = shares(describe(build_network(TransInMoConfig(matching="transt"))))
    assert found["WP"] == (0.0, 0.0)
    assert found["TCA"][0] == 0.0  # released: no parameters of its own
    assert 0.0 < found["TCA"][1] < 0.05
    assert shares(describe(build_transt(TransTConfig(preset="nano")))) == {}


@pytest.mark.parametrize("name", ["transinmo", "transinmo-star", "transt"])
def test_bf16_follows_fp32(name: str) -> None:
    """bf16 keeps 8 bits: logits within 6 % of their largest, boxes within 2 % of the search region's side."""
    config = replace(tracker(name).config, preset="nano", allow_random_weights=True)
    outputs = []
    for precision in ("fp32", "bf16"):
        made = tracker(name).build(replace(config, precision=precision), "cpu")
        network: Any = made.network  # type: ignore[attr-defined]
        sides = network.template_size, network.search_size
        z, x = (torch.randn(2, 3, s, s, generator=torch.Generator().manual_seed(s)) for s in sides)
        with torch.no_grad(), made._arithmetic():  # type: ignore[attr-defined]
            outputs.append([o.float() for o in network.search(x, network.template(z))])
    (logits, boxes), (logits16, boxes16) = outputs
    assert (logits - logits16).abs().max() <= 0.06 * logits.abs().max()
    assert (boxes - boxes16).abs().max() <= 0.02


@pytest.mark.slow
def test_compiled_follows_eager() -> None:
    """Two stages with padded windows and the depth-wise neck: compiling the whole takes minutes on a small machine."""
    sizes = (StageSize(4, 8, 1, 2, True), StageSize(2, 8, 1, 2, True))
    backbone = InBN(sizes, width=8, window=3, dim=8, csa=True, mlp_ratio=1.0, prenorm=True, fused=True)
    network = MatchingNetwork(backbone, DepthwiseNeck(8, True), BoxHead(8, "cell"), template_size=32, search_size=64)
    recipe = TRANSINMO.build(NANO, "cpu").recipe
    z, x = torch.randn(1, 3, 32, 32), torch.randn(1, 3, 64, 64)
    outputs = []
    for compiled in (False, True):
        made = NeuralTracker(network, recipe, "cpu", replace(NANO, compile=compiled))
        with torch.inference_mode():
            outputs.append(made._search(x, made._template(z)))
    for eager, other in zip(*outputs, strict=True):
        torch.testing.assert_close(eager, other, atol=1e-5, rtol=0)
