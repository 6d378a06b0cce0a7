"""The loop: resuming bit for bit, stopping, failing loudly, accumulating, averaging, exporting."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from inmo.errors import UserError
from inmo.harness.training.checkpoints import load_checkpoint
from inmo.harness.training.command import prepare, run_training
from inmo.harness.training.config import CHECKPOINT, WEIGHTS, TrainConfig, ValidationConfig
from inmo.harness.training.distributed import Group
from inmo.harness.training.loop import Training
from inmo.harness.training.model import build_model
from inmo.harness.training.sampling import Positions, loader
from inmo.trackers import tracker
from inmo.trackers.pipeline.checkpoint import load_state_dict
from tests.harness.training.tiny import tiny_config

CPU = torch.device("cpu")


def parameters(folder: Path, config: TrainConfig) -> dict[str, Tensor]:
    made = prepare(config, Group(0, 1, CPU)).model
    training = Training(config, made, Group(0, 1, CPU), folder)
    load_checkpoint(folder / CHECKPOINT, made.trainee, training.optimiser, config.identity(), CPU)
    return made.trainee.state_dict()


class Killer:
    """Pairs that make the process ask itself to stop, as the system would, when one step is reached."""

    def __init__(self, batches: Any, step: int, act: Callable[[], None]) -> None:
        self.batches, self.step, self.act = batches, step, act

    def __iter__(self) -> Any:
        for number, batch in enumerate(self.batches):
            if number == self.step:
                self.act()
            yield batch


@pytest.mark.parametrize("tracker_name", ["transinmo", "siamcar"])
def test_kill_and_resume_equals_straight_bit_for_bit(photos: Path, tmp_path: Path, tracker_name: str) -> None:
    config = tiny_config(photos, tracker_name, ema=0.9)
    config = replace(config, settings={**config.settings} | ({"drop_path": 0.3} if tracker_name == "transinmo" else {}))
    straight = run_training(config, tmp_path / "straight", device="cpu", quiet=True)
    assert straight.progress.step == 6

    prepared = prepare(config, Group(0, 1, CPU))
    training = Training(config, prepared.model, Group(0, 1, CPU), tmp_path / "killed")
    batches = loader(prepared.pairs, Positions(0, 6, 4), 0)
    stopped = training.run(iter(Killer(batches, 2, lambda: os.kill(os.getpid(), signal.SIGTERM))))
    assert stopped.interrupted
    assert stopped.progress.step == 3

    resumed = run_training(config, tmp_path / "killed", resume=True, device="cpu", quiet=True)
    assert not resumed.interrupted
    first, second = (parameters(tmp_path / name, config) for name in ("straight", "killed"))
    assert all(torch.equal(first[key], second[key]) for key in first)
    exported = [load_state_dict(tmp_path / name / WEIGHTS) for name in ("straight", "killed")]
    assert all(torch.equal(exported[0][key], exported[1][key]) for key in exported[0])
    logs = [list(csv.DictReader((tmp_path / n / "log.csv").open())) for n in ("straight", "killed")]
    assert [row["step"] for row in logs[0]] == ["2", "4", "6"]
    assert [row["loss"] for row in logs[0]] == [row["loss"] for row in logs[1]]


def test_a_backbone_learns_from_where_its_schedule_lets_it(photos: Path, tmp_path: Path) -> None:
    config = tiny_config(photos, schedule="siamcar", steps=4)  # the backbone from half on
    prepared = prepare(config, Group(0, 1, CPU))
    training = Training(config, prepared.model, Group(0, 1, CPU), tmp_path)
    moved = []
    for step, batch in enumerate(loader(prepared.pairs, Positions(0, 4, 4), 0)):
        before = {name: value.detach().clone() for name, value in prepared.model.network.named_parameters()}
        training.step(step, batch)
        named = dict(prepared.model.network.named_parameters())
        assert all((value.grad is not None) is value.requires_grad for value in named.values())
        changed = {name for name, value in named.items() if not torch.equal(value, before[name])}
        moved.append({name.partition(".")[0] for name in changed})
    assert moved == [{"neck", "head"}] * 2 + [{"backbone", "neck", "head"}] * 2


def test_a_loss_that_is_not_finite_stops_with_the_batch_saved(photos: Path, tmp_path: Path) -> None:
    config = tiny_config(photos)
    prepared = prepare(config, Group(0, 1, CPU))
    training = Training(config, prepared.model, Group(0, 1, CPU), tmp_path)

    def poison() -> None:
        with torch.no_grad():
            prepared.model.network.head.box_out.bias.fill_(float("nan"))  # type: ignore[union-attr, operator]

    batches = loader(prepared.pairs, Positions(0, 6, 4), 0)
    with pytest.raises(UserError, match=r"step 2 is not finite.*failed-batch-2-0"):
        training.run(iter(Killer(batches, 2, poison)))
    kept = torch.load(tmp_path / "failed-batch-2-0.pt", weights_only=True)
    assert kept["batch"]["number"].tolist() == [8, 9, 10, 11]
    assert not (tmp_path / CHECKPOINT).exists()


@pytest.mark.parametrize("batch", [4, 5])
def test_accumulated_parts_equal_one_large_batch(photos: Path, tmp_path: Path, batch: int) -> None:
    weights = []
    for parts in (1, 2):
        config = tiny_config(photos, accumulate=parts, steps=3, batch=batch)
        prepared = prepare(config, Group(0, 1, CPU))
        training = Training(config, prepared.model, Group(0, 1, CPU), tmp_path / str(parts))
        training.run(loader(prepared.pairs, Positions(0, 3, batch), 0))
        weights.append(prepared.model.network.state_dict())
    for key in weights[0]:
        torch.testing.assert_close(weights[0][key], weights[1][key], atol=2e-5, rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("transinmo", {}), ("transinmo", {"interaction": "released"}), ("transt", {}), ("siamcar", {}), ("cnninmo", {})],
    ids=str,
)
def test_checkpointed_activations_change_nothing(photos: Path, name: str, settings: dict[str, Any]) -> None:
    gradients = []
    for checkpointing in (False, True):
        config = tiny_config(photos, name, checkpointing=checkpointing)
        config = replace(config, settings={**config.settings, **settings})
        prepared = prepare(config, Group(0, 1, CPU))
        prepared.model.trainee.train()
        torch.manual_seed(0)
        batch = next(loader(prepared.pairs, Positions(0, 1, 4), 0))
        outputs = prepared.model.trainee(batch.template, batch.search, batch.anchor)
        (outputs[0].sum() + outputs[1].sum()).backward()
        gradients.append([p.grad for p in prepared.model.network.parameters()])
    for one, two in zip(*gradients, strict=True):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize(
    ("name", "settings"), [("transt", {}), ("siamcar", {}), ("cnninmo", {"interaction": "released"})], ids=str
)
def test_checkpointed_batch_norms_count_a_step_once(
    photos: Path, tmp_path: Path, name: str, settings: dict[str, Any]
) -> None:
    statistics = []
    for checkpointing in (False, True):
        config = tiny_config(photos, name, checkpointing=checkpointing, steps=3)
        config = replace(config, settings={**config.settings, **settings})
        prepared = prepare(config, Group(0, 1, CPU))
        training = Training(config, prepared.model, Group(0, 1, CPU), tmp_path)
        before = {key: value.clone() for key, value in prepared.model.network.named_buffers()}
        training.step(0, next(loader(prepared.pairs, Positions(0, 1, 4), 0)))
        statistics.append(dict(prepared.model.network.named_buffers()))
        for key, value in statistics[-1].items():
            if key.endswith("num_batches_tracked"):
                assert value == 2, key  # template and search region
            else:
                assert not key.endswith("running_mean") or not torch.equal(value, before[key]), key
    assert statistics[0].keys() == statistics[1].keys()
    for key, value in statistics[0].items():
        torch.testing.assert_close(statistics[1][key], value, msg=key)


def test_an_error_while_recomputing_leaves_the_statistics_in_place(photos: Path) -> None:
    config = tiny_config(photos, "siamcar", checkpointing=True)
    network: Any = prepare(config, Group(0, 1, CPU)).model.network
    images = torch.rand(2, 3, 63, 63, requires_grad=True)
    norm = network.backbone.layer1[0].bn3
    buffers = [id(value) for value in norm.buffers()]
    out = network.backbone.train()(images)[-1].sum()

    def fail(*_: object) -> None:
        raise RuntimeError("no")

    with norm.register_forward_hook(fail), pytest.raises(RuntimeError, match="no"):
        out.backward()
    assert [id(value) for value in norm.buffers()] == buffers


def test_a_body_without_stages_refuses_checkpointing() -> None:
    with pytest.raises(UserError, match="checkpointing is not available"):
        build_model("siamcar", {"preset": "lite"}, "small", checkpointing=True)


@pytest.mark.parametrize("name", ["transinmo", "transinmo-star", "transt", "siamcar", "cnninmo"])
def test_every_tracker_trains_and_its_weights_track(photos: Path, clips: Path, tmp_path: Path, name: str) -> None:
    checked = ValidationConfig(every=2, pairs=8, clips=(str(clips),), calibrate=True)
    config = tiny_config(photos, name, steps=2, validation=checked)
    outcome = run_training(config, tmp_path / "run", device="cpu", quiet=True)
    assert outcome.scores["clips/count"] == 3
    assert 0 <= outcome.scores["clips/auc"] <= 1
    with safe_open(tmp_path / "run" / WEIGHTS, framework="pt") as file:
        metadata = file.metadata()
        assert all(file.get_tensor(k).dtype in (torch.float16, torch.int64) for k in file.keys())  # noqa: SIM118
    assert json.loads(metadata["tracker"]) == name
    assert json.loads(metadata["pairs"]) == 8
    assert len(json.loads(metadata["data"])) == 16
    made = tracker(name)
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in config.settings.items()}
    made.build(replace(made.config, **values, weights=str(tmp_path / "run" / WEIGHTS)), "cpu")
    assert not list((tmp_path / "run").glob(".*"))


def test_calibration_takes_the_mean_error_off(photos: Path, tmp_path: Path) -> None:
    config = tiny_config(photos, steps=3, validation=ValidationConfig(pairs=32, calibrate=True))
    run_training(config, tmp_path, device="cpu", quiet=True)
    with safe_open(tmp_path / WEIGHTS, framework="pt") as file:
        scores = json.loads(file.metadata()["scores"])
    assert abs(scores["pairs/bias"]) < 0.05


def test_runs_are_not_overwritten_or_continued_by_mistake(photos: Path, tmp_path: Path) -> None:
    config = tiny_config(photos, steps=2)
    with pytest.raises(UserError, match="without --resume"):
        run_training(config, tmp_path / "run", resume=True, device="cpu")
    run_training(config, tmp_path / "run", device="cpu", quiet=True)
    with pytest.raises(UserError, match="--resume"):
        run_training(config, tmp_path / "run", device="cpu")
    with pytest.raises(UserError, match="another config"):
        run_training(replace(config, seed=1), tmp_path / "run", resume=True, device="cpu")
    (tmp_path / "run" / CHECKPOINT).write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(UserError, match="cannot be read"):
        run_training(config, tmp_path / "run", resume=True, device="cpu")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objective": "siamcar"}, "does not fit"),
        ({"objective": "smal"}, "did you mean small"),
        ({"schedule": "trans"}, "did you mean transt"),
        ({"settings": {"preset": "nanno"}}, "did you mean nano"),
        ({"settings": {"widht": 3}}, "did you mean width"),
        ({"tracker": "kcf"}, "that can be trained"),
        ({"batch": 1, "accumulate": 2}, "cannot be shared"),
    ],
)
def test_impossible_trainings_are_refused(photos: Path, tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        run_training(replace(tiny_config(photos), **changes), tmp_path, device="cpu")
