"""From an experiment's file to its record; what cannot be made is said before any work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from inmo.errors import UserError, unknown_name
from inmo.harness.ablation.spec import found_file
from inmo.harness.constants.sweep import parse_over
from inmo.harness.experiment.paper import check
from inmo.harness.experiment.paper_rows import ABLATION, COMPARISON, rows_of
from inmo.harness.experiment.spec import AblationEntry, Experiment, TrackerEntry
from inmo.records import read_yaml, structure
from inmo.reports.scoring.study import read_study


def load_experiment(path: str | Path) -> Experiment:
    """Read an experiment. Raises UserError for a file that cannot be read or does not fit."""
    experiment = structure(Experiment, read_yaml(path, "experiment"), str(path))
    names = [entry.called for entry in experiment.trackers]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{path}: two trackers are called '{name}': give one another label")
    if experiment.reference:
        _demand(str(path), "reference", experiment.reference, names)
    check(experiment.tables, experiment.figures)
    experiment = replace(
        experiment,
        kept=tuple(str(found_file(text, Path(path))) for text in experiment.kept),
        trackers=tuple(_with_files(entry, Path(path)) for entry in experiment.trackers),
        ablations=tuple(_with_trainings(entry, Path(path)) for entry in experiment.ablations),
    )
    for file in experiment.kept:
        read_study(Path(file))  # one that is damaged is said before the work
    _check_rows(experiment, str(path), names)
    for maps in experiment.maps:
        for name in maps.trackers:
            _demand(str(path), "tracker in maps", name, names)
    if experiment.sweep is not None:
        parse_over(experiment.sweep.over)
        for name in experiment.sweep.trackers:
            _demand(str(path), "tracker in sweep", name, names)
    return experiment


def _with_files(entry: TrackerEntry, where: Path) -> TrackerEntry:
    """The entry with its weights and tuned constants, if it names some, where they are found."""
    tuned = str(found_file(entry.tuned, where)) if entry.tuned else ""
    return replace(entry, settings=_found(entry.settings, ("weights",), where), tuned=tuned)


def _with_trainings(entry: AblationEntry, where: Path) -> AblationEntry:
    return replace(entry, weights=_found(entry.weights, tuple(entry.weights), where))


def _found(values: Mapping[str, Any], names: Iterable[str], where: Path) -> dict[str, Any]:
    """The values, those of these names with their file or list of files where it is found."""

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(v) for v in value]
        return str(found_file(value, where)) if isinstance(value, str) else value

    return {name: one(value) if name in names else value for name, value in values.items()}


def check_ablations(experiment: Experiment) -> None:
    """Raises UserError when Table 4 or 5 is wanted and the experiment has no trainings for it."""
    for table in ABLATION:
        if table in experiment.tables and table not in [entry.table for entry in experiment.ablations]:
            raise UserError(f"table {table} needs its trainings: add them to the experiment under ablations")


def _check_rows(experiment: Experiment, path: str, names: Sequence[str]) -> None:
    """Raises UserError for rows, ablations and server scores that name what is not there."""
    for entry in experiment.trackers:
        if entry.row:
            _demand(path, "row of the tables", entry.row, rows_of(COMPARISON))
        if not entry.compared and (entry.row or entry.called == experiment.reference):
            raise UserError(
                f"{path}: {entry.called} is not compared (compared: false), so that it can neither "
                "stand for a row of the tables nor be the reference"
            )
    tables = [entry.table for entry in experiment.ablations]
    for table in tables:
        if table not in ABLATION or tables.count(table) > 1:
            raise UserError(f"{path}: ablations are of table 4 and of table 5, once each, not of table {table}")
    check_ablations(experiment)
    where = f"{path}: server_scores"
    for score in experiment.server_scores:
        _demand(where, "tracker", score.tracker, [*names, *rows_of(COMPARISON)])
        _demand(where, "dataset", score.dataset, [entry.called for entry in experiment.datasets])
        for key, value in score.percent.items():
            if not 0 <= value <= 100:
                raise UserError(f"{where}: {key} of {score.tracker} is {value}: enter percent, 0 to 100")


def _demand(where: str, kind: str, name: str, known: Iterable[str]) -> None:
    """Raises UserError for a name that is none of those known."""
    if name not in known:
        raise UserError(f"{where}: {unknown_name(kind, name, known)}")
