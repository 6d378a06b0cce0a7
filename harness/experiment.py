"""An experiment as data: which trackers on which datasets, scored how. ``run_experiment`` does what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from datasets.errors import UserError, unknown_name
from harness.regenerate import check
from harness.structure import read_yaml, structure

if TYPE_CHECKING:
    from datasets.base import Dataset
    from harness.config import Setup
    from harness.jobs import Outcome
    from harness.store import Store


@dataclass(frozen=True)
class TrackerEntry:
    """One tracker: registry name, the name in tables (its own when empty), settings as for ``--set``."""

    tracker: str
    label: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetEntry:
    """One dataset: registry name, root (where empty, the user's config file or the mini-suite knows it), label."""

    name: str
    root: str = ""
    label: str = ""


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
        tables, figures: numbers of the paper's tables and figures to make, see ``harness.regenerate``.
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
    _check_figures(experiment, str(path), names)
    return experiment


def _check_figures(experiment: Experiment, path: str, names: Sequence[str]) -> None:
    """Raises UserError for a sweep or maps that cannot be made: said before the work, not after it."""
    from harness.sweep import parse_over

    entries: list[tuple[str, tuple[str, ...]]] = [("maps", entry.trackers) for entry in experiment.maps]
    if experiment.sweep is not None:
        entries.append(("sweep", experiment.sweep.trackers))
        parse_over(experiment.sweep.over)
    for kind, trackers in entries:
        for name in trackers:
            if name not in names:
                raise UserError(f"{path}: {unknown_name(f'tracker in {kind}', name, names)}")


def setups(experiment: Experiment) -> list[Setup]:
    """The trackers as configs. Raises UserError for unknown names or values."""
    from harness.config import configure

    made = []
    for entry in experiment.trackers:
        words = {key: value if isinstance(value, str) else _word(value) for key, value in entry.settings.items()}
        made.append(replace(configure(entry.tracker, words), label=entry.label))
    return made


def open_all(experiment: Experiment, given: Sequence[str] = ()) -> list[Dataset]:
    """The datasets: those ``given`` as on the command line (``NAME:LABEL=ROOT``), else the experiment's own."""
    from harness.config import open_datasets

    words = [
        f"{entry.name}:{entry.label or entry.name}" + (f"={entry.root}" if entry.root else "")
        for entry in experiment.datasets
    ]
    if not (given or words):
        raise UserError("the experiment names no dataset: give some as --dataset NAME=ROOT")
    return open_datasets([*given] or words)


def run_experiment(
    experiment: Experiment,
    datasets: Sequence[Dataset],
    store: Store,
    *,
    workers: int = 1,
    device: str = "auto",
    lanes: int | Literal["auto"] = 1,
) -> tuple[list[Outcome], int]:
    """Do what is missing; the outcomes of this call's jobs, and how many were done before.

    Raises UserError for whatever the user can mend before any work is done.
    """
    from harness.jobs import built, plan
    from harness.parallel import run_jobs

    trackers = setups(experiment)
    for setup in trackers:
        for dataset in datasets:
            built(setup.spec.name, setup.on(dataset.benchmark.name), device)
    jobs, done = plan(store, datasets, trackers, device=device, partial=experiment.partial)
    return run_jobs(jobs, workers=workers, lanes=lanes), done


def _word(value: Any) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True)).removesuffix("\n").removesuffix("\n...")
