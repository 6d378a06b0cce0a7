"""TransT, released: every stored output, intermediate and trace box of the official module."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch

from inmo.trackers.families.transt import TransTConfig, around, build_network, key_map
from inmo.trackers.networks.layers import sine_encoding
from inmo.trackers.pipeline.assembly import MatchingNetwork
from tests.parity import golden_rules as rules

pytestmark = pytest.mark.shared


@lru_cache
def filled(shared: Path) -> MatchingNetwork:
    network = build_network(TransTConfig())
    rules.fill(network, shared, "transt", key_map)
    return network


def our_capture(capture: str, captures: rules.Captures) -> torch.Tensor:
    """The tensor of ours that a capture ``<phase>.<official module>.call<k>[.out<j>]`` names."""
    phase, _, rest = capture.partition(".")
    module, _, rest = rest.rpartition(".call")
    call, _, out = rest.partition(".out")
    if module == "backbone.1":
        side = {"template": 16, "search": 32}[phase]
        return sine_encoding(side, side, 256, torch.device("cpu"))
    where = (phase, key_map(module + ".").rstrip("."), int(call))
    if module == "input_proj":  # ours projects the template once, before any frame
        where = (("template", "search")[int(call)], "neck.input_proj", 0)
    return captures[where][int(out or 0)]


def test_intermediates_and_outputs(shared: Path) -> None:
    with np.load(shared / "reference" / "golden" / "transt.npz") as file:
        stored = dict(file)
    network = filled(shared)
    z, x = rules.rgb_inputs()
    phase = ["template"]
    with torch.no_grad(), rules.recording(network, phase) as captures:
        features = network.template(z)
        phase[0] = "search"
        outputs = network.search(x, features)
    names = rules.captured(stored)
    assert len(names) == 24
    for name in names:
        rules.assert_capture(stored, name, our_capture(name, captures))
    rules.assert_final(stored, ("final.pred_logits", "final.pred_boxes"), outputs)


def test_trace(shared: Path) -> None:
    with np.load(shared / "reference" / "golden" / "transt.trace.npz") as stored:
        expected, score = stored["default.boxes"], stored["default.score"]
    boxes, scores = rules.trace(around(deepcopy(filled(shared)), TransTConfig(), "cpu"))
    np.testing.assert_allclose(boxes, expected, rtol=0, atol=rules.PIXELS)
    np.testing.assert_allclose(scores, score, rtol=0, atol=1e-4)
