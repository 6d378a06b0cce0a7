"""Carrying out an experiment: its datasets are opened, and what is missing of its runs is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from inmo.datasets.base import Dataset
from inmo.errors import UserError, unknown_name
from inmo.harness.experiment.paper_rows import Candidate, candidates, recorded
from inmo.harness.experiment.spec import Experiment
from inmo.harness.run.jobs import Job, Outcome, plan
from inmo.harness.run.recorded_results import import_recorded
from inmo.harness.run.setup import Setup, known_root, no_root, open_datasets, parse_dataset
from inmo.harness.store.store import Store
from inmo.harness.workers.parallel import run_jobs
from inmo.harness.workers.resources import Resources


def setups(experiment: Experiment) -> list[Setup]:
    """The trackers as configs, those that lack their files too. Raises UserError for unknown names or values."""
    return [candidate.setup for candidate in candidates(experiment)]


@dataclass(frozen=True)
class Opened:
    """The datasets of an experiment that are there, and why the others are not: label -> one sentence."""

    datasets: tuple[Dataset, ...]
    absent: Mapping[str, str] = field(default_factory=dict)


def open_experiment(experiment: Experiment, given: Sequence[str] = (), only: Sequence[str] = ()) -> Opened:
    """Open the datasets.

    Args:
        given: as on the command line (``NAME:LABEL=ROOT``), in place of the experiment's own.
        only: labels of those that are wanted; all when empty.

    Raises:
        UserError: a root that was given and holds nothing, an unknown name, or no dataset at all. One of the
            experiment's own whose root nobody has configured is no error: it is absent.
    """
    entries = {entry.called: entry.word for entry in experiment.datasets}
    if given:
        entries = {parse_dataset(word).label: word for word in given} if only else dict(zip(given, given, strict=True))
    if not entries:
        raise UserError("the experiment names no dataset: give some as --dataset NAME=ROOT")
    for label in only:
        if label not in entries:
            raise unknown_name("dataset of the experiment", label, entries)
    words = {label: word for label, word in entries.items() if not only or label in only}
    absent = {}
    for label, word in words.items():
        argument = parse_dataset(word)
        if not (given or argument.root or known_root(argument.name)):
            absent[label] = no_root(argument.name)
    if len(absent) == len(words):
        raise UserError(f"none of the experiment's datasets is there: {next(iter(absent.values()))}")
    return Opened(tuple(open_datasets([word for label, word in words.items() if label not in absent])), absent)


def run_experiment(
    experiment: Experiment,
    datasets: Sequence[Dataset],
    store: Store,
    *,
    rows: Collection[str] | None = None,
    resources: Resources = Resources(),
) -> tuple[list[Outcome], int]:
    """Do what is missing; the outcomes of this call's jobs, and how many were done before.

    Args:
        rows: run only the trackers that stand for these rows of the paper; all when None.

    Raises UserError for whatever the user can mend before any work is done.
    """
    found = [*candidates(experiment), *recorded(experiment, datasets)]
    if rows is not None:
        found = [candidate for candidate in found if candidate.row in rows]
    return run_candidates(found, datasets, store, partial=experiment.partial, resources=resources)


def run_candidates(
    found: Sequence[Candidate],
    datasets: Sequence[Dataset],
    store: Store,
    *,
    partial: bool = False,
    resources: Resources = Resources(),
) -> tuple[list[Outcome], int]:
    """As ``run_experiment``, for candidates; two with one config are one run."""
    wanted: list[tuple[Dataset, list[Setup]]] = []
    for dataset in datasets:
        own = {c.setup.folder(dataset): c.setup for c in reversed(found) if dataset in c.on(datasets)}
        resources.check(list(own.values()), [dataset])
        wanted.append((dataset, list(reversed(own.values()))))
    jobs: list[Job] = []
    done = 0
    for dataset, chosen in wanted:
        if chosen:
            more, before = plan(store, [dataset], chosen, device=resources.device, partial=partial)
            jobs, done = jobs + more, done + before
    replayed = [job for job in jobs if job.run.tracker == "recorded"]
    tracked = sorted((job for job in jobs if job.run.tracker != "recorded"), key=lambda job: -job.frames)
    return [*import_recorded(replayed), *run_jobs(tracked, resources)], done
