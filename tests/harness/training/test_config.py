"""Training configs: what is written is what is run, and what is misspelt is named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from inmo.errors import UserError
from inmo.harness.training.config import SourceConfig, TrainConfig, load_config
from inmo.harness.training.model import build_model
from inmo.harness.training.schedule import SCHEDULES
from inmo.records import structure
from inmo.trackers.pipeline.family import families
from tests.conftest import ROOT

TEXT = """
tracker: transinmo
settings: {preset: nano}
ema: 1e-3
data:
  sources: [{name: photos, root: here, ratio: 2}, {name: mini}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return path


def test_values_and_words(file: Path) -> None:
    config = load_config(file, ["data.cache=40", "settings.width=32", "validation.clips=[a, b]", "steps=3"])
    assert config.data.sources == (SourceConfig("photos", "here", 2.0), SourceConfig("mini"))
    assert config.ema == 1e-3
    assert (config.data.cache, config.steps, config.validation.clips) == (40, 3, ("a", "b"))
    assert config.settings == {"preset": "nano", "width": 32}


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("step=3", "did you mean steps"),
        ("data.cach=3", "did you mean cache"),
        ("steps=many", "not a value of kind"),
        ("steps=true", "not a value of kind"),
        ("precision=fp16", "not a value of kind"),
        ("accumulate=0", "1 or more"),
        ("tracker.name=x", "holds no further names"),
        ("steps", "name=value"),
        ("data.sources=[{root: x}]", r"data: sources\[0\] is not complete: add the line 'name:' with a value"),
        ("seed=-1", f"seed of the training is -1: choose one from 0 to {2**63 - 1}"),
        (f"seed={2**63}", "seed of the training is 9223372036854775808: choose"),
    ],
)
def test_broken_words_are_named(file: Path, word: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_config(file, [word])


def test_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(UserError, match="name: value"):
        load_config(tmp_path / "list.yaml")
    (tmp_path / "no tracker.yaml").write_text("steps: 3")
    with pytest.raises(UserError, match=r"no tracker\.yaml is not complete: add the line 'tracker:' with a value"):
        load_config(tmp_path / "no tracker.yaml")


@dataclass(frozen=True)
class Pair:
    first: str
    last: int
    more: tuple[int, ...] = ()


def test_all_that_is_lacking_is_named_at_once() -> None:
    assert structure(Pair, {"first": "a", "last": 1}, "a pair") == Pair("a", 1)
    with pytest.raises(UserError, match=r"^a pair is not complete: add the lines 'first:', 'last:' with a value$"):
        structure(Pair, {"more": [1]}, "a pair")


def test_the_largest_seed_and_that_of_pairs(file: Path) -> None:
    config = load_config(file, [f"seed={2**63 - 1}", "data.seed=-1"])
    assert (config.seed, config.data.seed) == (2**63 - 1, -1)


def test_identity_is_what_decides_the_weights(file: Path) -> None:
    config = load_config(file)
    assert replace(config, log_every=3).identity() == config.identity()
    assert replace(config, data=replace(config.data, workers=3)).identity() == config.identity()
    for other in (replace(config, seed=1), replace(config, settings={"preset": "full"}), replace(config, clip=3.0)):
        assert other.identity() != config.identity()


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_configs_name_what_exists(path: Path) -> None:
    config = load_config(path)
    assert isinstance(config, TrainConfig)
    assert config.schedule in SCHEDULES
    assert config.tracker in families()
    if config.settings.get("preset") == "nano":
        build_model(config.tracker, config.settings, config.objective)
