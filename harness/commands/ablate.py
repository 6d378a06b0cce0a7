"""A table of ablations: trained, tracked, scored."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from inmo.harness.commands.options import ClusterOptions, Lanes, Names
from inmo.harness.commands.shared import resources_of
from inmo.paths import ROOT


@dataclass(frozen=True)
class Ablate:
    """Train and measure every row of an ablation with the same data, steps and seeds; continues where it stopped.

    Example: python run_all.py ablate table4 --preset nano --seeds 0 1 2
    """

    table: Positional[str]
    """table4 (WP x TCA) or table5 (matching)."""
    preset: str = "nano"
    """Rows of this size: configs/PRESET/transinmo-star.yaml is their common base."""
    config: Path | None = None
    """Another common base."""
    steps: int | None = None
    """Optimisation steps per row, in place of the config's."""
    set: Names = ()
    """Any value of the config, as a.b=value; may be given several times."""
    dataset: Annotated[Names, arg(metavar="NAME=ROOT ...")] = ()
    """Dataset to measure on, mini-lasot when none is given; may be given several times."""
    rows: Names = ()
    """Only these rows."""
    seeds: tuple[int, ...] = (0,)
    """One training each; three and more give a spread."""
    out: Path = Path("ablations")
    """Folder of the trainings, of their results and of the table."""
    device: str = "auto"
    """auto, cpu, cuda ..."""
    jobs: int = os.cpu_count() or 1
    """Worker processes that track; training is one process."""
    cluster: OmitArgPrefixes[ClusterOptions] = ClusterOptions()
    lanes: Lanes = 1
    """Sequences of one tracker that run in lock-step in each worker; auto fits the device. Speed is measured with 1."""
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Measure on what is there of an incomplete dataset."""


def run(command: Ablate) -> int:
    from inmo.harness.training.ablate import ablate as start

    base = command.config or ROOT / "configs" / command.preset / "transinmo-star.yaml"
    steps = () if command.steps is None else (f"steps={command.steps}",)
    return start(
        command.table, base, (*steps, *command.set), out=command.out, datasets=command.dataset or ("mini-lasot",),
        rows=command.rows, seeds=command.seeds, device=command.device,
        resources=lambda: resources_of(command), partial=command.partial,
    )  # fmt: skip
