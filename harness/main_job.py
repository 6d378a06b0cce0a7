"""The main job: the embedded mini-suite, real trackers, one page. It needs no data, no weights and no GPU."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from datasets import open_dataset
from datasets.files import open_tree
from datasets.synthetic import ensure_suite
from harness.config import configure
from harness.export import export_store
from harness.jobs import Outcome, plan
from harness.parallel import run_jobs
from harness.store import Store, export_names, open_store

TRACKERS = ("csrt", "kcf", "mil", "medianflow", "mosse", "constant")
BENCHMARKS = ("lasot", "tnl2k", "uav123", "nfs", "otb100", "trackingnet")
SERVED = "mini-trackingnet"  # its ground truth is not with the data, as on the real server


def run_main_job(out: Path, workers: int, trackers: Sequence[str] = TRACKERS) -> tuple[list[Outcome], Path]:
    """Run what is missing of the main job and render it.

    Returns:
        the outcomes of this call's jobs, and the path of the page.
    """
    suite = ensure_suite()
    datasets = [open_dataset(f"mini-{name}", str(suite / name)) for name in BENCHMARKS]
    store = open_store(out / "store", write=True)
    jobs, done = plan(store, datasets, [configure(name, {}) for name in trackers])
    print(f"mini-suite: {len(jobs)} runs of a sequence to do, {done} done before", file=sys.stderr)
    outcomes = run_jobs(jobs, workers=workers)
    ask_server(store, out / "submissions", suite / "trackingnet-answers")

    from reports.page import write_report

    return outcomes, write_report(store, out / "report", title="Mini-suite")


def ask_server(store: Store, submissions: Path, answers: Path) -> None:
    """Submit the mini TrackingNet results as one would, and keep what its answer key says of them.

    The submission is scored from the files a real server would get: integers after rounding, one zip per tracker.
    """
    from reports.scoring import score_dataset

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
