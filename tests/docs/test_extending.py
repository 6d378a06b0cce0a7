"""The family of docs/extending.md: one file and one row, and it is built, tracks, trains and keeps its hash."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.run.setup import configure
from inmo.harness.training.command import run_training
from inmo.harness.training.config import DataConfig, SourceConfig, TrainConfig
from inmo.trackers import TRACKERS, tracker
from inmo.trackers.base import config_hash
from inmo.trackers.pipeline.family import Family, families, family
from tests.conftest import ROOT
from tests.harness.training.tiny import write_photos

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
LONGEST = 60  # lines that a family may take


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Family:
    """The page's file and its row, registered for one test."""
    source = re.search(r"```python\n(# trackers/families/plain\.py\n.*?)```", PAGE, re.S)
    row = re.search(r'`"(\w+)": "([\w.]+:\w+)"`', PAGE)
    assert source and row and len(source[1].splitlines()) <= LONGEST
    name, path = row[1], row[2].partition(":")[0]
    file = tmp_path / "plain.py"
    file.write_text(source[1], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path, file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path, module)
    spec.loader.exec_module(module)
    monkeypatch.setitem(TRACKERS, name, row[2])
    return family(name)


def test_it_is_a_row_like_the_others(plain: Family, capsys: pytest.CaptureFixture[str]) -> None:
    assert tracker("plain") is plain and "plain" in families()
    assert main(["list", "trackers"]) == 0
    assert re.search(r"^plain +Plain$", capsys.readouterr().out, re.M)
    assert main(["describe", "--tracker", "plain", "--preset", "nano"]) == 0
    assert "backbone" in capsys.readouterr().out


def test_its_hash_is_what_its_values_are(plain: Family) -> None:
    hashes = {
        words: config_hash("plain", configure("plain", dict([words.split("=")])).on("otb100"))
        for words in ("preset=full", "preset=nano", "width=16")
    }
    assert hashes == {"preset=full": "2b1ae5ab7ede", "preset=nano": "e94eb12a276a", "width=16": "fa5e038554a9"}
    assert config_hash("plain", configure("plain", {"width": "128"}).on("lasot")) == hashes["preset=full"]


@pytest.mark.parametrize(("words", "message"), [({"width": "0"}, "above 0"), ({"preset": "nan"}, "did you mean nano")])
def test_its_values_are_checked(plain: Family, words: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        configure("plain", words)


def test_it_tracks_and_trains(plain: Family, tmp_path: Path) -> None:
    data = DataConfig((SourceConfig("photos", str(write_photos(tmp_path / "photos"))),), augmentation="small")
    config = TrainConfig("plain", {"preset": "nano"}, "transt", "small", steps=2, batch=4, data=data)
    torch.manual_seed(0)
    assert run_training(config, tmp_path / "run", device="cpu", quiet=True).progress.step == 2
    trained = configure("plain", {"preset": "nano", "weights": str(tmp_path / "run" / "weights.safetensors")})
    boxes = []
    for setup in (trained, configure("plain", {"preset": "nano", "allow_random_weights": "true"})):
        running = setup.spec.build(setup.on("folder"), "cpu")
        frames = [np.random.default_rng(n).integers(0, 255, (60, 80, 3)).astype(np.uint8) for n in range(4)]
        state = running.init(frames[:1], np.array([[20.0, 20.0, 15.0, 12.0]]))
        for frame in frames[1:]:
            step = running.step([frame], state)
            state = step.state
        assert np.isfinite(step.boxes).all()
        boxes.append(step.boxes)
    assert not np.array_equal(*boxes)
