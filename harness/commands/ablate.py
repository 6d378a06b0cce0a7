"""An ablation: trained, tracked, and judged."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from inmo.errors import Exit, UserError
from inmo.harness.commands.options import ClusterOptions, Flag, Lanes, Names, Roots
from inmo.harness.commands.shared import resources_of
from inmo.paths import ROOT


@dataclass(frozen=True)
class Ablate:
    """Train and measure every row of an ablation, and say what the rows are worth; continues where it stopped.

    Example: python run_all.py ablate table4 --preset nano --seeds 0 1 2
    """

    ablation: Positional[str]
    """A file (docs/ablations.md says what is in it), or the name of one in experiments/ablations: table4, stages ..."""
    preset: str | None = None
    """Rows of this size: the base config of the same name in configs/PRESET."""
    config: Path | None = None
    """Base config in place of the ablation's own."""
    steps: int | None = None
    """Optimisation steps per row, in place of the config's."""
    set: Names = ()
    """Any value of the base config, as a.b=value; may be given several times."""
    roots: Roots = ()
    """Where the training set NAME lies, wherever a row's training names it, e.g. photos=DIR."""
    dataset: Roots = ()
    """Dataset to measure on, in place of the ablation's own; may be given several times."""
    rows: Names = ()
    """Only these rows."""
    seeds: tuple[int, ...] = ()
    """One training each, in place of the ablation's own, or of its weights; three and more tell what one matters."""
    out: Path = Path("ablations")
    """Folder of the trainings, of their results and of the pages."""
    device: str = "auto"
    """auto, cpu, cuda ..."""
    trainings: int = 1
    """Trainings at a time, each in a process with its share of the cores; with --backend dask each worker has one."""
    jobs: int = os.cpu_count() or 1
    """Worker processes that track."""
    cluster: ClusterOptions = ClusterOptions()
    lanes: Lanes = 1
    """Sequences of one tracker that run in lock-step in each worker; auto fits the device. Speed is measured with 1."""
    partial: Flag = False
    """Measure on what is there of an incomplete dataset."""
    dry_run: Flag = False
    """Only say what is to be done: trainings, pairs, hours, and what would be refused (status 2)."""


def run(command: Ablate) -> int:
    from inmo.harness.ablation.command import ablate
    from inmo.harness.ablation.opened import Asked
    from inmo.harness.ablation.spec import find_ablation, load_ablation
    from inmo.harness.experiment.ablation_plan import BLOCKED, dry_run

    if command.trainings < 1 or command.jobs < 1:
        raise UserError("--trainings and --jobs want a number of 1 or more")
    file, base = find_ablation(command.ablation), command.config
    if command.preset is not None and base is None:
        base = ROOT / "configs" / command.preset / Path(load_ablation(file).config).name
    steps = () if command.steps is None else (f"steps={command.steps}",)
    asked = Asked(
        file, base, (*steps, *command.set), command.rows, command.seeds, command.dataset, command.partial, command.roots
    )  # fmt: skip
    if command.dry_run:
        lines = dry_run(asked, command.out, at_once=command.trainings, jobs=command.jobs, device=command.device)
        print("\n".join(lines))
        return Exit.MEND if lines[-1].startswith(BLOCKED) else 0
    return ablate(
        asked, out=command.out, device=command.device, at_once=command.trainings,
        resources=lambda: resources_of(command.cluster, command.jobs, command.device, command.lanes),
    )  # fmt: skip
