"""The paper's tables from an experiment's results: who stands for which row, and what each column is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inmo.datasets import benchmark
from inmo.datasets.base import Dataset
from inmo.harness.experiment.paper import Work
from inmo.harness.experiment.paper_rows import ABLATION, Candidate, candidates, recorded, sources, trainings
from inmo.harness.experiment.spec import Experiment
from inmo.harness.experiment.speed_pass import speed_pass
from inmo.reports.blocks.block import Block
from inmo.reports.paper.backbones import backbones_block
from inmo.reports.paper.blocks import MINI, Found, paper_block
from inmo.reports.paper.claims import Rows, claims_block
from inmo.reports.paper.printed import TITLES, paper_table
from inmo.reports.scoring.stored import DatasetEvaluation, Evaluation


def backbones(work: Work, number: int) -> Block:
    """Table 1: the configurations of the two backbones."""
    from inmo.harness.experiment.built import built_backbones

    return backbones_block(built_backbones())


def comparison(work: Work, number: int) -> Block:
    """Comparison with other trackers: Table 2 on LaSOT, TNL2K, UAV123 and NFS, Table 3 on TrackingNet and OTB100."""
    rows = _rows(work, number)
    return paper_block(paper_table(number), rows.sources, rows.found)


def ablation(work: Work, number: int) -> Block:
    """Table 4: window process and target-aware cross-attention. Table 5: matching."""
    rows = _rows(work, number)
    return paper_block(paper_table(number), rows.sources, rows.found, linked=False)


def columns_of(table: int, datasets: Sequence[Dataset]) -> dict[str, Dataset]:
    """Benchmark of a table's column -> the dataset that it is measured on: the benchmark itself, else its miniature."""
    found: dict[str, Dataset] = {}
    for name in paper_table(table).datasets:
        for wanted in (name, MINI + name):
            match = next((dataset for dataset in datasets if dataset.benchmark.name == wanted), None)
            if match:
                found.setdefault(name, match)
    return found


def trainings_of(experiment: Experiment, tables: Sequence[int]) -> dict[int, list[Candidate]]:
    """Table -> its trainings, for those of the tables that are ablations."""
    return {entry.table: trainings(entry) for entry in experiment.ablations if entry.table in tables}


def claims(work: Work) -> Block:
    """What the paper says of its tables, beside what was measured for those of the experiment."""
    return claims_block({number: _rows(work, number) for number in work.experiment.tables if number in TITLES})


def _rows(work: Work, number: int) -> Rows:
    """What stands for the rows of a table, and what its columns are measured on."""
    chosen = columns_of(number, work.datasets)
    if number in ABLATION:
        found, evaluation = trainings_of(work.experiment, [number])[number], work.ablations
    else:
        found, evaluation = [*candidates(work.experiment), *recorded(work.experiment, work.datasets)], work.evaluation
    datasets = tuple(chosen.values())
    standing = sources(found, datasets)
    if ("", "fps") in paper_table(number).columns:  # speeds measured apart, for those whose results tell none
        known = {run.run.folder for data in evaluation.datasets for run in data.runs if run.fps}
        slow = [c for c in found if not any(c.setup.folder(dataset) in known for dataset in c.on(datasets))]
        timed = speed_pass(work.out, slow, datasets, work.experiment.speed_frames, work.resources)
        standing = {row: [replace(source, timed=timed) for source in own] for row, own in standing.items()}
    return Rows(standing, _found(number, chosen, work, evaluation))


def _found(number: int, chosen: dict[str, Dataset], work: Work, evaluation: Evaluation) -> Found:
    scored = {data.dataset.label: data for data in evaluation.datasets}
    found: dict[str, DatasetEvaluation | str] = {}
    for name in paper_table(number).datasets:
        title = benchmark(name).title
        if name not in chosen:
            why = next((f": {why}" for label, why in work.absent.items() if label in (name, MINI + name)), "")
            found[name] = f"{title} is not among the datasets{why}"
        else:
            found[name] = scored.get(chosen[name].label, f"nothing was run on {title}")
    return found
