"""Submissions to servers that keep the ground truth: written, looked at, and what the server said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from inmo.datasets.base import Dataset, Hole
from inmo.errors import UserError
from inmo.harness.experiment.paper_rows import candidates, recorded
from inmo.harness.experiment.spec import Experiment
from inmo.harness.experiment.submission_check import submission_problems
from inmo.harness.store.export import pack_submission, write_results
from inmo.harness.store.records import Run, export_names
from inmo.harness.store.store import Store

FORMAT = "trackingnet"


def write_submissions(store: Store, dataset: Dataset, out: Path) -> list[str]:
    """One zip per complete tracker below OUT/<dataset>, each read again and checked; a sentence for each tracker.

    Raises UserError for a zip that a server would refuse, or a folder that cannot be written.
    """
    told = []
    runs = store.runs(dataset.label)
    names, wanted = export_names(runs), store.dataset(dataset.label)
    for run in runs:
        title = run.label or run.title
        frames = frames_of(store, dataset.label, run)
        if len(frames) < wanted.expected:
            told.append(
                f"{title}: {len(frames)} of {wanted.expected} sequences are done, so there is no submission yet"
            )
            continue
        packed = _write(store, dataset, out, run, names[run.folder])
        check_submission(packed, frames)
        told.append(f"{title}: submission written to {packed} and checked")
    return told


def _write(store: Store, dataset: Dataset, out: Path, run: Run, name: str) -> Path:
    files = []
    for sequence in store.dataset(dataset.label).names:
        result = store.result(dataset.label, run, sequence)
        if not isinstance(result, Hole):
            files += write_results(out, FORMAT, dataset.label, dataset.benchmark.name, name, sequence, result.boxes)
    return pack_submission(files[0].parent)


def frames_of(store: Store, label: str, run: Run) -> dict[str, int]:
    """Sequence -> rows of its result."""
    found = {}
    for name in store.dataset(label).names:
        result = store.result(label, run, name)
        if not isinstance(result, Hole):
            found[name] = len(result.boxes)
    return found


def check_submission(path: Path, frames: Mapping[str, int | None]) -> None:
    """Raises UserError for a zip that a server would refuse or score 0 in part, naming the first problem."""
    problems = submission_problems(path, frames)
    if problems:
        more = f", and {len(problems) - 1} more: `validate` lists them" if len(problems) > 1 else ""
        raise UserError(f"{path}: {problems[0]}{more}")


def enter_server_scores(experiment: Experiment, store: Store, datasets: Sequence[Dataset]) -> None:
    """Keep the experiment's server scores beside the runs that were submitted, as fractions."""
    known = {candidate.label: candidate for candidate in recorded(experiment, datasets)}
    named = zip(experiment.trackers, candidates(experiment), strict=True)
    known |= {entry.label or entry.tracker: candidate for entry, candidate in named}
    for score in experiment.server_scores:
        candidate = known.get(score.tracker)
        if candidate is None:
            continue  # a row whose raw results are not there yet: the table shows it as published
        for dataset in candidate.on([d for d in datasets if d.label == score.dataset]):
            place = candidate.setup.folder(dataset)
            run = next((run for run in store.runs(dataset.label) if run.folder == place), None)
            if run is not None:
                given = {key: getattr(score, key) for key in ("success", "precision", "norm_precision")}
                told = {key: value / 100 for key, value in given.items() if value is not None}
                facts = {"source": score.source, "protocol": dataset.benchmark.protocol, "coverage": "as submitted"}
                store.put_server_score(dataset.label, run, {**facts, **told})
