"""Test-time constants: scores over a range of them, and a search for better ones."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, UseAppendAction, arg

from inmo.harness.commands.options import ClusterOptions, Names, NetworkOptions, Repeated
from inmo.harness.commands.shared import say_holes, setups_of, workers_of


@dataclass(frozen=True)
class Sweep:
    """Run trackers under many test-time constants at once and print AUC for each.

    Frames and templates are shared by all values of a sequence. Continues where it stopped.

    Example: python run_all.py sweep --tracker transt --preset nano --over lr=0:0.9:0.1 --dataset mini-lasot --out lr
    """

    tracker: Annotated[Repeated, arg(metavar="NAME")]
    """Neural tracker; may be given several times."""
    dataset: Annotated[Repeated, arg(metavar="NAME=ROOT")]
    """Dataset and its root; may be given several times."""
    over: Annotated[Repeated, arg(metavar="NAME=VALUES")]
    """window_influence, penalty_k or lr, as name=0,0.1,0.2 or name=first:last:step; several give every combination."""
    store: Path = Path("sweeps")
    """Folder of results; made when missing, continued when not."""
    out: Path | None = None
    """Also write the table and the figure: OUT/tables/*, OUT/figures/*."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    sequences: Names = ()
    """Only these sequences."""
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run what is there of an incomplete dataset."""
    jobs: int = 1
    """Worker processes."""
    cluster: OmitArgPrefixes[ClusterOptions] = ClusterOptions()
    device: str = "auto"
    """auto, cpu, cuda ..."""


def sweep(command: Sweep) -> int:
    from inmo.harness.constants.sweep import parse_over, run_sweep, swept
    from inmo.harness.run.jobs import demand_sequences
    from inmo.harness.run.setup import open_datasets
    from inmo.harness.store.store import open_store
    from inmo.reports.blocks.block import write_block
    from inmo.reports.blocks.sweeps import read_sweep, sweep_block
    from inmo.reports.figures.style import styles

    over = parse_over(command.over)
    bases = setups_of(command.tracker, command.network, random_weights=False)
    datasets = open_datasets(command.dataset)
    demand_sequences(datasets, command.sequences, command.partial)
    store = open_store(command.store, write=True)
    with workers_of(command) as workers:
        outcomes, wanted, done = run_sweep(
            store, bases, over, datasets, names=command.sequences, workers=workers, device=command.device,
            partial=command.partial,
        )  # fmt: skip
    print(f"{wanted} runs of a sequence wanted, {done} were done before; results in {command.store}", file=sys.stderr)
    look = styles(base.label or base.spec.title for base in bases)
    numbers = {name: number for number, name in enumerate(look)}
    block = sweep_block(
        read_sweep(store, swept(bases, over, datasets)), tuple(over), look, numbers,
        stem=f"sweep_{'_'.join(over)}", title=f"Sweep over {', '.join(over)}",
    )  # fmt: skip
    for table in block.tables.values():
        print(table.to_text())
    if command.out is not None:
        written = write_block(block, command.out)
        print("\n".join([*block.notes, *(str(path) for path in written)]), file=sys.stderr)
    return say_holes(outcomes)


@dataclass(frozen=True)
class Tune:
    """Search a tracker's test-time constants on a part of a dataset and measure them on the rest.

    Needs Optuna (the extra `tune`). Continues where it stopped.

    Example: python run_all.py tune --tracker transt --preset nano --dataset mini-lasot --trials 40 --out tuning
    """

    tracker: str
    """Neural tracker."""
    dataset: str
    """NAME=ROOT, or NAME alone where the root is known."""
    trials: int
    """How many sets of constants to score, beside the tracker's own."""
    out: Path
    """Folder of the tuning: tuned.yaml, tables/*, the log and the results of all trials."""
    space: Annotated[UseAppendAction[Names], arg(metavar="NAME=FIRST:LAST")] = ()
    """What is searched, as name=first:last[:step]; may be given several times; all three constants by default."""
    batch: int = 8
    """Sets that are proposed at a time and share every frame and template."""
    holdout: float = 0.5
    """Share of the sequences that is held out, drawn by --seed."""
    sequences: Names = ()
    """Tune on these sequences and hold out all others."""
    seed: int = 0
    """Of the draw and of the proposals."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Tune on what is there of an incomplete dataset."""
    jobs: int = 1
    """Worker processes."""
    device: str = "auto"
    """auto, cpu, cuda ..."""


def tune(command: Tune) -> int:
    from inmo.harness.constants import tune as tuning
    from inmo.harness.constants.trials import parse_space
    from inmo.harness.run.jobs import demand_sequences
    from inmo.harness.run.setup import parse_dataset
    from inmo.reports.blocks.block import write_block
    from inmo.reports.blocks.tuning import tuning_block

    (base,) = setups_of([command.tracker], command.network, random_weights=False)
    dataset = parse_dataset(command.dataset).open()
    demand_sequences([dataset], command.sequences, command.partial)
    split = tuning.split(dataset, sequences=command.sequences, holdout=command.holdout, seed=command.seed)
    for kind, names in (("tuned on", split.tuned_on), ("held out", split.held_out)):
        print(f"{kind} {len(names)}: {', '.join(names)}")
    task = tuning.Task(base, dataset, parse_space(command.space), split, command.seed)
    try:
        found = tuning.run_tuning(
            task, command.out, trials=command.trials, batch=command.batch, workers=command.jobs, device=command.device
        )
    except tuning.Interrupted as error:
        return say_holes(error.outcomes)
    block = tuning_block(found)
    print(block.tables["tuning"].to_text())
    write_block(block, command.out)
    print(tuning.write_tuned(tuning.tuned_of(found), command.out / tuning.FILE))
    return 0
