"""A model card says what the file and the stored results say."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from inmo.errors import UserError
from inmo.harness.experiment.run import open_experiment, run_experiment
from inmo.harness.experiment.spec import Experiment, TrackerEntry
from inmo.harness.store.store import open_store
from inmo.harness.training.checkpoints import save_weights
from inmo.harness.training.config import DataConfig, DistilConfig, SourceConfig, TrainConfig
from inmo.harness.workers.resources import Resources
from inmo.trackers.pipeline.family import shipped_weights
from inmo.trackers.pipeline.shipped import FOLDER, parts
from tests.ablations import TABLES
from tests.conftest import ROOT
from tools.model_cards import card, facts

DISTIL = DistilConfig("siamcar", {"preset": "lite"}, 15)


def write(path: Path, network: torch.nn.Module) -> None:
    data = DataConfig((SourceConfig("photos", "photos", 0.8), SourceConfig("mini", "", 0.2)), "small", cache=640)
    training = TrainConfig(
        "siamcar", objective="siamcar", schedule="small", steps=30, batch=8, seed=3, data=data, distil=DISTIL
    )
    known = {
        "training": asdict(training), "steps": 30, "pairs": 240, "seconds": 125, "data": "feed",
        "versions": {"torch": "2"}, "teacher": "c0ffee",
        "initial": {"name": "first.safetensors", "sha256": "5eed", "pairs": 1200},
        "scores": {"pairs/slope": 0.612, "pairs/correlation": 0.7, "pairs/hit": 0.654, "pairs/iou": 0.5},
    }  # fmt: skip
    save_weights(path, network, {}, known, half=True)


def test_a_card_is_read_off_the_file_and_the_store(clips: Path, tmp_path: Path) -> None:
    from inmo.trackers import tracker
    from inmo.trackers.families.siamcar import build_network

    path = tmp_path / "siamcar-nano.safetensors"
    config = tracker("siamcar").config
    write(path, build_network(type(config)(preset="nano")))
    entries = (
        TrackerEntry("siamcar", "mine", {"preset": "nano", "weights": str(path)}),
        TrackerEntry("siamcar", "other", {"preset": "nano", "allow_random_weights": True}),
        TrackerEntry("kcf"),
    )
    experiment = Experiment("t", entries)
    store = open_store(tmp_path / "store", write=True)
    run_experiment(
        experiment,
        open_experiment(experiment, [f"folder:mine={clips}"]).datasets,
        store,
        resources=Resources(device="cpu"),
    )
    text = card("siamcar-nano", path, {"three clips": store, "none": open_store(tmp_path / "empty", write=True)})
    assert "240: 30 steps of 8" in text and "| seed | 3 |" in text and "2 minutes" in text
    assert "| from | `first.safetensors`, which had seen 1,200 pairs before; SHA-256 `5eed` |" in text
    assert "photos (80%), mini (20%); 640 distinct pairs" in text
    assert "slope of log size 0.61, correlation 0.70, share with IoU ≥ .5 0.65" in text
    row = next(line for line in text.splitlines() if line.startswith("| three clips"))
    assert row.split("|")[2].strip() == "3" and row.split("|")[5].strip()  # measured, and compared with KCF
    assert "| none | not measured |" in text
    assert re.search(r"Where it fails most, AUC: three clips: \w+/[\w-]+ [\d.]+, ", text)
    assert "EfficientNet" not in text
    assert "those of SiamCAR (preset: lite; SHA-256 `c0ffee`), weight 15." in text


def test_weights_of_unknown_origin_get_no_card(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_weights(path, torch.nn.Linear(2, 2), {}, {}, half=True)
    with pytest.raises(UserError, match="does not say how it was trained"):
        facts(path)


def test_every_shipped_file_has_a_family_a_command_and_a_card_that_says_so() -> None:
    known = shipped_weights()
    assert {parts(path.stem)[0] for path in FOLDER.glob("*.safetensors")} == {
        n for n, (_, i) in known.items() if not i.file
    }
    for name, (family, item) in known.items():
        text = item.path(name).with_suffix(".md").read_text()
        assert f"`python run_all.py {item.command}`" in text and text.splitlines()[2].startswith(f"{family.title} with")
        assert item.origin in text and ("EfficientNet" in text) == bool(item.origin)
        command, what, *_ = item.command.split()
        assert (ROOT / what).is_file() if command == "train" else what in TABLES
