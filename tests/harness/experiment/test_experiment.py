"""Experiments as data, sweeps as batches, and the pooled table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.constants.sweep import parse_over, variants
from inmo.harness.experiment.load import load_experiment
from inmo.harness.experiment.paper import FIGURES, TABLES
from inmo.harness.experiment.paper_rows import Candidate, row_of, spelling, trainings
from inmo.harness.experiment.run import open_experiment, run_experiment, setups
from inmo.harness.experiment.spec import AblationEntry
from inmo.harness.run.jobs import merge_variants, plan
from inmo.harness.run.setup import configure
from inmo.harness.store.store import open_store
from inmo.harness.workers.parallel import run_jobs
from inmo.registry import resolve
from inmo.reports.paper.printed import paper_table
from inmo.reports.scoring.stored import evaluate
from inmo.reports.tables.pooled import pooled_scores, pooled_table
from tests.conftest import ROOT

STAR = {
    "preset": "nano", "interaction": "paper", "widths": "[8, 8, 8, 8]", "depths": "[1, 1, 1, 1]", "dim": "8",
    "heads": "[2, 2, 2, 2]", "width": "16", "encoder_layers": "1", "neck_hidden": "16", "allow_random_weights": "true",
}  # fmt: skip


def experiment(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


TWO = """
title: Two
reference: still
trackers:
  - {tracker: constant, label: still}
  - {tracker: oracle}
"""

SERVED = """
datasets: [{name: otb100}]
server_scores: [%s]
"""


def test_an_experiment_runs_what_is_missing(clips: Path, tmp_path: Path) -> None:
    loaded = load_experiment(experiment(tmp_path / "two.yaml", TWO))
    datasets = open_experiment(loaded, [f"folder:mine={clips}"]).datasets
    store = open_store(tmp_path / "store", write=True)
    outcomes, done = run_experiment(loaded, datasets, store)
    assert (len(outcomes), done) == (6, 0)
    assert run_experiment(loaded, datasets, store) == ([], 6)
    table = pooled_table(evaluate(store), "still")
    names = [row[0].value for row in table.rows]
    assert names[1] == "still"
    assert table.rows[0][1].value == "3 of 3"
    values = pooled_scores(evaluate(store))
    assert set(values["still"]) == {"mine/short", "mine/middle", "mine/long"}
    by_hand = np.mean([values[str(names[0])][n] - values["still"][n] for n in values["still"]])
    assert table.rows[0][3].value == pytest.approx(by_hand)
    assert table.rows[0][3].interval is None  # three sequences are too few


def test_a_tracker_that_is_not_compared_is_known_but_not_run(clips: Path, tmp_path: Path) -> None:
    text = TWO.replace("{tracker: oracle}", "{tracker: oracle, label: TransT, compared: false}")
    loaded = load_experiment(experiment(tmp_path / "two.yaml", text))
    store = open_store(tmp_path / "store", write=True)
    outcomes, _ = run_experiment(loaded, open_experiment(loaded, [f"folder:mine={clips}"]).datasets, store)
    assert [run.tracker for run in store.runs("mine")] == ["constant"] and len(outcomes) == 3
    assert len(setups(loaded)) == 2 and row_of(loaded.trackers[1]) == ""


def test_weights_are_found_beside_the_experiment_and_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.safetensors").write_bytes(b"weights")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ours = "trackers/weights/siamcar-lite.safetensors"
    rows = "".join(
        f"  - {{tracker: siamcar, label: w{n}, settings: {{weights: {weights}}}, tuned: own.safetensors}}\n"
        for n, weights in enumerate(("own.safetensors", ours, "none.safetensors"))
    )
    table = "ablations: [{table: 4, weights: {wp: [own.safetensors, none.safetensors]}}]\n"
    text = "title: Three\ntrackers:\n" + rows + table
    loaded = load_experiment(experiment(tmp_path / "three.yaml", text))
    assert loaded.trackers[-1].tuned == str(tmp_path / "own.safetensors")
    assert loaded.ablations[0].weights == {"wp": [str(tmp_path / "own.safetensors"), "none.safetensors"]}
    expected = [str(tmp_path / "own.safetensors"), str(ROOT / ours), "none.safetensors"]
    assert [entry.settings["weights"] for entry in loaded.trackers] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TWO.replace("reference: still", "reference: stil"), "did you mean still"),
        (TWO.replace("{tracker: oracle}", "{tracker: oracle, label: still}"), "two trackers are called 'still'"),
        (TWO.replace("tracker: oracle", "trakcer: oracle"), "did you mean tracker"),
        (TWO.replace("title: Two", ""), "not complete"),
        ("- a list", "must hold lines"),
        (TWO.replace("{tracker: oracle}", "{tracker: oracle, row: TransInmo}"), "did you mean TransInMo"),
        (
            TWO.replace("label: still", "label: still, compared: false"),
            "neither stand for a row of the tables nor be the ref",
        ),
        (TWO.replace("{tracker: oracle}", "{tracker: oracle, row: TransT, compared: false}"), "oracle is not compared"),
        (TWO + "tables: [7]\n", "unknown table '7'"),
        (TWO + "tables: [4]\n", "table 4 needs its trainings"),
        (TWO + "ablations: [{table: 2}]\n", "ablations are of table 4 and of table 5"),
        (TWO + "ablations: [{table: 4}, {table: 4}]\n", "once each"),
        (TWO + "kept: [none.json]\n", r"none\.json is missing or damaged"),
        (TWO + SERVED % "{dataset: otb, tracker: still, success: 70}", "did you mean otb100"),
        (TWO + SERVED % "{dataset: otb100, tracker: stil, success: 70}", "did you mean still"),
        (TWO + SERVED % "{dataset: otb100, tracker: still, success: 700}", "enter percent"),
    ],
)
def test_broken_experiments_are_refused_with_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_experiment(experiment(tmp_path / "broken.yaml", text))


def test_a_variant_is_tuned_as_its_base_is() -> None:
    base = replace(configure("siamcar", {"preset": "nano"}), tuned=({"dataset": "folder"},))
    assert [each.tuned for each in variants(base, {"lr": (0.1, 0.2)})] == [base.tuned] * 2


def test_an_experiment_without_datasets_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="names no dataset"):
        open_experiment(load_experiment(experiment(tmp_path / "two.yaml", TWO)))


@pytest.mark.parametrize("path", sorted((ROOT / "experiments").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_experiments_of_the_project_can_be_read(path: Path) -> None:
    loaded = load_experiment(path)
    assert len(setups(loaded)) == len(loaded.trackers) >= 5
    for entry in loaded.ablations:
        assert {candidate.row for candidate in trainings(entry)} == {row.key for row in paper_table(entry.table).rows}
    for number in loaded.tables:
        known = {row_of(entry) for entry in loaded.trackers}
        assert number not in (2, 3) or {"TransInMo*", "TransInMo", "TransT", "CNNInMo", "SiamCAR"} <= known


def test_a_dataset_without_a_root_is_absent_and_a_wrong_root_is_an_error(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INMO_CONFIG", str(tmp_path / "none.yaml"))
    text = TWO + f"datasets: [{{name: lasot}}, {{name: folder, label: mine, root: {clips}}}]\n"
    loaded = load_experiment(experiment(tmp_path / "two.yaml", text))
    opened = open_experiment(loaded)
    assert [dataset.label for dataset in opened.datasets] == ["mine"]
    assert list(opened.absent) == ["lasot"] and "no root is known for lasot" in opened.absent["lasot"]
    assert [d.label for d in open_experiment(loaded, only=["mine"]).datasets] == ["mine"]
    with pytest.raises(UserError, match="none of the experiment's datasets is there: no root is known for lasot"):
        open_experiment(loaded, only=["lasot"])
    with pytest.raises(UserError, match="unknown dataset of the experiment 'min': did you mean mine"):
        open_experiment(loaded, only=["min"])
    with pytest.raises(UserError, match="nowhere"):
        open_experiment(loaded, [f"lasot={tmp_path / 'nowhere'}"])
    with pytest.raises(UserError, match="no root is known"):
        open_experiment(loaded, ["lasot"])


def test_weights_of_an_ablation_are_files_of_its_rows() -> None:
    def made(**weights: object) -> list[Candidate]:
        return trainings(AblationEntry(4, {"preset": "nano"}, weights=weights))

    several = [candidate for candidate in made(wp=["a.pth", "b.pth"]) if candidate.row == "wp"]
    assert [candidate.absent for candidate in several] == ["a.pth is not there", "b.pth is not there"]
    with pytest.raises(UserError, match="must be a file or a list of files"):
        made(wp=3)
    with pytest.raises(UserError, match="unknown row of table 4 'tca-wp'"):
        made(**{"tca-wp": "a.pth"})


@pytest.mark.parametrize(
    ("name", "folder"), [("SiamRPN++", "siamrpnpp"), ("TransInMo*", "TransInMo_star"), ("ECO", "eco")]
)
def test_names_of_result_folders(name: str, folder: str) -> None:
    assert spelling(name) == spelling(folder) != spelling("TransInMo")


@pytest.mark.parametrize(("registry", "kind"), [(TABLES, "table"), (FIGURES, "figure")])
def test_every_table_and_figure_of_the_registry_can_be_found(registry: dict[str, str], kind: str) -> None:
    for number in registry:
        assert callable(resolve(registry, number, kind))


def test_values_to_sweep_over() -> None:
    assert parse_over(["window_influence=0:0.9:0.1"])["window_influence"] == tuple(i / 10 for i in range(10))
    assert parse_over(["lr=0.3,0.1,0.3", "penalty_k=0.05"]) == {"lr": (0.3, 0.1), "penalty_k": (0.05,)}
    for word, message in (
        ("window=1", "did you mean"),
        ("lr", "wants name="),
        ("lr=a,b", "give numbers"),
        ("lr=0:1:0", "give numbers"),
        ("lr=1:0:0.1", "names no value"),
    ):
        with pytest.raises(UserError, match=message):
            parse_over([word])
    with pytest.raises(UserError, match="no lr to sweep"):
        variants(configure("kcf", {}), {"lr": (0.1,)})
    with pytest.raises(UserError, match="from 0 to 1"):
        variants(configure("siamcar", {}), {"lr": (1.5,)})


@pytest.mark.parametrize(("name", "values"), [("siamcar", {"preset": "nano"}), ("transinmo-star", STAR)])
def test_a_sweep_gives_what_single_runs_give(name: str, values: dict[str, str], clips: Path, tmp_path: Path) -> None:
    words = {**values, "allow_random_weights": "true"}
    over = {"window_influence": (0.0, 0.4, 0.9), "lr": (0.2, 0.7), "penalty_k": (0.0, 0.1)}
    made = variants(configure(name, words), over)
    assert len(made) == 12
    loaded = load_experiment(experiment(tmp_path / "two.yaml", TWO))
    datasets = open_experiment(loaded, [f"folder:mine={clips}"]).datasets
    swept, single = (open_store(tmp_path / folder, write=True) for folder in ("swept", "single"))
    jobs, _ = plan(swept, datasets, made, device="cpu")
    merged = merge_variants(jobs)
    assert (len(jobs), len(merged)) == (36, 3)
    assert not [o for o in run_jobs(merged) if o.reason]
    run_jobs(plan(single, datasets, made, device="cpu")[0])
    assert [run.hash for run in swept.runs("mine")] == [run.hash for run in single.runs("mine")]
    different = set()
    for run in swept.runs("mine"):
        for sequence in ("short", "middle", "long"):
            one, other = (store.result("mine", run, sequence) for store in (swept, single))
            np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-2)  # type: ignore[union-attr]
            assert one.provenance["lanes"] == 12  # type: ignore[union-attr]
            assert np.isnan(one.seconds["track"]).all()  # type: ignore[union-attr]
            different.add(one.boxes.tobytes())  # type: ignore[union-attr]
    assert len(different) > 12  # the constants matter, or this test could not fail
    assert plan(swept, datasets, made, device="cpu") == ([], 36)


def test_the_sweep_command(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep", "--tracker", "siamcar", "--dataset", f"folder={clips}", "--over", "lr=0.1,0.9", "--device", "cpu"]
    words += ["--store", str(tmp_path / "store"), "--preset", "nano", "--set", "allow_random_weights=true"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert "Learning rate of the size" in printed.out and "SiamCAR" in printed.out
    assert "6 runs of a sequence wanted, 0 were done before" in printed.err
    rows = json.loads((tmp_path / "out" / "tables" / "sweep_lr.json").read_text())["rows"]
    scores = {s.tracker: s.mean.success_auc for s in evaluate(open_store(tmp_path / "store")).datasets[0].default}
    assert {row["lr"]: row["folder/SiamCAR"] for row in rows} == pytest.approx(
        {value: scores[f"SiamCAR: lr {value}"] for value in (0.1, 0.9)}
    )
    assert (tmp_path / "out" / "figures" / "sweep_lr.svg").is_file()
    assert main([*words[:2], "kcf", *words[3:]]) == 2
    assert "kcf" in capsys.readouterr().err
    assert main([*words, "--seeds", "0", "1"]) == 0
    printed = capsys.readouterr()
    assert "6 runs of a sequence wanted, 6 were done before" in printed.err
    assert "Means over up to 2 trainings of a tracker" in printed.out
    assert main([*words, "--seeds", "0", "--weights", "siamcar.pth"]) == 2
    assert "--seeds chooses among weights that come with the project" in capsys.readouterr().err


def test_the_main_job_takes_an_experiment(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = experiment(tmp_path / "two.yaml", TWO)
    words = ["main", "--experiment", str(path), "--dataset", f"folder:mine={clips}", "--out", str(tmp_path / "out")]
    assert main([*words, "--jobs", "1"]) == 0
    printed = capsys.readouterr().out
    assert "All sequences together" in printed and "still  " in printed
    assert (tmp_path / "out" / "report" / "tables" / "pooled.csv").is_file()
    assert (tmp_path / "out" / "report" / "index.html").is_file()
