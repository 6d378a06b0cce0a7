"""Submissions to servers that keep the ground truth: written, looked at, and what the server said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from inmo.boxes import Boxes
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
        done = boxes_of(store, dataset.label, run)
        if len(done) < wanted.expected:
            told.append(f"{title}: {len(done)} of {wanted.expected} sequences are done, so there is no submission yet")
            continue
        place = (out, FORMAT, dataset.label, dataset.benchmark.name, names[run.folder])
        files = [file for name, boxes in done.items() for file in write_results(*place, name, boxes)]
        packed = pack_submission(files[0].parent)
        check_submission(packed, {name: len(boxes) for name, boxes in done.items()})
        told.append(f"{title}: submission written to {packed} and checked")
    return told


def boxes_of(store: Store, label: str, run: Run) -> dict[str, Boxes]:
    """Sequence -> the boxes of its result."""
    results = ((name, store.result(label, run, name)) for name in store.dataset(label).names)
    return {name: result.boxes for name, result in results if not isinstance(result, Hole)}


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
    known |= {entry.called: candidate for entry, candidate in named}
    for score in experiment.server_scores:
        candidate = known.get(score.tracker)
        if candidate is None:
            continue  # a row whose raw results are not there yet: the table shows it as published
        for dataset in candidate.on([d for d in datasets if d.label == score.dataset]):
            place = candidate.setup.folder(dataset)
            run = next((run for run in store.runs(dataset.label) if run.folder == place), None)
            if run is not None:
                told = {key: value / 100 for key, value in score.percent.items()}
                facts = {"source": score.source, "protocol": dataset.benchmark.protocol, "coverage": "as submitted"}
                store.put_server_score(dataset.label, run, {**facts, **told})
