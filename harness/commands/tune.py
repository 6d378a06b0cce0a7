"""A search for better test-time constants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from inmo.harness.commands.options import Flag, Names, NetworkOptions
from inmo.harness.commands.shared import setups_of
from inmo.harness.constants import tune as tuning
from inmo.harness.constants.trials import parse_space
from inmo.harness.run.jobs import demand_sequences
from inmo.harness.run.outcomes import say_holes
from inmo.harness.run.setup import parse_dataset
from inmo.harness.workers.resources import Resources
from inmo.reports.blocks.block import write_block


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
    space: Annotated[Names, arg(metavar="NAME=FIRST:LAST ...")] = ()
    """What is searched, as name=first:last[:step]; may be given several times; all three constants by default."""
    batch: int = 8
    """Sets that are proposed at a time and share every frame and template."""
    holdout: float = 0.5
    """Share of the sequences that is held out, drawn by --seed."""
    sequences: Names = ()
    """Tune on these sequences and hold out all others."""
    seed: int = 0
    """Of the draw and of the proposals."""
    network: NetworkOptions = NetworkOptions()
    partial: Flag = False
    """Tune on what is there of an incomplete dataset."""
    jobs: int = 1
    """Worker processes."""
    device: str = "auto"
    """auto, cpu, cuda ..."""


def run(command: Tune) -> int:
    from inmo.harness.constants.tuning_block import tuning_block

    (base,) = setups_of([command.tracker], command.network, random_weights=False)
    dataset = parse_dataset(command.dataset).open()
    demand_sequences([dataset], command.sequences, command.partial)
    split = tuning.split(dataset, sequences=command.sequences, holdout=command.holdout, seed=command.seed)
    for kind, names in (("tuned on", split.tuned_on), ("held out", split.held_out)):
        print(f"{kind} {len(names)}: {', '.join(names)}")
    task = tuning.Task(base, dataset, parse_space(command.space), split, command.seed)
    try:
        resources = Resources(command.jobs, command.device)
        found = tuning.run_tuning(task, command.out, trials=command.trials, batch=command.batch, resources=resources)
    except tuning.Interrupted as error:
        return say_holes(error.outcomes)
    block = tuning_block(found)
    print(block.tables["tuning"].to_text())
    write_block(block, command.out)
    print(tuning.write_tuned(tuning.tuned_of(found), command.out / tuning.FILE))
    return 0
