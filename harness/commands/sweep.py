"""Scores over a range of test-time constants."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from inmo.harness.commands.options import ClusterOptions, Flag, Names, NetworkOptions, Roots, Trackers
from inmo.harness.commands.shared import resources_of, setups_of
from inmo.harness.constants.sweep import parse_over, run_sweep, swept, trainings
from inmo.harness.run.jobs import demand_sequences
from inmo.harness.run.outcomes import say_holes, say_runs
from inmo.harness.run.setup import open_datasets
from inmo.harness.store.store import open_store
from inmo.reports.blocks.block import write_block
from inmo.reports.figures.style import styles


@dataclass(frozen=True)
class Sweep:
    """Run trackers under many test-time constants at once and print AUC for each.

    Frames and templates are shared by all values of a sequence. Continues where it stopped.

    Example: python run_all.py sweep --tracker transt --preset nano --over lr=0:0.9:0.1 --dataset mini-lasot --out lr
    """

    tracker: Trackers
    """Neural tracker; may be given several times."""
    dataset: Roots
    """Dataset and its root; may be given several times."""
    over: Annotated[Names, arg(metavar="NAME=VALUES ...")]
    """window_influence, penalty_k or lr, as name=0,0.1,0.2 or name=first:last:step; several give every combination."""
    store: Path = Path("sweeps")
    """Folder of results; made when missing, continued when not."""
    out: Path | None = None
    """Also write the table and the figure: OUT/tables/*, OUT/figures/*."""
    network: NetworkOptions = NetworkOptions()
    seeds: tuple[int, ...] = ()
    """Weights that come with the project, a training of every tracker for each; scores are their means."""
    sequences: Names = ()
    """Only these sequences."""
    partial: Flag = False
    """Run what is there of an incomplete dataset."""
    jobs: int = 1
    """Worker processes."""
    cluster: ClusterOptions = ClusterOptions()
    device: str = "auto"
    """auto, cpu, cuda ..."""


def run(command: Sweep) -> int:
    from inmo.reports.blocks.sweeps import read_sweep, sweep_block

    over = parse_over(command.over)
    bases = trainings(setups_of(command.tracker, command.network, random_weights=False), command.seeds)
    datasets = open_datasets(command.dataset)
    demand_sequences(datasets, command.sequences, command.partial)
    store = open_store(command.store, write=True)
    with resources_of(command.cluster, command.jobs, command.device) as resources:
        outcomes, wanted, done = run_sweep(
            store, bases, over, datasets, names=command.sequences, resources=resources, partial=command.partial
        )
    say_runs(wanted, done, outcomes, command.store)
    look = styles(base.called for base in bases)
    block = sweep_block(
        read_sweep(store, swept(bases, over, datasets)), tuple(over), look,
        stem=f"sweep_{'_'.join(over)}", title=f"Sweep over {', '.join(over)}",
    )  # fmt: skip
    for table in block.tables.values():
        print(table.to_text())
    if command.out is not None:
        written = write_block(block, command.out)
        print(*block.notes, *written, sep="\n", file=sys.stderr)
    return say_holes(outcomes)
