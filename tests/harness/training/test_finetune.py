"""Training that goes on from other weights on one's own clips: what is frozen stays, what is told and drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.training.command import run_training
from inmo.harness.training.config import WEIGHTS, TrainConfig, load_config, with_roots
from inmo.harness.training.curves import PICTURE, curves, draw_curves, smooth
from inmo.harness.training.model import build_model
from inmo.trackers.base import file_sha256
from inmo.trackers.pipeline.checkpoint import load_state_dict
from inmo.trackers.pipeline.shipped import file_of
from tests.clips import write_sequence
from tests.conftest import ROOT
from tests.harness.training.tiny import tiny_config


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for number in range(4):
        write_sequence(tmp_path / "clips" / f"clip{number}", 6)
    return tmp_path / "clips"


def test_frozen_parts_keep_parameters_and_statistics(photos: Path, tmp_path: Path) -> None:
    config = tiny_config(photos, frozen=("backbone",))
    run_training(config, tmp_path, quiet=True)
    before = build_model(config.tracker, config.settings, config.objective, seed=config.seed).network.state_dict()
    after = load_state_dict(tmp_path / WEIGHTS)
    own = {name for name in before if name.startswith("backbone.")}
    assert own and all(torch.equal(after[name], before[name].half().to(after[name].dtype)) for name in own)
    assert any(not torch.equal(after[n], before[n].half().to(after[n].dtype)) for n in before.keys() - own)


@pytest.mark.parametrize(("frozen", "words"), [
    (("bakbone",), "unknown part of the network to freeze 'bakbone': did you mean backbone"),
    (("backbone", "head", "neck"), "nothing is left to learn"),
])  # fmt: skip
def test_what_cannot_be_frozen_is_said(photos: Path, tmp_path: Path, frozen: tuple[str, ...], words: str) -> None:
    config = tiny_config(photos)
    network = build_model(config.tracker, config.settings, config.objective).network
    every = frozen if len(frozen) == 1 else tuple(name for name, _ in network.named_children())
    with pytest.raises(UserError, match=words):
        run_training(tiny_config(photos, frozen=every), tmp_path, quiet=True)


def test_frozen_counts_for_the_identity_and_nothing_frozen_does_not(photos: Path) -> None:
    assert tiny_config(photos).identity() != tiny_config(photos, frozen=("backbone",)).identity()
    assert tiny_config(photos, frozen=()).identity() == tiny_config(photos).identity()


def test_it_starts_from_the_shipped_weights() -> None:
    network = build_model("cnninmo", {"preset": "nano"}, "small", initial="shipped").network
    kept = load_state_dict(file_of("cnninmo-nano"))
    assert all(torch.equal(value.to(kept[name].dtype), kept[name]) for name, value in network.state_dict().items())
    with pytest.raises(UserError, match="no weights of transt with these settings come with the project"):
        build_model("transt", {"preset": "full"}, "transt", initial="shipped")


def test_roots_are_placed_in_training_and_validation() -> None:
    config = with_roots(load_config(ROOT / "configs/lite/finetune.yaml"), ["folder=/my/clips"])
    assert [s.root for s in (*config.data.sources, *config.validation.sources)] == ["/my/clips"] * 2
    with pytest.raises(UserError, match="unknown training set of this config 'foldre': did you mean folder"):
        with_roots(config, ["foldre=x"])
    with pytest.raises(UserError, match="a training wants NAME=ROOT"):
        with_roots(config, ["folder"])


def test_the_command_tells_the_split_and_draws_the_curves(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", str(ROOT / "configs/lite/finetune.yaml"), "--dataset", f"folder={clips}", "--set"]
    words += ["settings={preset: nano}", "frozen=[backbone]", "steps=2", "batch=4", "validation.pairs=4", "log_every=1"]
    assert main([*words, "--out", str(tmp_path / "run"), "--device", "cpu"]) == 0
    assert f"{clips}: 2 clips to learn from, 2 held out: clip1, clip3" in capsys.readouterr().err
    assert (tmp_path / "run" / PICTURE).read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "run" / WEIGHTS).is_file()


def test_curves_are_the_numbers_of_the_log(tmp_path: Path) -> None:
    rows = [{"step": "1", "loss": "2.0", "rate": "0.1", "pairs/iou": ""}, {"step": "2", "loss": "", "pairs/iou": "0.5"}]
    assert curves(rows) == {"loss": ([1], [2.0]), "pairs/iou": ([2], [0.5])}
    assert smooth([1.0, 3.0]) == pytest.approx([1.0, (0.09 * 1 + 0.1 * 3) / 0.19])
    assert draw_curves(tmp_path) is None


def test_the_config_is_sound() -> None:
    config = load_config(ROOT / "configs/lite/finetune.yaml")
    assert isinstance(config, TrainConfig)
    assert (config.initial, config.frozen) == ("shipped", ("backbone.body",))


def test_weights_say_from_what_they_were_trained_on(photos: Path, tmp_path: Path) -> None:
    started: dict[str, str] = {}
    for name, initial in (("first", ""), ("second", "first"), ("third", "second")):
        given = str(tmp_path / initial / WEIGHTS) if initial else ""
        started[name] = file_sha256(Path(given)) if given else ""
        run_training(tiny_config(photos, steps=2, initial=given), tmp_path / name, device="cpu", quiet=True)
    found = []
    for name in started:
        with safe_open(tmp_path / name / WEIGHTS, framework="pt") as file:
            found.append(json.loads(file.metadata().get("initial", "{}")))
    pairs = 2 * tiny_config(photos).batch
    assert found[0] == {}
    assert found[1] == {"name": WEIGHTS, "sha256": started["second"], "pairs": pairs}
    assert found[2] == {"name": WEIGHTS, "sha256": started["third"], "pairs": 2 * pairs}
