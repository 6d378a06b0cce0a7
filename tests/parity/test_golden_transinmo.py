"""TransInMo and TransInMo*, released: every stored output, intermediate and trace box of the official modules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inmo.trackers.families.transinmo import TRANSINMO, TRANSINMO_STAR, TransInMoConfig, build_network, key_map
from inmo.trackers.networks.matching import depthwise_correlation
from inmo.trackers.pipeline.assembly import MatchingNetwork
from tests.parity import golden_rules as rules
from tests.trackers.lock_step import assert_lock_step

pytestmark = pytest.mark.shared
DW = TransInMoConfig()
STAR = replace(DW, matching="transt")
SETS = {"LASOTTEST": "lasot", "OTB2015": "otb100"}


golden = lru_cache(rules.golden)


@lru_cache
def filled(shared: Path, name: str, config: TransInMoConfig) -> MatchingNetwork:
    network = build_network(config)
    rules.fill(network, shared, name, key_map)
    return network


@pytest.fixture(autouse=True)
def no_grad() -> Iterator[None]:
    with torch.no_grad():
        yield


def run(network: MatchingNetwork) -> tuple[torch.Tensor, ...]:
    z, x = rules.rgb_inputs()
    return network.search(x, network.template(z))


def test_star_intermediates_and_outputs(shared: Path) -> None:
    stored, network = golden(shared, "transinmo_star"), filled(shared, "transinmo_star", STAR)
    rules.assert_matching(network, stored, key_map, 80, ("final.cls", "final.reg"))


VARIANTS: dict[str, dict[str, Any]] = {
    "cross7": {"cross_window": 7},
    "notca": {"tca": False},
    "enc0": {"encoder_layers": 0},
    "enc1": {"encoder_layers": 1},
    "enc2": {"encoder_layers": 2},
    "enc3": {"encoder_layers": 3},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_star_variants(shared: Path, variant: str) -> None:
    whole = filled(shared, "transinmo_star", STAR)
    network = build_network(replace(STAR, **VARIANTS[variant])).eval()
    state = whole.state_dict()
    network.load_state_dict({key: state[key] for key in network.state_dict()})
    names = (f"{variant}.final.cls", f"{variant}.final.reg")
    rules.assert_final(golden(shared, "transinmo_star"), names, run(network))


def test_dw_correlation_and_outputs(shared: Path) -> None:
    stored, network = golden(shared, "transinmo"), filled(shared, "transinmo", DW)
    z, x = rules.rgb_inputs()
    zf, memories = network.backbone.template(z)
    xf = network.backbone.search(x, memories)
    for prefix, padded in (("", False), ("pad.", True)):
        response = depthwise_correlation(xf, zf, padded=padded)
        rules.assert_capture(stored, f"{prefix}search.corr", response)
        mean = network.head((response / 256).flatten(2).transpose(1, 2))
        rules.assert_final(stored, (f"{prefix}mean.final.cls", f"{prefix}mean.final.reg"), mean)
    rules.assert_final(stored, ("pad.mean.final.cls", "pad.mean.final.reg"), run(network))


@pytest.mark.parametrize(
    ("name", "config", "hp"),
    [("transinmo_star", STAR, "LASOTTEST"), ("transinmo_star", STAR, "OTB2015"), ("transinmo", DW, "LASOTTEST")],
    ids=["star-lasot", "star-otb", "dw-lasot"],
)
def test_traces(shared: Path, name: str, config: TransInMoConfig, hp: str) -> None:
    tracker = TRANSINMO.around(filled(shared, name, config), TRANSINMO.for_dataset(config, SETS[hp]), "cpu")
    rules.assert_trace(tracker, golden(shared, f"{name}.trace"), hp)


def test_targets_in_one_call_get_the_boxes_of_single_calls(shared: Path) -> None:
    star = TRANSINMO_STAR.for_dataset(STAR, "otb100")
    tracker = TRANSINMO_STAR.around(filled(shared, "transinmo_star", STAR), star, "cpu")
    starts = rules.FIRST_BOX + np.array([[0.0, 0, 0, 0], [60, 40, 10, -6]])
    assert_lock_step(tracker, [rules.frames()[:4]] * 2, starts, pixels=rules.PIXELS)


@pytest.mark.parametrize(("name", "config"), [("transinmo_star", STAR), ("transinmo", DW)], ids=["star", "dw"])
def test_written_attention_equals_fused(shared: Path, name: str, config: TransInMoConfig) -> None:
    fused, written = filled(shared, name, config), build_network(replace(config, attention="written")).eval()
    written.load_state_dict(fused.state_dict())
    for a, b in zip(run(fused), run(written), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5 * max(1.0, a.std().item()), rtol=0)


@pytest.mark.parametrize(("name", "config"), [("transinmo_star", STAR), ("transinmo", DW)], ids=["star", "dw"])
def test_bf16_follows_fp32(shared: Path, name: str, config: TransInMoConfig) -> None:
    """Eight bits of mantissa through some thirty layers: logits within a tenth of their deviation, boxes within 2 %
    of the search region's side (measured: 0.03 and 0.7 %)."""
    network = filled(shared, name, config)
    logits, boxes = run(network)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded_logits, rounded_boxes = (output.float() for output in run(network))
    assert (logits - rounded_logits).abs().max() <= 0.1 * logits.std()
    assert (boxes - rounded_boxes).abs().max() <= 0.02
