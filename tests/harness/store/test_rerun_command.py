"""The command under a run's provenance, given back to the command line, is the run it came from."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inmo.datasets.base import Hole
from inmo.harness.cli import parse
from inmo.harness.commands.track import Track
from inmo.harness.run.setup import configure
from inmo.harness.store.records import Run, StoredDataset
from inmo.harness.store.rerun_command import repeat_command, shipped_weights
from inmo.paths import ROOT
from inmo.trackers.base import config_hash, file_sha256, identity

FURTHER = "experiments/ablations/resolution/lite-192-seed0.safetensors"
OTB = StoredDataset("otb100", "otb100", "OTB100", "pysot", 1, "/data/my OTB", ("a",))


def _run(name: str, config: Any, label: str = "") -> Run:
    return Run(name, name, config_hash(name, config), label, identity(name, config))


@pytest.mark.parametrize(
    ("name", "overrides", "preset"),
    [
        ("csrt", {}, None),
        ("cnninmo", {}, "lite"),
        ("transt", {"window_influence": "0.1", "encoder_layers": "4"}, "nano"),
        ("transinmo-star", {}, "nano"),
    ],
)
def test_command_leads_back_to_the_hash(name: str, overrides: dict[str, str], preset: str | None) -> None:
    config = configure(name, overrides, {"preset": preset}).on("otb100")
    run = _run(name, config, "my 'own'")
    words = shlex.split(repeat_command(run, OTB))
    assert words[:2] == ["python", "run_all.py"]
    command = parse(words[2:])
    assert isinstance(command, Track)
    assert command.dataset == ("otb100=/data/my OTB",)
    assert command.label == "my 'own'"
    from inmo.harness.commands.shared import setups_of

    (setup,) = setups_of(command.tracker, command.network, command.allow_random_weights)
    assert config_hash(setup.spec.name, setup.on("otb100")) == run.hash


def test_files_are_named_where_their_content_is_known(tmp_path: Path) -> None:
    run = Run("siamcar", "SiamCAR", "a" * 12, "", {"name": "siamcar", "weights": {"sha256": "ab"}, "preset": "full"})
    assert "--weights FILE --set preset=full" in repeat_command(run, OTB, {})
    assert "--weights w.safetensors" in repeat_command(run, OTB, {"ab": "w.safetensors"})
    known = shipped_weights()
    assert all(len(digest) == 64 and (ROOT / path).is_file() for digest, path in known.items())
    assert {"trackers/weights/transinmo-lite.safetensors", FURTHER} <= set(known.values())
    digest = file_sha256(ROOT / FURTHER)
    assert f"--weights {FURTHER}" in repeat_command(replace(run, identity={"weights": {"sha256": digest}}), OTB)


def test_datasets_with_labels_and_holes() -> None:
    data = StoredDataset("mine", "folder", "mine", "pysot", 0, "/x", ("a",), (Hole("b", "gone"),))
    assert repeat_command(Run("kcf", "KCF", "b" * 12), data).endswith(
        "--dataset folder:mine=/x --store STORE --partial"
    )


@pytest.mark.parametrize("identity", [{"target": {"sources": "ab"}}, {"content": "ab"}, {"checkout": {"files": "ab"}}])
def test_what_is_known_by_its_fingerprint_alone_has_no_command(identity: dict[str, Any]) -> None:
    assert repeat_command(Run("python", "Python class", "c" * 12, "", identity), OTB) == ""
