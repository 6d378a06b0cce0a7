"""``run_all.py ablate``: train every row of an ablation, track with each, and say what the rows are worth."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path

from inmo.errors import Exit, UserError
from inmo.harness.ablation.measured import measured_words, study_of, track
from inmo.harness.ablation.members import demand, missing
from inmo.harness.ablation.opened import STORE, Asked, command_of, demand_folder, open_ablation
from inmo.harness.ablation.trainings import run_trainings
from inmo.harness.run.jobs import demand_sequences
from inmo.harness.run.outcomes import say_holes
from inmo.harness.run.setup import open_datasets
from inmo.harness.store.store import Store, open_store
from inmo.harness.training.config import TrainConfig
from inmo.harness.training.distributed import joined, processes
from inmo.harness.workers.cluster import Cluster
from inmo.harness.workers.resources import Resources
from inmo.reports.blocks.ablation import ablation_block
from inmo.reports.page.page import write_report
from inmo.reports.scoring.stored import Evaluation
from inmo.reports.scoring.study import KeptStudy, write_study

KEPT_FILE = "scores.json"
"""In the folder of an ablation's page: what its tables are made of."""


def ablate(
    asked: Asked,
    *,
    out: Path = Path("ablations"),
    device: str = "auto",
    at_once: int = 1,
    resources: Callable[[], AbstractContextManager[Resources]] = lambda: nullcontext(Resources()),
) -> int:
    """Train and measure every row; continues where it stopped. The exit status.

    Trainings lie in ``OUT/trainings``, under a key of all that decides them: rows of any ablations that are the same
    training share it. Results are in ``OUT/store``; the page with its tables and figures is ``OUT/<file's name>``.
    Under torchrun all processes train, and the first one tracks and prints.

    Args:
        device: on which trainings run.
        at_once: trainings at a time on this machine.
        resources: opens what tracks, processes or a cluster; a cluster trains, too.

    Raises:
        UserError: whatever the user can mend.
    """
    opened = open_ablation(asked, out)
    datasets = open_datasets(opened.datasets)  # say what is wrong before hours of training
    demand_sequences(datasets, (), opened.partial)
    demand_folder(out)
    demand(opened.members)
    todo = missing(opened.members)
    if processes() > 1:
        whole, first = _together(todo, device, at_once)
        if not (whole and first):
            return 0 if whole else Exit.INTERRUPTED
        todo = {}
    with resources() as there:
        cluster = there.workers if isinstance(there.workers, Cluster) else None
        if not run_trainings(todo, device=device, at_once=at_once, cluster=cluster):
            return Exit.INTERRUPTED
        found, outcomes = track(opened, datasets, open_store(out / STORE, write=True), there)
    status = say_holes(outcomes)
    study = study_of(opened, found)
    if not study.shared:
        raise UserError("no sequence has a score of every training: see the holes above, or choose other rows")
    block = ablation_block(study, stem=opened.stem, title=opened.title)
    on = tuple(measured_words(study, data) for data, _ in found)
    kept = KeptStudy(opened.stem, opened.title, date.today().isoformat(), command_of(asked, opened), on, study)
    file = write_study(kept, out / opened.stem / KEPT_FILE)
    page = write_report(
        Store(out / STORE), out / opened.stem, title=opened.title,
        evaluation=Evaluation(tuple(data for data, _ in found)), blocks=[block], alone=True,
    )  # fmt: skip
    for table in block.tables.values():
        sys.stdout.write(f"## {table.title}\n\n{table.render('md')}\n")
    sys.stdout.write(f"page: {page}\nscores alone, for a page of other results: {file}\n")
    sys.stderr.write("".join(f"{note}\n" for note in block.notes))
    return status


def _together(todo: Mapping[Path, TrainConfig], device: str, at_once: int) -> tuple[bool, bool]:
    """Train in all processes of torchrun, which are one group from the first training to the last; whether all came to
    their ends, and whether this is the process that goes on alone."""
    if at_once > 1:
        raise UserError("torchrun's processes do every training together: leave out --trainings")
    with joined(device) as group:
        group.wait()  # until all have seen what is done: the first one writes weights
        return run_trainings(todo, device=device, group=group), group.first
