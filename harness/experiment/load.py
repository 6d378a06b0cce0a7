"""From an experiment's file to its record; what cannot be made is said before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from inmo.errors import UserError, unknown_name
from inmo.harness.ablation.spec import found_file
from inmo.harness.constants.sweep import parse_over
from inmo.harness.experiment.paper import check
from inmo.harness.experiment.paper_rows import ABLATION, COMPARISON, rows_of
from inmo.harness.experiment.spec import Experiment
from inmo.records import read_yaml, structure
from inmo.reports.scoring.study import read_study


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
    experiment = replace(experiment, kept=tuple(str(found_file(text, Path(path))) for text in experiment.kept))
    for file in experiment.kept:
        read_study(Path(file))  # one that is damaged is said before the work
    _check_rows(experiment, str(path), names)
    _check_figures(experiment, str(path), names)
    return experiment


def _check_figures(experiment: Experiment, path: str, names: Sequence[str]) -> None:
    """Raises UserError for a sweep or maps that cannot be made: said before the work, not after it."""
    entries: list[tuple[str, tuple[str, ...]]] = [("maps", entry.trackers) for entry in experiment.maps]
    if experiment.sweep is not None:
        entries.append(("sweep", experiment.sweep.trackers))
        parse_over(experiment.sweep.over)
    for kind, trackers in entries:
        for name in trackers:
            if name not in names:
                raise UserError(f"{path}: {unknown_name(f'tracker in {kind}', name, names)}")


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
        if not entry.compared and (entry.row or (entry.label or entry.tracker) == experiment.reference):
            raise UserError(
                f"{path}: {entry.label or entry.tracker} is not compared (compared: false), so that it can neither "
                "stand for a row of the tables nor be the reference"
            )
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
