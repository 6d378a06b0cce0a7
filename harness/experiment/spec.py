"""An experiment as data: which trackers on which datasets, scored how. ``run_experiment`` does what is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from inmo.errors import UserError, unknown_name
from inmo.harness.experiment.paper import check
from inmo.harness.experiment.paper_rows import ABLATION, COMPARISON, Candidate, candidates, folder, recorded, rows_of
from inmo.records import read_yaml, structure

if TYPE_CHECKING:
    from inmo.datasets.base import Dataset
    from inmo.harness.run.jobs import Job, Outcome
    from inmo.harness.run.setup import Setup
    from inmo.harness.store.store import Store
    from inmo.harness.workers.cluster import Cluster


@dataclass(frozen=True)
class TrackerEntry:
    """One tracker.

    Attributes:
        tracker: registry name.
        label: the name in tables; its own when empty.
        settings: as for ``--set``.
        row: the row of the paper's Tables 2 and 3 that it stands for; the one of its label when empty. Such a tracker
            may lack its files: the row then says so, and the others are run.
        tuned: file that ``tune`` wrote, whose constants are used; the page says what they were tuned on.
    """

    tracker: str
    label: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    row: str = ""
    tuned: str = ""


@dataclass(frozen=True)
class DatasetEntry:
    """One dataset: registry name, root (where empty, the user's config file or the mini-suite knows it), label."""

    name: str
    root: str = ""
    label: str = ""


@dataclass(frozen=True)
class AblationEntry:
    """The trainings that Table 4 or 5 is measured with.

    Attributes:
        table: 4 or 5.
        settings: of every row, as for ``--set``; the row's own values are set over them.
        seeds: one training each; weights that come with the project.
        weights: row -> a file or a list of files, one per training, in place of those.
    """

    table: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    weights: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ServerScore:
    """What an evaluation server said of a submission, in percent as it prints it.

    Attributes:
        dataset, tracker: labels.
        success, precision, norm_precision: areas under the three plots; the last two may be left out.
        source: who said so and when.
    """

    dataset: str
    tracker: str
    success: float
    precision: float | None = None
    norm_precision: float | None = None
    source: str = "the benchmark's server"


@dataclass(frozen=True)
class SweepEntry:
    """Test-time constants to sweep over, all values of a sequence as one batch.

    Attributes:
        trackers: labels of the experiment's trackers.
        datasets: labels of its datasets; all when empty.
        over: values as for ``run_all.py sweep``.
    """

    trackers: tuple[str, ...]
    datasets: tuple[str, ...] = ()
    over: tuple[str, ...] = ("window_influence=0:0.9:0.1",)


@dataclass(frozen=True)
class MapsEntry:
    """Frames to look into: what CSA and TCA do there.

    Attributes:
        trackers: labels of the experiment's trackers.
        dataset: label of one of its datasets; sequence: a name in it.
        frames: indices from 1 up, to which the tracker follows the sequence.
        stage: which interaction is shown, from 0 for the first; negative numbers count from the last.
    """

    trackers: tuple[str, ...]
    dataset: str
    sequence: str
    frames: tuple[int, ...]
    stage: int = -1


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        title: heading of the page.
        trackers, datasets: what is run.
        protocols: shown beside each benchmark's own.
        reference: label of the tracker that the pooled table compares the others with; empty: no such table.
        partial: run what is there of an incomplete dataset; what is missing stays a visible hole.
        tables, figures: numbers of the paper's tables and figures to make, see ``experiment.paper``.
        results: folder of raw results of any trackers; rows of the tables that no tracker stands for are measured from
            it. It need not exist.
        ablations: what Tables 4 and 5 are measured with.
        server_scores: what servers said of submissions.
        maps: what figure 3 is made of.
        sweep: what figure 4 is made of.
    """

    title: str
    trackers: tuple[TrackerEntry, ...]
    datasets: tuple[DatasetEntry, ...] = ()
    protocols: tuple[str, ...] = ()
    reference: str = ""
    partial: bool = False
    tables: tuple[int, ...] = ()
    figures: tuple[int, ...] = ()
    results: str = ""
    ablations: tuple[AblationEntry, ...] = ()
    server_scores: tuple[ServerScore, ...] = ()
    maps: tuple[MapsEntry, ...] = ()
    sweep: SweepEntry | None = None


def load_experiment(path: str | Path) -> Experiment:
    """Read an experiment. Raises UserError for a file that cannot be read or does not fit."""
    experiment = structure(Experiment, read_yaml(path, "experiment"), str(path))
    names = [entry.label or entry.tracker for entry in experiment.trackers]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{path}: two trackers are called '{name}': give one another label")
    if experiment.reference and experiment.reference not in names:
        raise UserError(f"{path}: {unknown_name('reference', experiment.reference, names)}")
    check(experiment.tables, experiment.figures)
    _check_rows(experiment, str(path), names)
    _check_figures(experiment, str(path), names)
    return experiment


def _check_figures(experiment: Experiment, path: str, names: Sequence[str]) -> None:
    """Raises UserError for a sweep or maps that cannot be made: said before the work, not after it."""
    from inmo.harness.constants.sweep import parse_over

    entries: list[tuple[str, tuple[str, ...]]] = [("maps", entry.trackers) for entry in experiment.maps]
    if experiment.sweep is not None:
        entries.append(("sweep", experiment.sweep.trackers))
        parse_over(experiment.sweep.over)
    for kind, trackers in entries:
        for name in trackers:
            if name not in names:
                raise UserError(f"{path}: {unknown_name(f'tracker in {kind}', name, names)}")


def setups(experiment: Experiment) -> list[Setup]:
    """The trackers as configs, those that lack their files too. Raises UserError for unknown names or values."""
    return [candidate.setup for candidate in candidates(experiment)]


@dataclass(frozen=True)
class Opened:
    """The datasets of an experiment that are there, and why the others are not: label -> one sentence."""

    datasets: tuple[Dataset, ...]
    absent: Mapping[str, str] = field(default_factory=dict)


def open_all(experiment: Experiment, given: Sequence[str] = ()) -> list[Dataset]:
    """The datasets that are there; see ``open_experiment``."""
    return list(open_experiment(experiment, given).datasets)


def open_experiment(experiment: Experiment, given: Sequence[str] = (), only: Sequence[str] = ()) -> Opened:
    """Open the datasets.

    Args:
        given: as on the command line (``NAME:LABEL=ROOT``), in place of the experiment's own.
        only: labels of those that are wanted; all when empty.

    Raises:
        UserError: a root that was given and holds nothing, an unknown name, or no dataset at all. One of the
            experiment's own whose root nobody has configured is no error: it is absent.
    """
    from inmo.harness.run.setup import known_root, no_root, open_datasets, parse_dataset

    entries = {
        entry.label or entry.name: f"{entry.name}:{entry.label or entry.name}"
        + (f"={entry.root}" if entry.root else "")
        for entry in experiment.datasets
    }
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
    workers: int | Cluster = 1,
    device: str = "auto",
    lanes: int | Literal["auto"] = 1,
) -> tuple[list[Outcome], int]:
    """Do what is missing; the outcomes of this call's jobs, and how many were done before.

    Args:
        rows: run only the trackers that stand for these rows of the paper; all when None.

    Raises UserError for whatever the user can mend before any work is done.
    """
    found = [*candidates(experiment), *recorded(experiment, datasets)]
    if rows is not None:
        found = [candidate for candidate in found if candidate.row in rows]
    return run_candidates(
        found, datasets, store, partial=experiment.partial, workers=workers, device=device, lanes=lanes
    )


def run_candidates(
    found: Sequence[Candidate],
    datasets: Sequence[Dataset],
    store: Store,
    *,
    partial: bool = False,
    workers: int | Cluster = 1,
    device: str = "auto",
    lanes: int | Literal["auto"] = 1,
) -> tuple[list[Outcome], int]:
    """As ``run_experiment``, for candidates; two with one config are one run."""
    from inmo.harness.run.jobs import built, plan
    from inmo.harness.run.recorded_results import import_recorded
    from inmo.harness.workers.cluster import checked_on
    from inmo.harness.workers.parallel import run_jobs

    wanted: list[tuple[Dataset, list[Setup]]] = []
    for dataset in datasets:
        own = {folder(c.setup, dataset): c.setup for c in reversed(found) if dataset in c.on(datasets)}
        for setup in own.values():
            built(setup.spec.name, setup.on(dataset.benchmark.name), checked_on(workers, device))
        wanted.append((dataset, list(reversed(own.values()))))
    jobs: list[Job] = []
    done = 0
    for dataset, chosen in wanted:
        if chosen:
            more, before = plan(store, [dataset], chosen, device=device, partial=partial)
            jobs, done = jobs + more, done + before
    replayed = [job for job in jobs if job.run.tracker == "recorded"]
    tracked = sorted((job for job in jobs if job.run.tracker != "recorded"), key=lambda job: -job.frames)
    return [*import_recorded(replayed), *run_jobs(tracked, workers=workers, lanes=lanes)], done


def check_ablations(experiment: Experiment) -> None:
    """Raises UserError when Table 4 or 5 is wanted and the experiment has no trainings for it."""
    for table in ABLATION:
        if table in experiment.tables and table not in [entry.table for entry in experiment.ablations]:
            raise UserError(f"table {table} needs its trainings: add them to the experiment under ablations")


def _check_rows(experiment: Experiment, path: str, names: Sequence[str]) -> None:
    """Raises UserError for rows, ablations and server scores that name what is not there."""
    for entry in experiment.trackers:
        if entry.row and entry.row not in rows_of(COMPARISON):
            raise UserError(f"{path}: {unknown_name('row of the tables', entry.row, rows_of(COMPARISON))}")
    tables = [entry.table for entry in experiment.ablations]
    for table in tables:
        if table not in ABLATION or tables.count(table) > 1:
            raise UserError(f"{path}: ablations are of table 4 and of table 5, once each, not of table {table}")
    check_ablations(experiment)
    labels = [entry.label or entry.name for entry in experiment.datasets]
    for score in experiment.server_scores:
        if score.tracker not in {*names, *rows_of(COMPARISON)}:
            known = [*names, *rows_of(COMPARISON)]
            raise UserError(f"{path}: server_scores: {unknown_name('tracker', score.tracker, known)}")
        if score.dataset not in labels:
            raise UserError(f"{path}: server_scores: {unknown_name('dataset', score.dataset, labels)}")
        for key in ("success", "precision", "norm_precision"):
            value = getattr(score, key)
            if value is not None and not 0 <= value <= 100:
                raise UserError(f"{path}: server_scores: {key} of {score.tracker} is {value}: enter percent, 0 to 100")
