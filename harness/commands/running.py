"""Running trackers: an experiment, single runs, workers for a cluster, a plan, a server for the VOT toolkit."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import OmitArgPrefixes, UseAppendAction, arg

from inmo.errors import UserError
from inmo.harness.commands.options import ClusterOptions, Lanes, Names, NetworkOptions, Repeated
from inmo.harness.commands.shared import EXIT_HOLES, say_holes, setups_of, workers_of

if TYPE_CHECKING:
    from inmo.harness.experiment.planning import Footage
    from inmo.harness.run.setup import Setup


@dataclass(frozen=True)
class MainJob:
    """Run an experiment and render the report; without --experiment the embedded mini-suite through real trackers.

    Interrupted and repeated runs continue where they stopped.

    Example: python run_all.py main --experiment experiments/shipped.yaml --dataset folder=CLIPS --out output/clips
    """

    experiment: Path | None = None
    """YAML, see experiments/."""
    dataset: Annotated[Repeated, arg(metavar="NAME=ROOT")] = ()
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
    cluster: OmitArgPrefixes[ClusterOptions] = ClusterOptions()
    lanes: Lanes = 1
    """Sequences of one tracker that run in lock-step in each worker; auto fits the device. Speed is measured with 1."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps; OpenCV's trackers always use the processor."""


def main_job(command: MainJob) -> int:
    from inmo.harness.experiment.main_job import EMBEDDED, Choice, run_main_job

    choice = Choice(command.table, command.figure, command.datasets)
    with workers_of(command) as workers:
        outcomes, page = run_main_job(
            command.out, workers, path=command.experiment or EMBEDDED, given=command.dataset, device=command.device,
            lanes=command.lanes, choice=choice,
        )  # fmt: skip
    print(f"report: {page.resolve()}")
    return say_holes(outcomes)


@dataclass(frozen=True)
class Track:
    """Run trackers over datasets and store every result; continues where it stopped.

    Trackers of others are python:FILE.py:CLASS, trax:'COMMAND', pytracking:NAME, pysot:NAME.

    Example: python run_all.py track --tracker csrt --dataset otb100=/data/OTB100 --store runs
    """

    tracker: Annotated[Repeated, arg(metavar="NAME")]
    """Tracker to run; may be given several times. `list trackers` names them."""
    dataset: Annotated[Repeated, arg(metavar="NAME=ROOT")]
    """Dataset and its root; may be given several times. NAME:LABEL=ROOT stores it under LABEL."""
    store: Path
    """Folder of results; made when missing, continued when not."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    allow_random_weights: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run a network without weights, knowing that its boxes mean nothing."""
    sequences: Names = ()
    """Only these sequences."""
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run what is there of an incomplete dataset; what is missing stays a visible hole."""
    jobs: int = 1
    """Worker processes."""
    cluster: OmitArgPrefixes[ClusterOptions] = ClusterOptions()
    lanes: Lanes = 1
    """Sequences of one tracker that run in lock-step in each worker; auto fits the device. Speed is measured with 1."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps; OpenCV's trackers always use the processor."""
    label: str = ""
    """Name for tables and exports, in place of the tracker's own."""


def track(command: Track) -> int:
    from inmo.harness.run.jobs import built, demand_sequences, plan
    from inmo.harness.run.setup import open_datasets
    from inmo.harness.store.store import open_store
    from inmo.harness.workers.cluster import checked_on
    from inmo.harness.workers.parallel import run_jobs

    setups = setups_of(command.tracker, command.network, command.allow_random_weights)
    datasets = open_datasets(command.dataset)
    demand_sequences(datasets, command.sequences, command.partial)
    with workers_of(command) as workers:
        for setup in setups:
            for dataset in datasets:  # say what is wrong before any work
                built(setup.spec.name, setup.on(dataset.benchmark.name), checked_on(workers, command.device))
        store = open_store(command.store, write=True)
        jobs, done = plan(
            store, datasets, setups, names=command.sequences, label=command.label, device=command.device,
            partial=command.partial,
        )  # fmt: skip
        outcomes = run_jobs(jobs, workers=workers, lanes=command.lanes)
    print(
        f"{len(jobs)} runs of a sequence wanted, {done} were done before; results in {command.store}", file=sys.stderr
    )
    return say_holes(outcomes)


@dataclass(frozen=True)
class Workers:
    """Start workers on this host for a dask scheduler, one process per GPU; they end with the scheduler or by Ctrl-C.

    Example: python run_all.py workers --scheduler tcp://head:8786 --gpus-per-host 8
    """

    scheduler: str
    """Address of a dask scheduler (tcp://HOST:8786), or the FILE.json that it wrote."""
    gpus_per_host: int = 0
    """One worker for each of so many GPUs, which sees that GPU alone; 0: workers on the processor."""
    jobs: int = 1
    """Workers on the processor, which share its cores evenly."""


def workers(command: Workers) -> int:
    from inmo.harness.workers.hosts import start_workers

    start_workers(command.scheduler, gpus=command.gpus_per_host, processes=command.jobs)
    return 0


@dataclass(frozen=True)
class Plan:
    """Say what a run will take, before it is run: jobs, frames, time, disk, and how well workers would share it.

    Speeds are those of results in --store, else of --bench, else of a short measurement. A dataset that is not here is
    planned by the lengths in its table. Trainings and sweeps of an experiment are not counted.

    Example: python run_all.py plan --tracker csrt --dataset lasot --workers 64
    """

    experiment: Path | None = None
    """YAML, see experiments/; in place of --tracker."""
    tracker: Annotated[UseAppendAction[Names], arg(metavar="NAME")] = ()
    """Tracker to run; may be given several times."""
    dataset: Annotated[UseAppendAction[Names], arg(metavar="NAME[=ROOT]")] = ()
    """Dataset, in place of the experiment's own; may be given several times."""
    workers: int = 1
    """Worker processes, of all hosts together."""
    store: Path | None = None
    """Folder of results: what is there is done, and tells speeds."""
    bench: Path | None = None
    """JSON of `bench --out`."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    device: str = "auto"
    """Where a speed is measured that nothing tells: auto, cpu, cuda ..."""


def plan(command: Plan) -> int:
    from inmo.harness.experiment.planning import lines, make_plan, wanted_by
    from inmo.harness.store.store import open_store

    if command.workers < 1:
        raise UserError(f"--workers {command.workers}: give a number from 1 up")
    if (command.experiment is None) == (not command.tracker):
        raise UserError("say what is to be run: --experiment FILE, or --tracker NAME --dataset NAME")
    if command.experiment is not None:
        setups, films, without = wanted_by(command.experiment, command.dataset)
    else:
        setups, films, without = *_given(command), []
    for sentence in without:
        print(f"without {sentence}", file=sys.stderr)
    store = open_store(command.store) if command.store is not None else None
    made = make_plan(setups, films, store=store, bench=command.bench, device=command.device)
    print("\n".join(lines(made, command.workers)))
    return 0


def _given(command: Plan) -> tuple[list[Setup], list[Footage]]:
    from inmo.harness.experiment.planning import footage

    if not command.dataset:
        raise UserError("say on what: --dataset NAME, or --dataset NAME=ROOT where it is not known to the config file")
    setups = setups_of(command.tracker, command.network, random_weights=True)
    return setups, [footage(word) for word in command.dataset]


@dataclass(frozen=True)
class Serve:
    """Be a TraX tracker for the VOT toolkit or any other TraX client, on standard input and output.

    Example: python run_all.py serve --tracker transinmo --weights transinmo.pth
    """

    tracker: str
    """Tracker to serve."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    allow_random_weights: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run a network without weights, knowing that its boxes mean nothing."""
    tuned_for: str = "vot2019"
    """Benchmark whose test-time constants are used; one without its own takes LaSOT's."""
    device: str = "auto"
    """auto, cpu, cuda ..."""


def serve(command: Serve) -> int:
    from inmo.harness.live.serve import serve as start

    setup = setups_of([command.tracker], command.network, command.allow_random_weights)[0]
    failure = start(setup, command.tuned_for, command.device)
    if failure:
        print(f"error: {failure}", file=sys.stderr)
    return EXIT_HOLES if failure else 0
