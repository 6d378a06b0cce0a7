"""The embedded experiment with every weights file there: all four tables are measured, rows by all their trainings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.harness.experiment.load import load_experiment
from inmo.harness.experiment.main_job import EMBEDDED, ask_server
from inmo.harness.experiment.paper import ABLATIONS, Work, blocks, kept_blocks
from inmo.harness.experiment.paper_rows import candidates, trainings
from inmo.harness.experiment.run import open_experiment
from inmo.harness.experiment.spec import Experiment
from inmo.harness.run.jobs import Job, plan
from inmo.harness.store.records import Result
from inmo.harness.store.store import PARTS, Store, open_store
from inmo.reports.blocks.block import Block
from inmo.reports.scoring.stored import evaluate
from inmo.reports.tables.table import RENDERINGS
from inmo.trackers.pipeline import shipped
from inmo.trackers.pipeline.family import shipped_weights
from tests.conftest import ROOT

SEEDED = (
    "transinmo-star-nano",
    "transinmo-star-nano-wp",
    "transinmo-star-nano-tca",
    "transinmo-star-nano-no-wp-no-tca",
)


@pytest.fixture
def every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A file of a few bytes for every shipped name and for seeds 1 and 2 of Table 4's rows: only hashes read them."""
    weights = tmp_path / "weights"
    weights.mkdir()
    for name in [*shipped_weights(), *(f"{name}-seed-{seed}" for name in SEEDED for seed in (1, 2))]:
        (weights / f"{name}.safetensors").write_bytes(name.encode())
    monkeypatch.setattr(shipped, "FOLDER", weights)
    yield


def embedded() -> Experiment:
    """The embedded experiment with three seeds in Table 4."""
    experiment = load_experiment(EMBEDDED)
    seeded = [replace(entry, seeds=(0, 1, 2)) if entry.table == 4 else entry for entry in experiment.ablations]
    return replace(experiment, ablations=tuple(seeded))


def fill(store: Store, jobs: list[Job]) -> None:
    """A result for every job: the annotation, off by a number of pixels that the config's hash decides, at 50 FPS."""
    for job in jobs:
        boxes = job.sequence.annotation().boxes.copy()
        if job.sequence.first_only:
            boxes = np.repeat(boxes[:1], len(job.open()[1]), axis=0)
        boxes[1:, 0] += 2 + int(job.run.hash[:4], 16) % 12
        boxes = np.where(np.isfinite(boxes), boxes, boxes[0])
        nan = np.full(len(boxes), np.nan)
        seconds = dict.fromkeys(PARTS, nan) | {"track": np.full(len(boxes), 0.02)}
        facts = {"annotation": job.sequence.annotation().fingerprint(), "device": "cpu", "date": "2024-01-01T00:00:00"}
        store.put_result(job.label, job.run, job.sequence.name, Result(boxes, nan, seconds, facts))


def made(tmp_path: Path, experiment: Experiment) -> dict[str, Block]:
    experiment = replace(experiment, figures=())
    opened = open_experiment(experiment)
    store, other = open_store(tmp_path / "store", write=True), open_store(tmp_path / ABLATIONS, write=True)
    setups = [candidate.setup for candidate in candidates(experiment) if candidate.on(opened.datasets)]
    fill(store, plan(store, opened.datasets, setups)[0])
    lasot = [dataset for dataset in opened.datasets if dataset.label == "mini-lasot"]
    wanted = {}
    for entry in experiment.ablations:
        for candidate in trainings(entry):
            if not candidate.absent:
                wanted[candidate.setup.folder(lasot[0])] = candidate.setup
    fill(other, plan(other, lasot, list(wanted.values()))[0])
    ask_server(store, tmp_path / "submissions", next(d for d in opened.datasets if d.label == "mini-trackingnet"))
    work = Work(experiment, opened.datasets, store, evaluate(store), tmp_path, absent=opened.absent)
    return {block.stem: block for block in blocks(work)}


@pytest.mark.usefixtures("every_file")
def test_all_tables_of_the_mini_suite_are_measured(tmp_path: Path) -> None:
    found = made(tmp_path, load_experiment(EMBEDDED))
    assert list(found)[:5] == ["table1", "table2", "table3", "table4", "table5"]
    kept = [stem for stem, block in found.items() if block.words.startswith("Kept scores, measured on 20")]
    assert len(kept) == len(load_experiment(EMBEDDED).kept) > 0
    for stem, count in {"table2": 5, "table3": 5, "table4": 4, "table5": 6}.items():
        block = found[stem]
        table = block.tables[stem]
        assert len(table.rows) == count
        empty = [
            (row[0].value, column.key)
            for row in table.rows
            for column, cell in zip(table.columns, row, strict=True)
            if cell.value is None and not column.key.endswith("_deviation")
        ]
        assert not empty
        assert not any(cell.published for row in table.rows for cell in row)  # a miniature is another benchmark
        assert "not comparable" in block.words
        printed = block.tables[f"{stem}_printed"]
        assert all(
            cell.value is None for row in printed.rows for cell in row[2 if stem in ("table2", "table3") else 1 :]
        )
        for one in block.tables.values():
            assert all(one.render(rendering) for rendering in RENDERINGS)


@pytest.mark.usefixtures("every_file")
def test_a_row_with_seeds_is_their_mean_with_their_deviation(tmp_path: Path) -> None:
    block = made(tmp_path, embedded())["table4"]
    rows = {row["row"]: row for row in json.loads(block.tables["table4"].to_json())["rows"]}
    runs = json.loads(block.tables["table4_runs"].to_json())["rows"]
    assert len(runs) == 12
    for name, row in rows.items():
        own = [run["lasot_success_auc"] for run in runs if run["row"] == name]
        assert row["runs"] == "3 of 3" and len(own) == 3
        assert row["lasot_success_auc"] == pytest.approx(np.mean(own))
        assert row["lasot_success_auc_deviation"] == pytest.approx(np.std(own, ddof=1))
    assert len({run["weights"] for run in runs}) == 12 and {run["device"] for run in runs} == {"cpu"}


@pytest.mark.usefixtures("every_file")
def test_a_training_that_is_not_there_is_counted_and_explained(tmp_path: Path) -> None:
    (shipped.FOLDER / "transinmo-star-nano-wp-seed-2.safetensors").unlink()
    (shipped.FOLDER / "transinmo-star-nano-tca.safetensors").unlink()
    (shipped.FOLDER / "siamcar-lite.safetensors").unlink()
    found = made(tmp_path, embedded())
    rows = {row["row"]: row for row in json.loads(found["table4"].tables["table4"].to_json())["rows"]}
    assert (rows["WP"]["runs"], rows["TCA"]["runs"]) == ("2 of 3", "2 of 3")
    assert any("no weights" in note and "seed 2" in note for note in found["table4"].notes)
    siamcar = {row[0].value: row for row in found["table2"].tables["table2"].rows}["SiamCAR lite"]
    assert all(cell.value is None and "no weights" in cell.reason for cell in siamcar[2:-1])


def test_two_measurements_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """``scores.json`` is what `ablate` calls them all."""
    file = ROOT / "experiments" / "ablations" / "precision" / "real.json"
    files = [tmp_path / folder / "scores.json" for folder in ("a", "b")]
    for path in files:
        path.parent.mkdir()
        shutil.copy(file, path)
    found = kept_blocks(files)
    assert [block.stem for block in found] == ["precision-scores", "precision-scores-2"]
    assert not set(found[0].tables) & set(found[1].tables)
