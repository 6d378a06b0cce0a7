"""Trackers over datasets into a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inmo.harness.commands.options import ClusterOptions, Flag, Lanes, Names, NetworkOptions, Roots, Trackers
from inmo.harness.commands.shared import resources_of, setups_of
from inmo.harness.run.jobs import demand_sequences, plan
from inmo.harness.run.outcomes import say_holes, say_runs
from inmo.harness.run.setup import open_datasets
from inmo.harness.store.store import open_store
from inmo.harness.workers.parallel import run_jobs


@dataclass(frozen=True)
class Track:
    """Run trackers over datasets and store every result; continues where it stopped.

    Trackers of others are python:FILE.py:CLASS, trax:'COMMAND', pytracking:NAME, pysot:NAME.

    Example: python run_all.py track --tracker csrt --dataset otb100=/data/OTB100 --store runs
    """

    tracker: Trackers
    """Tracker to run; may be given several times. `list trackers` names them."""
    dataset: Roots
    """Dataset and its root; may be given several times. NAME:LABEL=ROOT stores it under LABEL."""
    store: Path
    """Folder of results; made when missing, continued when not."""
    network: NetworkOptions = NetworkOptions()
    allow_random_weights: Flag = False
    """Run a network without weights, knowing that its boxes mean nothing."""
    sequences: Names = ()
    """Only these sequences."""
    partial: Flag = False
    """Run what is there of an incomplete dataset; what is missing stays a visible hole."""
    jobs: int = 1
    """Worker processes."""
    cluster: ClusterOptions = ClusterOptions()
    lanes: Lanes = 1
    """Sequences of one tracker that run in lock-step in each worker; auto fits the device. Speed is measured with 1."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps; OpenCV's trackers always use the processor."""
    label: str = ""
    """Name for tables and exports, in place of the tracker's own."""


def run(command: Track) -> int:
    setups = setups_of(command.tracker, command.network, command.allow_random_weights)
    datasets = open_datasets(command.dataset)
    demand_sequences(datasets, command.sequences, command.partial)
    with resources_of(command.cluster, command.jobs, command.device, command.lanes) as resources:
        resources.check(setups, datasets)
        store = open_store(command.store, write=True)
        jobs, done = plan(
            store, datasets, setups, names=command.sequences, label=command.label, device=command.device,
            partial=command.partial,
        )  # fmt: skip
        outcomes = run_jobs(jobs, resources)
    say_runs(len(jobs), done, outcomes, command.store)
    return say_holes(outcomes)
