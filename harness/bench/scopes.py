"""How much of the way is timed: the network alone, the tracker's call, or a run from files to boxes.

A scope prepares one case and gives a function that does one round; rounds of several cases can so be taken in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import torch

from inmo.datasets.base import Annotation
from inmo.errors import UserError
from inmo.harness.bench.cases import Case
from inmo.harness.bench.ceiling import wait_for
from inmo.harness.bench.clips import TARGET, Film, scene
from inmo.harness.bench.parts import Watch, WatchedFrames, WatchedTracker
from inmo.harness.run.engine import track_sequence
from inmo.harness.run.lanes import Failed, follow_all
from inmo.harness.store.records import Result
from inmo.trackers.base import Tracker

PARTS = ("read", "decode", "wait", "init", "pre", "network", "post")
"""``read`` and ``decode`` are spent in threads where frames are read ahead; what of them holds a run up is ``wait``."""


@dataclass(frozen=True)
class Round:
    """One round of a case: how many frames (targets times steps) it moved, in how many seconds, and where they went."""

    frames: int
    seconds: float
    parts: Mapping[str, float] = field(default_factory=dict)


def network_rounds(case: Case, tracker: Any, films: Sequence[Film], steps: int) -> Callable[[], Round]:
    """``search`` of the network on a batch of search regions, the templates done before.

    Raises UserError for a tracker without a network.
    """
    demand_network(case)
    state = tracker.init([scene(0)] * case.lanes, targets(case.lanes))
    images = noise_regions(tracker, case.lanes)

    def work() -> Round:
        wait_for(tracker.device)
        started = perf_counter()
        for _ in range(steps):
            tracker.search(images, state.features[0])
        wait_for(tracker.device)
        seconds = perf_counter() - started
        return Round(steps * case.lanes, seconds, {"network": seconds})

    return work


def noise_regions(tracker: Any, lanes: int) -> torch.Tensor:
    """Normalised search regions of noise for so many targets of a neural tracker, the same every time."""
    size = tracker.recipe.geometry.search_size
    pixels = np.random.default_rng(0).integers(0, 256, (lanes, 3, size, size))
    images: torch.Tensor = tracker.recipe.normalise(torch.from_numpy(pixels).float().to(tracker.device))
    return images.contiguous()


def tracker_rounds(case: Case, tracker: Any, films: Sequence[Film], steps: int) -> Callable[[], Round]:
    """The tracker's ``step`` on frames in memory. The state stays the first one, so that all crop the same region."""
    frames = [scene(index) for index in range(4)]
    state = tracker.init([frames[0]] * case.lanes, targets(case.lanes))

    def work() -> Round:
        watch = Watch()
        watched = WatchedTracker(tracker, watch)
        started = perf_counter()
        for index in range(steps):
            watched.step([frames[index % len(frames)]] * case.lanes, state)
        return Round(steps * case.lanes, perf_counter() - started, dict(watch.seconds))

    return work


def run_rounds(case: Case, tracker: Tracker, films: Sequence[Film], steps: int) -> Callable[[], Round]:
    """All films from their files to boxes, as ``run.engine`` (one by one) or ``run.lanes`` does it.

    First frames count as frames, with the template as their work. Raises UserError for lanes of a tracker without a
    network.
    """
    if case.lanes > 1:
        demand_network(case)

    def work() -> Round:
        watch = Watch()
        watched = WatchedTracker(tracker, watch)
        chosen = [_WatchedFilm(film.sequence, film.frames, film.paths, watch) for film in films]
        started = perf_counter()
        waited = sum(float(np.nansum(result.seconds["read"])) for result in _followed(watched, chosen, case))
        seconds = perf_counter() - started
        return Round(sum(film.frames for film in films), seconds, {**watch.seconds, "wait": waited})

    return work


SCOPES: Mapping[str, Callable[[Case, Any, Sequence[Film], int], Callable[[], Round]]] = {
    "network": network_rounds,
    "tracker": tracker_rounds,
    "run": run_rounds,
}


def demand_network(case: Case) -> Callable[[Any], Any]:
    """What builds the case's network from its config. Raises UserError for a tracker without one."""
    if case.setup.spec.network is None:
        raise UserError(f"{case.setup.spec.title} has no network: time it with --scope run or tracker, in one lane")
    return case.setup.spec.network


def targets(count: int) -> Any:
    """``count`` times the first box, (count, 4)."""
    return np.tile(np.array(TARGET), (count, 1))


@dataclass(frozen=True)
class _WatchedFilm(Film):
    watch: Watch

    def open(self) -> tuple[Annotation, WatchedFrames]:
        annotation, frames = super().open()
        return annotation, WatchedFrames(frames.paths, self.watch)


def _followed(tracker: Any, films: Sequence[_WatchedFilm], case: Case) -> Iterator[Result]:
    if case.lanes == 1:
        for film in films:
            yield track_sequence(tracker, film.sequence, *film.open(), ahead=case.ahead)
        return
    for end in follow_all(tracker, films, case.lanes, fixed=bool(getattr(case.setup.config, "one_batch_size", False))):
        if isinstance(end, Failed):
            raise end.error
        yield end.result
