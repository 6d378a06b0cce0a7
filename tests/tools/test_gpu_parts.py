"""The parts that a GPU is checked with, on the processor: they find what is different, and nothing where nothing is."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import torch

from tests.conftest import ROOT
from tools import gpu_parts

TINY: dict[str, Any] = {"preset": "nano", "device": "cpu"}


@pytest.mark.parametrize("name", ["siamcar", "transinmo-star"])
def test_the_processor_is_equal_to_itself_and_bf16_is_not(name: str) -> None:
    found = gpu_parts.parity([name], precisions=("fp32", "bf16"), frames=3, **TINY)
    outputs, boxes = found["outputs"][name], found["boxes"][name]
    assert outputs["fp32"] == 0 < outputs["bf16"] < 0.2
    assert boxes["fp32"] == 0 < boxes["bf16"]
    assert found["frames"] == 3


def test_outputs_that_differ_are_given_in_parts_of_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"fp32": [torch.tensor([1.0, -4.0])], "bf16": [torch.tensor([1.5, -4.0])]}
    monkeypatch.setattr(gpu_parts, "_outputs", lambda name, preset, precision, device: values[precision])
    monkeypatch.setattr(gpu_parts, "_follow", lambda name, precision, device, frames: values[precision][0].numpy())
    found = gpu_parts.parity(["t"], precisions=("bf16",), frames=2, **TINY)
    assert found == {"outputs": {"t": {"bf16": 0.125}}, "boxes": {"t": {"bf16": 0.5}}, "frames": 2}


def test_a_step_through_the_library_of_several_has_the_same_loss() -> None:
    words = json.dumps({"tracker": "siamcar", "batch": 2, "steps": 1, **TINY})
    done = subprocess.run(
        [sys.executable, "-m", "tools.gpu_parts", "training", words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["library"] == "gloo"
    assert found["together"] == pytest.approx(found["alone"], rel=1e-4)
    assert found["pairs_per_second"].keys() == {"fp32", "bf16"}
