"""How long a tracker's frame takes: one target at a time, template done once, network and whole step."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from datasets.images import Frame
from harness import provenance
from harness.config import Setup

FRAME = (720, 1280)
TARGET = (600.0, 320.0, 90.0, 70.0)
WARM_UP = 5


@dataclass(frozen=True)
class Speed:
    """Milliseconds per frame at batch 1: median, and the quartiles as its spread.

    ``step`` is the tracker's whole call (crop, network, post-processing), the parts are its own account of it; a
    tracker that gives none has None there.
    """

    tracker: str
    step: float
    low: float
    high: float
    pre: float | None
    network: float | None
    post: float | None
    frames: int


def measure(setup: Setup, *, frames: int, device: str) -> Speed:
    """Time one tracker on noise of 1280 x 720, which costs what a film of that size costs. Random weights will do."""
    tracker = setup.spec.build(setup.on("lasot"), device)
    rng = np.random.default_rng(0)
    film: list[Frame] = [rng.integers(0, 256, (*FRAME, 3), dtype=np.uint8) for _ in range(4)]
    state = tracker.init([film[0]], np.array([TARGET]))
    whole: list[float] = []
    parts: dict[str, list[float]] = {"pre": [], "network": [], "post": []}
    for index in range(frames + WARM_UP):
        started = perf_counter()
        step = tracker.step([film[index % len(film)]], state)
        elapsed = perf_counter() - started
        if index < WARM_UP:
            continue  # the state stays the first one, so that every frame crops the same region
        whole.append(1e3 * elapsed)
        for part, values in parts.items():
            if part in step.seconds:
                values.append(1e3 * step.seconds[part])
    low, middle, high = statistics.quantiles(whole, n=4)
    medians = {part: statistics.median(values) if values else None for part, values in parts.items()}
    return Speed(setup.spec.title, middle, low, high, frames=frames, **medians)


def report(speeds: Sequence[Speed]) -> str:
    """The speeds as text, each also as a ratio to the first."""
    lines = [f"{'tracker':14}{'ms/frame':>10}{'quartiles':>18}{'pre':>8}{'network':>10}{'post':>8}{'ratio':>8}"]
    for row in speeds:
        parts = "".join(
            f"{'-' if v is None else format(v, '.1f'):>{w}}"
            for v, w in ((row.pre, 8), (row.network, 10), (row.post, 8))
        )
        spread = f"{row.low:.1f} to {row.high:.1f}"
        lines.append(f"{row.tracker:14}{row.step:10.1f}{spread:>18}{parts}{row.step / speeds[0].step:8.2f}")
    return "\n".join(lines)


def write_json(speeds: Sequence[Speed], path: Path, **facts: Any) -> None:
    """Keep the measurement with the description of the machine."""
    values = {"machine": provenance.machine(), "versions": provenance.versions(), **facts}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**values, "speeds": [asdict(s) for s in speeds]}, indent=1) + "\n", encoding="utf-8")
