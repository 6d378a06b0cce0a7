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

from inmo.trackers.families.transinmo import TransInMoConfig, around, build_network, for_dataset, key_map
from inmo.trackers.networks.layers import sine_encoding
from inmo.trackers.networks.matching import depthwise_correlation
from inmo.trackers.pipeline.assembly import MatchingNetwork
from tests.parity import golden_rules as rules

pytestmark = pytest.mark.shared
DW = TransInMoConfig()
STAR = replace(DW, matching="transt")
SETS = {"LASOTTEST": "lasot", "OTB2015": "otb100"}


@lru_cache
def golden(shared: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(shared / "reference" / "golden" / f"{name}.npz") as stored:
        return dict(stored)


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


def our_capture(capture: str, captures: rules.Captures) -> torch.Tensor:
    """The tensor of ours that a capture ``<phase>.<official module>.call<k>[.out<j>]`` names."""
    phase, _, rest = capture.partition(".")
    module, _, rest = rest.rpartition(".call")
    call, _, out = rest.partition(".out")
    if module == "backbone.1":
        side = {"template": 16, "search": 32}[phase]
        return sine_encoding(side, side, 256, torch.device("cpu"))
    where = (phase, key_map(module + ".").rstrip("."), int(call))
    if module == "neck.input_proj":  # ours projects the template once, before any frame
        where = (("template", "search")[int(call)], module, 0)
    tensor = captures[where][int(out or 0)]
    if module.endswith("patch_embed"):
        tensor = tensor.permute(0, 3, 1, 2)
    return tensor


def test_star_intermediates_and_outputs(shared: Path) -> None:
    stored, network = golden(shared, "transinmo_star"), filled(shared, "transinmo_star", STAR)
    z, x = rules.rgb_inputs()
    phase = ["template"]
    with rules.recording(network, phase) as captures:
        features = network.template(z)
        phase[0] = "search"
        outputs = network.search(x, features)
    names = rules.captured(stored)
    assert len(names) == 80
    for name in names:
        rules.assert_capture(stored, name, our_capture(name, captures))
    rules.assert_final(stored, ("final.cls", "final.reg"), outputs)


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
    with np.load(shared / "reference" / "golden" / f"{name}.trace.npz") as stored:
        expected, score = stored[f"{hp}.boxes"], stored[f"{hp}.score"]
    boxes, scores = rules.trace(around(filled(shared, name, config), for_dataset(config, SETS[hp]), "cpu"))
    np.testing.assert_allclose(boxes, expected, rtol=0, atol=rules.PIXELS)
    np.testing.assert_allclose(scores, score, rtol=0, atol=1e-4)


def test_targets_in_one_call_get_the_boxes_of_single_calls(shared: Path) -> None:
    tracker = around(filled(shared, "transinmo_star", STAR), for_dataset(STAR, "otb100"), "cpu")
    images = rules.frames()[:4]
    starts = rules.FIRST_BOX + np.array([[0.0, 0, 0, 0], [60, 40, 10, -6]])
    together = tracker.init([images[0]] * 2, starts)
    alone = [tracker.init(images[:1], starts[i : i + 1]) for i in range(2)]
    for image in images[1:]:
        step = tracker.step([image] * 2, together)
        together = step.state
        for lane, state in enumerate(alone):
            single = tracker.step([image], state)
            alone[lane] = single.state
            np.testing.assert_allclose(step.boxes[lane], single.boxes[0], rtol=0, atol=rules.PIXELS)


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
