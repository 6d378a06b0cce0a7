"""What a file of weights says of its training, for whoever it is given to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from inmo.harness.training.checkpoints import read_facts, save_weights
from tests.conftest import ROOT

SHIPPED = sorted([*ROOT.glob("trackers/weights/*.safetensors"), *ROOT.glob("experiments/ablations/*/*.safetensors")])


def words(value: Any) -> Iterator[str]:
    """All strings in nested values."""
    for own in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from words(own)
    if isinstance(value, str):
        yield value


def test_folders_of_whoever_trained_stay_at_home(tmp_path: Path) -> None:
    given = {
        "training": {"initial": "/home/ann/first.safetensors", "data": [{"root": "~/photos"}, {"root": "photos/new"}]},
        "clips": (tmp_path / "calm", "mini", f"otb100={tmp_path}/OTB100", "otb100=OTB100"),
        "steps": 7,
    }
    path = tmp_path / "weights.safetensors"
    save_weights(path, torch.nn.Linear(2, 2), {}, given, half=True)
    known = read_facts(path)
    assert known["training"] == {"initial": "first.safetensors", "data": [{"root": "photos"}, {"root": "photos/new"}]}
    assert known["clips"] == ["calm", "mini", "otb100=OTB100", "otb100=OTB100"] and known["steps"] == 7


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_weights_of_the_project_name_no_folder_of_a_machine(path: Path) -> None:
    assert not [word for word in words(read_facts(path)) if word.startswith(("/", "~"))]
