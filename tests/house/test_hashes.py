"""Keys that results, weights and trainings on people's disks lie under: recorded once, they must never change.

``recorded_hashes.json`` holds the config hash of every built-in tracker, ablation row and shipped weight per benchmark
(``*``: the same on all), the SHA-256 of every shipped file, the identity of every training config, and the folders of
the trainings of Tables 4 and 5 with seed 1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from inmo.harness.ablation.members import training_key
from inmo.harness.ablation.spec import find_ablation, load_ablation, raw_config, row_config, rows_of
from inmo.harness.run.setup import configure
from inmo.harness.training.config import load_config
from inmo.records import as_words
from inmo.trackers.base import config_hash
from inmo.trackers.pipeline.family import shipped_weights
from inmo.trackers.pipeline.shipped import file_of, parts
from tests.ablations import TABLES
from tests.conftest import ROOT

RECORDED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("recorded_hashes.json").read_text("utf-8"))
ALL = ("lasot", "nfs", "otb100", "trackingnet", "uav123", "folder", "mini-lasot")


def hashes(name: str, values: Mapping[str, Any], recorded: Mapping[str, str]) -> dict[str, str]:
    """Benchmark -> hash of a tracker with these settings, for the benchmarks of ``recorded``."""
    setup = configure(name, as_words(values))
    return {on: config_hash(name, setup.on("lasot" if on == "*" else on)) for on in recorded}


def same_everywhere(name: str, values: Mapping[str, Any]) -> bool:
    setup = configure(name, as_words(values))
    return len({config_hash(name, setup.on(benchmark)) for benchmark in ALL}) == 1


@pytest.mark.parametrize("row", RECORDED["trackers"])
def test_built_in_trackers_keep_their_hashes(row: str) -> None:
    name, *words = row.split()
    values = dict(word.split("=") for word in words)
    recorded = RECORDED["trackers"][row]
    assert hashes(name, values, recorded) == recorded
    assert same_everywhere(name, values) == ("*" in recorded)


@pytest.mark.parametrize("row", RECORDED["ablations"])
def test_ablation_rows_keep_their_hashes(row: str) -> None:
    table, which, preset = row.split()
    name, values = TABLES[table][which]
    own = {"allow_random_weights": True} if preset == "full" else {}
    recorded = RECORDED["ablations"][row]
    assert hashes(name, {**values, "preset": preset, **own}, recorded) == recorded


@pytest.mark.parametrize("stem", RECORDED["shipped"])
def test_shipped_weights_keep_their_content_and_hashes(stem: str) -> None:
    recorded = dict(RECORDED["shipped"][stem])
    which, seed = parts(stem)
    file = file_of(which, seed)
    assert file.stem == stem
    assert hashlib.sha256(file.read_bytes()).hexdigest() == recorded.pop("sha256")
    row, item = shipped_weights()[which]
    name, values = row.name, {**item.settings, "seed": seed}
    assert Path(configure(name, as_words(values)).on("lasot").weights) == file
    assert hashes(name, values, recorded) == recorded


@pytest.mark.parametrize("config", RECORDED["trainings"])
def test_training_configs_keep_their_identity(config: str) -> None:
    assert load_config(ROOT / config).identity() == RECORDED["trainings"][config]


@pytest.mark.parametrize("name", RECORDED["folders"])
def test_trainings_of_the_ablations_keep_their_folders(name: str) -> None:
    table, which, preset = name.split()
    file = find_ablation(table)
    ablation = load_ablation(file)
    raw = raw_config(ablation, file, config=ROOT / "configs" / preset / "transinmo-star.yaml")
    (row,) = [row for row in rows_of(ablation) if row.name == which]
    assert training_key(row_config(raw, row, 1)) == RECORDED["folders"][name]
