"""The comparison of folded with plain batch norms, by a clock whose seconds are given."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from inmo.harness.bench.scopes import Round
from inmo.harness.run.setup import configure
from inmo.trackers import families
from tools import bench_folding

WARM_UP, PLAIN, FOLDED = 100.0, (3.0, 4.0, 9.0), (2.0, 2.0, 3.0)
"""Seconds of rounds; the ratios are 1.5, 2 and 3."""


def has_batch_norms(tracker: Any) -> bool:
    return any(isinstance(module, nn.BatchNorm2d) for module in tracker.network.modules())


def test_the_median_of_the_rounds_without_the_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, steps_asked = SimpleNamespace(now=0.0), []

    def rounds(case: Any, tracker: Any, films: Any, steps: int) -> Callable[[], Round]:
        steps_asked.append(steps)
        seconds = iter((WARM_UP, *(PLAIN if has_batch_norms(tracker) else FOLDED)))

        def work() -> Round:
            clock.now += next(seconds)
            return Round(1, 0.0)

        return work

    monkeypatch.setattr(bench_folding, "network_rounds", rounds)
    monkeypatch.setattr(bench_folding, "time", SimpleNamespace(process_time=lambda: clock.now))
    words = ["bench_folding", "--tracker", "siamcar", "--preset", "nano", "--rounds", "3", "--steps", "5"]
    monkeypatch.setattr("sys.argv", words)
    bench_folding.main()
    said = capsys.readouterr().out
    assert said == "SiamCAR nano: folding makes it 2.00 times as fast (1.50 to 3.00 in 3 rounds)\n"
    assert steps_asked == [5, 5]


def test_batch_norms_stay_in_what_is_built_meanwhile_alone() -> None:
    setup = configure("transt", {"preset": "nano", "allow_random_weights": "true"})

    def built() -> Any:
        return setup.spec.build(setup.on("folder"), "cpu")

    assert not has_batch_norms(built())
    with pytest.raises(KeyError), bench_folding.unfolded():
        assert has_batch_norms(built())
        raise KeyError
    assert not has_batch_norms(built())


def test_every_family_that_folds_is_held_back() -> None:
    names = (f"{families.__name__}.{one.name}" for one in pkgutil.iter_modules(families.__path__))
    folding = [module for module in map(importlib.import_module, names) if hasattr(module, "fold_batch_norms")]
    assert folding == sorted(bench_folding.CALLERS, key=lambda module: str(module.__name__))
