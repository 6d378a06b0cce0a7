"""An experiment from its file to the page."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from inmo.harness.commands.options import ClusterOptions, Lanes, Names, Roots
from inmo.harness.commands.shared import resources_of
from inmo.harness.experiment.main_job import EMBEDDED, Choice, run_main_job
from inmo.harness.run.outcomes import say_holes


@dataclass(frozen=True)
class MainJob:
    """Run an experiment and render the report; without --experiment the embedded mini-suite through real trackers.

    Interrupted and repeated runs continue where they stopped.

    Example: python run_all.py main --experiment experiments/shipped.yaml --dataset folder=CLIPS --out output/clips
    """

    experiment: Path | None = None
    """YAML, see experiments/."""
    dataset: Roots = ()
    """Dataset in place of the experiment's own; may be given several times. NAME:LABEL=ROOT stores it under LABEL."""
    datasets: Names = ()
    """Only these datasets of the experiment, by label."""
    table: tuple[int, ...] = ()
    """Make these tables of the paper (2 to 5) in place of what the experiment names, and run only what they need."""
    figure: tuple[int, ...] = ()
    """Make these figures of the paper in place of what the experiment names, and run only what they need."""

    out: Path = Path("output")
    """Where the store and the report go."""
    jobs: int = os.cpu_count() or 1
    """Worker processes."""
    cluster: ClusterOptions = ClusterOptions()
    lanes: Lanes = 1
    """Sequences of one tracker that run in lock-step in each worker; auto fits the device. Speed is measured with 1."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps; OpenCV's trackers always use the processor."""


def run(command: MainJob) -> int:
    choice = Choice(command.table, command.figure, command.datasets)
    with resources_of(command.cluster, command.jobs, command.device, command.lanes) as resources:
        outcomes, page = run_main_job(
            command.out, resources, path=command.experiment or EMBEDDED, given=command.dataset, choice=choice
        )  # fmt: skip
    print(f"report: {page.resolve()}")
    return say_holes(outcomes)
