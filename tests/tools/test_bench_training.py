"""Where the time of training steps goes, by a clock that gains a second whenever it is looked at."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml

from inmo.harness.training import loop
from inmo.harness.training.schedule import freeze
from tests.harness.training.tiny import TINY
from tools import bench_training
from tools.bench_training import BenchTraining, all_followed, row_of, watched


def write_config(folder: Path, schedule: str) -> Path:
    words = {
        "tracker": "siamcar", "settings": TINY["siamcar"], "objective": "siamcar", "schedule": schedule, "steps": 10,
        "batch": 4, "ema": 0.9,
    }  # fmt: skip
    path = folder / "tiny" / f"{schedule}.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(words), encoding="utf-8")
    return path


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the clock is a second after the one before."""
    ticks = itertools.count()
    monkeypatch.setattr(bench_training, "time", SimpleNamespace(process_time=lambda: float(next(ticks))))


@pytest.mark.parametrize(("schedule", "gain"), [("siamcar", "1.00 (1.00 to 1.00)"), ("small", "-")])
def test_a_row_by_hand(tmp_path: Path, ticking: None, schedule: str, gain: str) -> None:
    # A step looks eight times, so that it takes 7 s, of which each of the three parts has one: 2 pairs in 7 s, 1/7.
    path = write_config(tmp_path, schedule)
    row = row_of(path, BenchTraining((path,), batch=2, steps=2))
    assert row == [f"tiny/{schedule}", "2", "0.29", "14%", "14%", "14%", gain]


def test_the_batch_is_the_configs_where_none_is_given(
    tmp_path: Path, ticking: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config(tmp_path, "small")
    monkeypatch.setattr("sys.argv", ["bench_training", str(path), "--steps", "1"])
    bench_training.main()
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["config", "batch", "pairs/s"]
    assert row.split() == ["tiny/small", "4", "0.57", "14%", "14%", "14%", "-"]


def test_parts_are_summed_and_let_go() -> None:
    ticks, plain = itertools.count(), torch.Tensor.backward
    weight = torch.ones(2, requires_grad=True)
    optimiser = torch.optim.SGD([weight], 0.5)
    training: Any = SimpleNamespace(forward=lambda factor: (factor * weight).sum(), optimiser=optimiser)
    forward = training.forward
    with pytest.raises(KeyError), watched(training, lambda: float(next(ticks))) as spent:
        training.forward(1.0)
        training.forward(3.0).backward()
        training.optimiser.step()
        raise KeyError
    assert spent == {"forward": 2.0, "backward": 1.0, "optimiser": 1.0}
    assert weight.tolist() == [-0.5, -0.5]  # the work was done: 1 - 0.5 * 3
    assert training.forward is forward and torch.Tensor.backward is plain
    training.forward(1.0).backward()
    optimiser.step()
    assert sum(spent.values()) == 4.0


def test_gradients_are_followed_of_all_that_learns_some_day(monkeypatch: pytest.MonkeyPatch) -> None:
    soon, never = (torch.nn.Parameter(torch.ones(1), requires_grad=False) for _ in range(2))
    optimiser = SimpleNamespace(param_groups=[{"params": [soon]}])
    asked: list[tuple[Any, ...]] = []
    training_loop: Any = loop
    monkeypatch.setattr(training_loop, "freeze", freeze)  # so that it comes back
    monkeypatch.setattr(bench_training, "freeze", lambda *words: asked.append(words) or soon.requires_grad_(False))
    with all_followed(SimpleNamespace(optimiser=optimiser)):  # type: ignore[arg-type]
        training_loop.freeze([], None, 0, 1)
        assert (soon.requires_grad, never.requires_grad) == (True, False)
    training_loop.freeze([], None, 1, 1)
    assert asked == [([], None, 0, 1), ([], None, 1, 1)]
    assert not soon.requires_grad
