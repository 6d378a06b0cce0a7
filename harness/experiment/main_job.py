"""The main job: an experiment from its file to the page. The embedded one needs no data, no weights and no GPU."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inmo.datasets import open_dataset
from inmo.datasets.base import Dataset
from inmo.datasets.files import open_tree
from inmo.harness.experiment.load import check_ablations, load_experiment
from inmo.harness.experiment.paper import ABLATIONS, Work, blocks, check
from inmo.harness.experiment.paper_rows import ABLATION, COMPARISON, rows_of
from inmo.harness.experiment.paper_tables import columns_of, trainings_of
from inmo.harness.experiment.run import Opened, open_experiment, run_candidates, run_experiment
from inmo.harness.experiment.spec import Experiment
from inmo.harness.experiment.submission import boxes_of, check_submission, enter_server_scores, write_submissions
from inmo.harness.run.jobs import Outcome
from inmo.harness.store.export import export_store
from inmo.harness.store.records import export_names
from inmo.harness.store.store import Store, open_store
from inmo.harness.workers.resources import Resources
from inmo.paths import ROOT
from inmo.reports.scoring.raw import score_dataset
from inmo.reports.scoring.stored import evaluate
from inmo.reports.tables.findings import findings
from inmo.reports.tables.pooled import (
    pooled_footnotes,
    pooled_marks,
    pooled_pairs,
    pooled_scores,
    pooled_speeds,
    pooled_table,
)
from inmo.reports.tables.table import write_tables
from inmo.trackers import tracker

EMBEDDED = ROOT / "experiments" / "mini.yaml"
SERVED = "mini-trackingnet"  # its ground truth is not with the data, as on the real server


@dataclass(frozen=True)
class Choice:
    """What of an experiment to make: tables and figures in place of its own, and only these datasets (labels)."""

    tables: tuple[int, ...] = ()
    figures: tuple[int, ...] = ()
    datasets: tuple[str, ...] = ()

    @property
    def parts(self) -> bool:
        """Whether tables or figures were chosen, so that only what they need is run."""
        return bool(self.tables or self.figures)


def run_main_job(
    out: Path,
    resources: Resources = Resources(),
    *,
    path: Path = EMBEDDED,
    given: Sequence[str] = (),
    choice: Choice = Choice(),
) -> tuple[list[Outcome], Path]:
    """Run what is missing of an experiment and render it.

    Args:
        out: the stores and the report go below it.
        resources: where and how.
        path: the experiment's file.
        given: datasets as on the command line, in place of the experiment's own.
        choice: what of the experiment.

    Returns:
        the outcomes of this call's jobs, and the path of the page.

    Raises:
        UserError: whatever the user can mend.
    """
    experiment = chosen(load_experiment(path), choice)
    opened = open_experiment(experiment, given, choice.datasets)
    for label, why in opened.absent.items():
        print(f"without {label}: {why}", file=sys.stderr)
    store = open_store(out / "store", write=True)
    outcomes, done = _run(experiment, opened, store, out, resources, choice)
    print(f"{experiment.title}: {len(outcomes)} runs of a sequence done, {done} were done before", file=sys.stderr)
    _ask_servers(experiment, opened.datasets, store, out / "submissions")

    evaluation = evaluate(store, protocols=experiment.protocols)
    work = Work(experiment, opened.datasets, store, evaluation, out, resources, opened.absent)
    return outcomes, _render(work, out / "report")


def chosen(experiment: Experiment, choice: Choice) -> Experiment:
    """The experiment with the chosen tables and figures in place of its own, where any are. Raises UserError."""
    if not choice.parts:
        return experiment
    check(choice.tables, choice.figures)
    made = replace(experiment, tables=choice.tables, figures=choice.figures)
    check_ablations(made)
    return made


def _run(
    experiment: Experiment,
    opened: Opened,
    store: Store,
    out: Path,
    resources: Resources,
    choice: Choice,
) -> tuple[list[Outcome], int]:
    """The experiment's own trackers on its datasets, or those that the chosen tables need, then the trainings."""
    outcomes: list[Outcome] = []
    done = 0
    comparisons = [table for table in experiment.tables if table in COMPARISON]
    if not choice.parts:
        outcomes, done = run_experiment(experiment, opened.datasets, store, resources=resources)
    elif comparisons:
        needed = {d.label: d for table in comparisons for d in columns_of(table, opened.datasets).values()}
        outcomes, done = run_experiment(
            experiment, tuple(needed.values()), store, rows=rows_of(comparisons), resources=resources,
        )  # fmt: skip
    ablations = [table for table in experiment.tables if table in ABLATION]
    needed = {d.label: d for table in ablations for d in columns_of(table, opened.datasets).values()}
    found = [candidate for own in trainings_of(experiment, ablations).values() for candidate in own]
    if needed and found:
        more, before = run_candidates(
            found, tuple(needed.values()), open_store(out / ABLATIONS, write=True), partial=experiment.partial,
            resources=resources,
        )  # fmt: skip
        outcomes, done = outcomes + more, done + before
    return outcomes, done


def _ask_servers(experiment: Experiment, datasets: Sequence[Dataset], store: Store, submissions: Path) -> None:
    """Write submissions for datasets whose ground truth a server keeps, and enter what is known of its scores."""
    run = set(store.datasets())
    for dataset in datasets:
        if dataset.label not in run or dataset.benchmark.ground_truth != "first":
            continue
        if dataset.benchmark.name == SERVED:
            ask_server(store, submissions, dataset)
        else:
            for sentence in write_submissions(store, dataset, submissions):
                print(f"{dataset.label}: {sentence}", file=sys.stderr)
    enter_server_scores(experiment, store, [dataset for dataset in datasets if dataset.label in run])


def _render(work: Work, out: Path) -> Path:
    from inmo.reports.page.page import write_report

    experiment = work.experiment
    page = write_report(work.store, out, title=experiment.title, evaluation=work.evaluation, blocks=blocks(work))
    if experiment.reference:
        table = pooled_table(work.evaluation, _display_name(experiment))
        write_tables({"pooled": table, "pooled_pairs": pooled_pairs(work.evaluation)}, out / "tables")
        print(table.to_text())
    every = work.evaluation
    signs, words = pooled_marks(every), pooled_footnotes(every)
    for sentence in findings(pooled_scores(every), pooled_speeds(every), signs, words):
        print(sentence)
    return page


def _display_name(experiment: Experiment) -> str:
    entry = next(e for e in experiment.trackers if experiment.reference in (e.label, e.tracker))
    return entry.label or tracker(entry.tracker).title


def ask_server(store: Store, submissions: Path, dataset: Dataset) -> None:
    """Submit the mini TrackingNet results as one would, and keep what its answer key says of them.

    The submission is scored from the files a real server would get: integers after rounding, one zip per tracker.
    """
    label, answers = dataset.label, Path(dataset.root).parent / "trackingnet-answers"
    export_store(store, "trackingnet", submissions, partial=True, datasets=(label,))
    names = export_names(store.runs(label))
    scores = score_dataset(open_dataset(SERVED, str(answers)), open_tree(submissions / label), partial=True)
    by_tracker = {score.tracker: score for score in scores}
    for run in store.runs(label):
        score = by_tracker.get(names[run.folder])
        if score is None or score.sequences < score.expected:
            continue
        frames = {name: len(boxes) for name, boxes in boxes_of(store, label, run).items()}
        check_submission(submissions / label / f"{names[run.folder]}.zip", frames)
        store.put_server_score(
            label,
            run,
            {
                "source": "the mini-suite's answer key",
                "protocol": score.protocol,
                "coverage": score.coverage,
                "success": score.mean.success_auc,
                "precision": score.mean.precision_auc,
                "norm_precision": score.mean.norm_precision_auc,
            },
        )
