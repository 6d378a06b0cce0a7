"""What a run will take, before it is run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from inmo.errors import UserError
from inmo.harness.commands.options import Names, NetworkOptions, Trackers
from inmo.harness.commands.shared import setups_of
from inmo.harness.experiment.planning import Wanted, footage, lines, make_plan, wanted_by
from inmo.harness.store.store import open_store


@dataclass(frozen=True)
class Plan:
    """Say what a run will take, before it is run: jobs, frames, time, disk, and how well workers would share it.

    Speeds are those of results in --store, else of --bench, else of a short measurement. A dataset that is not here is
    planned by the lengths in its table. Of an experiment its trackers, its ablations' trainings and its sweeps are
    counted; training itself is not.

    Example: python run_all.py plan --tracker csrt --dataset lasot --workers 64
    """

    experiment: Path | None = None
    """YAML, see experiments/; in place of --tracker."""
    tracker: Trackers = ()
    """Tracker to run; may be given several times."""
    dataset: Annotated[Names, arg(metavar="NAME[=ROOT] ...")] = ()
    """Dataset, in place of the experiment's own; may be given several times."""
    workers: int = 1
    """Worker processes, of all hosts together."""
    store: Path | None = None
    """Folder of results: what is there is done, and tells speeds."""
    bench: Path | None = None
    """JSON of `bench --out`."""
    network: NetworkOptions = NetworkOptions()
    device: str = "auto"
    """Where a speed is measured that nothing tells: auto, cpu, cuda ..."""


def run(command: Plan) -> int:
    if command.workers < 1:
        raise UserError(f"--workers {command.workers}: give a number from 1 up")
    if (command.experiment is None) == (not command.tracker):
        raise UserError("say what is to be run: --experiment FILE, or --tracker NAME --dataset NAME")
    if command.experiment is not None:
        wanted, without = wanted_by(command.experiment, command.dataset)
    elif command.dataset:
        setups = setups_of(command.tracker, command.network, random_weights=True)
        wanted, without = [Wanted(setup, film) for film in map(footage, command.dataset) for setup in setups], []
    else:
        raise UserError("say on what: --dataset NAME, or --dataset NAME=ROOT where it is not known to the config file")
    for sentence in without:
        print(f"without {sentence}", file=sys.stderr)
    store = open_store(command.store) if command.store is not None else None
    made = make_plan(wanted, store=store, bench=command.bench, device=command.device)
    print("\n".join(lines(made, command.workers)))
    return 0
