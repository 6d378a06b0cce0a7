"""All that a machine with a GPU can say of this project in eight minutes: ``python -m tools.gpu_check --out gpu.json``.

Tests of devices, boxes against the processor's, speed by lanes and precision, training steps with and without NCCL, and
a run that decoding holds up. What fails is written down and the rest goes on. ``python -m tools.gpu_section gpu.json``
then writes the section of docs/performance.md.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from inmo.harness.store import provenance
from inmo.paths import ROOT
from inmo.trackers.pipeline.neural import resolve_device
from tools.door import leave_after

MINUTES = 8.0
TRACKERS = ("transinmo-star", "transinmo", "cnninmo", "transt", "siamcar")
TESTS = ("tests/trackers/test_devices.py", "tests/harness/training/test_devices.py")


@dataclass(frozen=True)
class Plan:
    """What is run.

    Attributes:
        trackers, preset: what is timed and compared.
        lanes, cases: of each tracker's network, every case in every number of lanes.
        compared: pairs of settings whose ratio is measured, of the first tracker.
        precisions: whose outputs and boxes are compared with the processor's float32.
        frames, rounds: of the measurements.
        batch, steps: of the training.
        decoders: lanes of the run from files.
        threads: of the processor.
        tests: what pytest runs.
    """

    trackers: tuple[str, ...] = TRACKERS
    preset: str = "full"
    lanes: tuple[int, ...] = (1, 8, 32, 64)
    cases: tuple[str, ...] = ("precision=fp32", "precision=tf32", "precision=bf16")
    compared: tuple[tuple[str, str], ...] = (
        ("attention=written", "attention=fused"),
        ("precision=bf16", "precision=bf16,compile=true"),
    )
    precisions: tuple[str, ...] = ("fp32", "tf32", "bf16")
    frames: int = 10
    rounds: int = 3
    batch: int = 32
    steps: int = 10
    decoders: int = 64
    threads: int = os.cpu_count() or 1
    tests: tuple[str, ...] = TESTS


TINY = Plan(
    trackers=("siamcar",), preset="nano", lanes=(1, 2), cases=("precision=fp32", "precision=bf16"),
    compared=(("precision=fp32", "precision=bf16"),), precisions=("fp32", "bf16"), frames=2, rounds=1, batch=2,
    steps=1, decoders=2, threads=1, tests=(f"{TESTS[0]}::test_results_that_are_left_on_the_device_are_found",),
)  # fmt: skip
"""For a processor, to see that all of it works."""


@dataclass(frozen=True)
class GpuCheck:
    """Measure a GPU and write what was found.

    Example: python -m tools.gpu_check --out gpu.json
    """

    out: Path
    """JSON file."""
    device: str = "cuda"
    """cuda, cuda:1 ..."""
    tiny: bool = False
    """Small networks and few frames, to try the script itself; for any device."""
    minutes: float = MINUTES
    """What does not fit in is left out, and said."""


Step = Callable[[float], Any]
"""Seconds that are left to what was found."""


def steps(plan: Plan, device: str, folder: Path) -> dict[str, Step]:
    """What is done, by name, in the order of what would be missed most."""

    def bench(name: str, *words: str) -> Step:
        out = folder / f"{name}.json".replace(" ", "-")
        shared = ("--frames", str(plan.frames), "--rounds", str(plan.rounds), "--threads", str(plan.threads))
        given = ("--preset", plan.preset, "--device", device, "--out", str(out), *shared, *words)

        def work(left: float) -> Any:
            run([str(ROOT / "run_all.py"), "bench", *given], left)
            return json.loads(out.read_text(encoding="utf-8"))

        return work

    def part(name: str, **given: Any) -> Step:
        return lambda left: json.loads(run(["-m", "tools.gpu_parts", name, json.dumps(given)], left).splitlines()[-1])

    def run(words: list[str], left: float) -> str:
        return _run(words, left, plan.threads)

    lanes, cases = [str(n) for n in plan.lanes], [word for case in plan.cases for word in ("--case", case)]
    speeds = {
        f"speed {name}": bench(name, "--tracker", name, "--scope", "network", "--lanes", *lanes, *cases)
        for name in plan.trackers
    }
    first = plan.trackers[0]
    ratios = {
        f"ratio {new}": bench(f"ratio-{n}", "--tracker", first, "--scope", "network", "--compare", old, new)
        for n, (old, new) in enumerate(plan.compared)
    }
    shared = {"trackers": plan.trackers, "preset": plan.preset, "device": device}
    return {
        "parity": part("parity", **shared, precisions=plan.precisions, frames=3 * plan.frames),
        **speeds,
        "training": part(
            "training", tracker=first, preset=plan.preset, batch=plan.batch, steps=plan.steps, device=device
        ),
        "decoding": bench(
            "decoding", "--tracker", first, "--set", "preset=nano", "--scope", "run", "--lanes", str(plan.decoders)
        ),
        **ratios,
        "tests": lambda left: run(["-m", "pytest", *plan.tests], left).strip().splitlines()[-1],
    }


def _run(words: list[str], left: float, threads: int) -> str:
    """What Python printed. Raises RuntimeError with the last line it said where it failed or took too long."""
    try:
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=left, check=False,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"not done in the {left:.0f} s that were left") from None
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise RuntimeError(said[-1] if said else f"ended with status {done.returncode}")
    return done.stdout


def check(command: GpuCheck) -> dict[str, Any]:
    """Everything that was found: ``found`` and ``failed`` by step, and ``seconds`` that each took.

    Raises UserError for a device that is not there.
    """
    place, end = resolve_device(command.device), time.monotonic() + 60 * command.minutes
    found: dict[str, Any] = {}
    failed: dict[str, str] = {}
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, work in steps(TINY if command.tiny else Plan(), command.device, Path(folder)).items():
            started = time.monotonic()
            sys.stderr.write(f"{name} ...\n")
            try:
                if end - started < 1:
                    raise RuntimeError("no time was left")
                found[name] = work(end - started)
            except (RuntimeError, OSError, ValueError) as error:
                failed[name] = str(error)
            seconds[name] = round(time.monotonic() - started, 1)
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": provenance.device_of(_Placed(place), command.device),
        "tiny": command.tiny,
        "machine": provenance.machine(),
        "versions": provenance.versions(),
        "seconds": seconds,
        "found": found,
        "failed": failed,
    }


@dataclass(frozen=True)
class _Placed:
    device: Any


def main() -> None:
    command = tyro.cli(GpuCheck)
    facts = check(command)
    command.out.parent.mkdir(parents=True, exist_ok=True)
    command.out.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    for name, why in facts["failed"].items():
        sys.stderr.write(f"{name}: {why}\n")
    sys.stderr.write(f"{command.out}: {len(facts['found'])} of {len(facts['seconds'])} parts\n")
    sys.exit(1 if facts["failed"] else 0)


if __name__ == "__main__":
    leave_after(main)
