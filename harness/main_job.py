"""The main job: an experiment from its file to the page. The embedded one needs no data, no weights and no GPU."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from datasets import open_dataset
from datasets.base import Dataset
from datasets.files import open_tree
from harness import ROOT
from harness.experiment import Experiment, load_experiment, open_all, run_experiment
from harness.export import export_store
from harness.jobs import Outcome
from harness.regenerate import Work, blocks, check
from harness.store import Store, export_names, open_store

EMBEDDED = ROOT / "experiments" / "mini.yaml"
SERVED = "mini-trackingnet"  # its ground truth is not with the data, as on the real server


def run_main_job(
    out: Path,
    workers: int,
    *,
    path: Path = EMBEDDED,
    given: Sequence[str] = (),
    device: str = "auto",
    lanes: int | Literal["auto"] = 1,
    tables: Sequence[int] = (),
    figures: Sequence[int] = (),
) -> tuple[list[Outcome], Path]:
    """Run what is missing of an experiment and render it.

    Args:
        out: the store and the report go below it.
        workers: processes.
        path: the experiment's file.
        given: datasets as on the command line, in place of the experiment's own.
        device: auto, cpu, cuda ...
        lanes: see ``harness.lanes``.
        tables, figures: make these in place of those that the experiment names.

    Returns:
        the outcomes of this call's jobs, and the path of the page.

    Raises:
        UserError: whatever the user can mend.
    """
    experiment = chosen(load_experiment(path), tables, figures)
    datasets = open_all(experiment, given)
    from reports.collect import evaluate

    store = open_store(out / "store", write=True)
    outcomes, done = run_experiment(experiment, datasets, store, workers=workers, device=device, lanes=lanes)
    print(f"{experiment.title}: {len(outcomes)} runs of a sequence done, {done} were done before", file=sys.stderr)
    if SERVED in store.datasets():
        ask_server(store, out / "submissions", datasets)
    evaluation = evaluate(store, protocols=experiment.protocols)
    work = Work(experiment, tuple(datasets), store, evaluation, out, workers, device, lanes)
    return outcomes, _render(work, out / "report")


def chosen(experiment: Experiment, tables: Sequence[int], figures: Sequence[int]) -> Experiment:
    """The experiment with these tables and figures in place of its own, where any are given. Raises UserError."""
    if not (tables or figures):
        return experiment
    check(tables, figures)
    return replace(experiment, tables=tuple(tables), figures=tuple(figures))


def _render(work: Work, out: Path) -> Path:
    from reports.page import write_report
    from reports.pooled import pooled_table
    from reports.table import RENDERINGS

    experiment = work.experiment
    page = write_report(work.store, out, protocols=experiment.protocols, title=experiment.title, blocks=blocks(work))
    if experiment.reference:
        table = pooled_table(work.evaluation, _display_name(experiment))
        for suffix, rendering in RENDERINGS.items():
            (out / "tables" / f"pooled.{suffix}").write_text(rendering(table), encoding="utf-8")
        print(table.to_text())
    return page


def _display_name(experiment: Experiment) -> str:
    from trackers import tracker

    entry = next(e for e in experiment.trackers if experiment.reference in (e.label, e.tracker))
    return entry.label or tracker(entry.tracker).title


def ask_server(store: Store, submissions: Path, datasets: Sequence[Dataset]) -> None:
    """Submit the mini TrackingNet results as one would, and keep what its answer key says of them.

    The submission is scored from the files a real server would get: integers after rounding, one zip per tracker.
    """
    from reports.scoring import score_dataset

    answers = Path(next(d.root for d in datasets if d.label == SERVED)).parent / "trackingnet-answers"
    export_store(store, "trackingnet", submissions, datasets=(SERVED,))
    names = export_names(store.runs(SERVED))
    scores = score_dataset(open_dataset(SERVED, str(answers)), open_tree(submissions / SERVED), partial=True)
    by_tracker = {score.tracker: score for score in scores}
    for run in store.runs(SERVED):
        score = by_tracker[names[run.folder]]
        store.put_server_score(
            SERVED,
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
