"""Tuning from the command line to the page: the split, the trials, an interruption, and the mark on tuned numbers."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from inmo.datasets.base import Dataset
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.constants import tune as tuning
from inmo.harness.constants.trials import Proposals, Range, parse_space
from inmo.harness.constants.tuned_file import Tuned, TunedOn, read_tuned, with_files, with_tuned
from inmo.harness.experiment.load import load_experiment
from inmo.harness.experiment.run import setups
from inmo.harness.run.setup import configure, open_datasets
from inmo.harness.store.records import Run
from inmo.harness.store.store import open_store
from inmo.reports.scoring.stored import evaluate
from inmo.reports.tables.pooled import pooled_table
from inmo.whole_files import read_json, write_json
from tests.clips import write_sequence
from tests.harness.experiment.test_experiment import STAR

NAMES = tuple("abcdefgh")
SET = [word for key, value in STAR.items() if key != "allow_random_weights" for word in ("--set", f"{key}={value}")]
RANDOM = ["--set", "allow_random_weights=true"]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight clips: enough for intervals on neither half of two, and for an interval on all of them."""
    root = tmp_path_factory.mktemp("many") / "clips"
    for number, name in enumerate(NAMES):
        write_sequence(root / name, 4 + number % 2, step=1 + number % 3)
    return root


def tune(many: Path, out: Path, *more: str) -> int:
    words = ["tune", "--tracker", "transinmo-star", "--dataset", f"folder:mine={many}", "--out", str(out)]
    return main([*words, "--device", "cpu", *SET, *RANDOM, *more])


def opened(many: Path) -> Dataset:
    return open_datasets([f"folder:mine={many}"])[0]


def test_the_draw_depends_on_names_and_seed_alone(many: Path) -> None:
    data = opened(many)
    first = tuning.split(data)
    assert first == tuning.split(data)
    assert len(first.tuned_on) == len(first.held_out) == 4
    assert sorted(first.tuned_on + first.held_out) == sorted(NAMES)
    assert tuning.split(data, seed=1) != first
    turned = tuning.split(replace(data, sequences=data.sequences[::-1]))
    assert set(turned.tuned_on) == set(first.tuned_on)
    assert len(tuning.split(data, holdout=0.25).held_out) == 2
    assert tuning.split(data, holdout=0).held_out == ()
    assert tuning.split(data, sequences=("c", "a")) == tuning.Split(("a", "c"), tuple("bdefgh"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"holdout": 1.0}, "from 0 to below 1"),
        ({"holdout": 0.99}, "nothing would be left to tune on"),
        ({"sequences": ("zz",)}, "unknown sequence 'zz'"),
    ],
)
def test_a_split_that_cannot_be_is_refused(many: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        tuning.split(opened(many), **given)


def test_nothing_is_tuned_without_ground_truth(many: Path) -> None:
    data = opened(many)
    served = replace(data, sequences=tuple(replace(s, first_only=True) for s in data.sequences))
    with pytest.raises(UserError, match="no public ground truth"):
        tuning.split(served)


def test_the_space_as_it_is_written() -> None:
    assert parse_space(["lr=0.1:1", "penalty_k=0:0.3:0.07"]) == {
        "lr": Range(0.1, 1.0, 0.01),
        "penalty_k": Range(0.0, 0.28, 0.07),  # the last value that the step reaches
    }
    assert list(parse_space([])) == ["window_influence", "penalty_k", "lr"]
    for word, message in {
        "lr": "--space wants", "lr=1": "--space wants", "lr=0:1:2:3": "--space wants", "lr=0.5:0.1": "first must be",
        "lr=0:nan": "first must be", "lr=0:1:0": "first must be", "rl=0:1": "did you mean lr",
    }.items():  # fmt: skip
        with pytest.raises(UserError, match=message):
            parse_space([word])


def test_proposals_are_the_same_however_often_they_are_interrupted(tmp_path: Path) -> None:
    space, facts = parse_space(["lr=0:1", "penalty_k=0:0.3"]), {"tracker": "x"}

    def score(constants: Any) -> float:
        return 1.0 - (constants["lr"] - 0.7) ** 2 - (constants["penalty_k"] - 0.1) ** 2

    def go_on(folder: Path, rounds: int, *, forget: bool = False) -> list[Any]:
        study = Proposals(folder / "study.log", space, 5, facts)
        for _ in range(rounds):
            batch = study.batch(4)
            if forget:  # killed between asking and telling
                study = Proposals(folder / "study.log", space, 5, facts)
                assert study.batch(4) == batch
            study.tell({trial.number: score(trial.constants) for trial in batch})
        return study.finished

    whole = go_on(tmp_path / "a", 6)
    for _ in range(5):
        go_on(tmp_path / "b", 1)
    assert go_on(tmp_path / "b", 1, forget=True) == whole
    assert [trial.number for trial in whole] == list(range(24))
    assert all(trial.constants["lr"] == round(trial.constants["lr"], 2) for trial in whole)
    late, early = (sum(t.score for t in part) / len(part) for part in (whole[10:], whole[:10]))
    assert late > early  # it learns from what it is told
    with pytest.raises(UserError, match="holds a tuning with another tracker"):
        Proposals(tmp_path / "a" / "study.log", space, 5, {"tracker": "y"})
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "study.log").write_text("no log\n")
    with pytest.raises(UserError, match="cannot use the tuning's log"):
        Proposals(tmp_path / "c" / "study.log", space, 5, facts)


def test_without_optuna_one_sentence_says_what_to_install(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert tune(many, tmp_path, "--trials", "1") == 2
    assert "pip install -c constraints.txt -e '.[tune]'" in capsys.readouterr().err


@pytest.fixture(scope="module")
def tuned(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned")
    assert tune(many, out, "--trials", "5", "--batch", "3", "--holdout", "0.25") == 0
    return out


def test_the_outcome_names_what_was_tuned_on_and_scores_both_parts(many: Path, tuned: Path) -> None:
    found, data = read_tuned(tuned / "tuned.yaml"), opened(many)
    split = tuning.split(data, holdout=0.25)
    assert (found.tracker, found.tuned_on.dataset, found.tuned_on.benchmark) == ("transinmo-star", "mine", "folder")
    assert tuple(sorted(found.tuned_on.sequences)) == tuple(sorted(split.tuned_on))
    assert found.held_out == split.held_out
    prints = {s.name: s.annotation().fingerprint() for s in data.sequences}
    assert found.tuned_on.sequences == {name: prints[name] for name in split.tuned_on}
    parts = found.scores
    assert parts["tuned on"]["sequences"] == 6 and parts["held out"]["sequences"] == 2
    assert parts["tuned on"]["chosen"]["auc"] >= parts["tuned on"]["own"]["auc"]  # its own constants are among them
    assert parts["tuned on"]["chosen"]["interval"] is not None and parts["held out"]["chosen"]["interval"] is None
    for part in parts.values():
        assert part["difference"]["auc"] == pytest.approx(part["chosen"]["auc"] - part["own"]["auc"], abs=2e-6)
    outcome = (tuned / "tables/tuning.csv").read_text()
    assert (
        outcome.count("tuned on the data that is scored: tuned, on these 6 sequences") == 2
    )  # tuned, and the difference
    trials = json.loads((tuned / "tables" / "trials.json").read_text())["rows"]
    assert [row["auc"] for row in trials] == sorted((row["auc"] for row in trials), reverse=True)
    assert len(trials) == 5
    assert trials[0]["auc"] <= parts["tuned on"]["chosen"]["auc"] + 1e-6
    held = set(found.held_out)
    store = open_store(tuned / "store")
    scored = [r for r in store.runs("mine") if any(store.result_facts("mine", r, name) for name in held)]
    assert len(scored) <= 2  # trials were never run on what was held out: the chosen constants and its own alone


def test_a_repeated_tuning_runs_nothing_and_a_longer_one_goes_on(
    many: Path, tuned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (tuned / "tuned.yaml").read_text()
    assert tune(many, tuned, "--trials", "5", "--batch", "3", "--holdout", "0.25") == 0
    told = capsys.readouterr()
    assert "0 runs of a sequence were not there before" in told.err
    assert "tuned on 6: " in told.out and "held out 2: " in told.out
    assert (tuned / "tuned.yaml").read_text() == before
    (tuned / "study.log").unlink()  # damaged, say: the trials' results are in the store
    assert tune(many, tuned, "--trials", "5", "--batch", "3", "--holdout", "0.25") == 0
    assert "0 runs of a sequence were not there before" in capsys.readouterr().err
    assert (tuned / "tuned.yaml").read_text() == before
    assert tune(many, tuned, "--trials", "5", "--holdout", "0.5") == 2
    assert "another split" in capsys.readouterr().err


def test_a_killed_tuning_goes_on_to_the_same_end(
    many: Path, tuned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Proposals.tell, []

    def dies(self: Proposals, scores: Any) -> None:
        calls.append(scores)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(self, scores)

    words = ("--trials", "5", "--batch", "3", "--holdout", "0.25")
    with monkeypatch.context() as patched:
        patched.setattr(Proposals, "tell", dies)
        assert tune(many, tmp_path, *words) == 130
    assert not (tmp_path / "tuned.yaml").exists()
    assert tune(many, tmp_path, *words) == 0
    assert (tmp_path / "tuned.yaml").read_text() == (tuned / "tuned.yaml").read_text()


def test_a_sequence_that_cannot_be_run_stops_the_tuning(
    many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    shutil.copytree(many, tmp_path / "clips")
    for path in (tmp_path / "clips" / "a" / "img").glob("0003.png"):
        path.write_bytes(b"no picture")
    assert tune(tmp_path / "clips", tmp_path / "out", "--trials", "2", "--holdout", "0") == 2
    assert "hole: mine, TransInMo*: window_influence" in capsys.readouterr().err
    assert not (tmp_path / "out" / "tuned.yaml").exists()


def test_a_tracker_without_constants_is_refused(many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["tune", "--tracker", "kcf", "--dataset", f"folder:mine={many}", "--trials", "1", "--out", str(tmp_path)]
    assert main(words) == 2
    assert "kcf has no window_influence to sweep: name one of the neural trackers" in capsys.readouterr().err


# ---- what the constants leave behind


def report(tmp_path: Path, store: Path) -> tuple[str, Path]:
    assert main(["report", "--store", str(store), "--out", str(tmp_path / "page")]) == 0
    return (tmp_path / "page" / "index.html").read_text(), tmp_path / "page" / "tables"


def test_the_page_warns_on_the_tuned_dataset_and_on_no_other(
    many: Path, clips: Path, tuned: Path, tmp_path: Path
) -> None:
    neural = ["track", "--tracker", "transinmo-star", "--device", "cpu", *SET, *RANDOM]
    data = ["--dataset", f"folder:mine={many}", "--dataset", f"folder:other={clips}", "--store", str(tmp_path / "s")]
    assert main([*neural, "--label", "Star tuned", "--tuned", str(tuned / "tuned.yaml"), *data]) == 0
    assert main([*neural, "--label", "Star", "--set", "lr=0.987", *data]) == 0
    page, tables = report(tmp_path, tmp_path / "s")
    told = "Test-time constants were tuned on the data that is scored: Star tuned, on 6 of these 8 sequences."
    mine, other = (page.index(f'<section id="{name}">') for name in ("mine", "other"))
    section = page[mine:other]
    assert f'<p class="note caution"><b>†</b> {told}</p>' in section
    assert "Star tuned</a><sup>†</sup>" in section
    assert "caution" not in page[other : page.index('<section id="definitions">')]
    assert "<dt>Tuned on</dt><dd>mine, 6 sequences: " in page
    assert "--tuned FILE" in page  # the command that repeats the run
    mine_rows = {r["tracker"]: r for r in json.loads((tables / "mine.json").read_text())["rows"]}
    assert mine_rows["Star tuned"]["tracker_mark"] == "†" and "tracker_mark" not in mine_rows["Star"]
    whole = json.loads((tables / "mine.json").read_text())
    assert whole["footnotes"] == {"†": told}
    assert "footnotes" not in json.loads((tables / "other.json").read_text())
    overview = {r["tracker"]: r for r in json.loads((tables / "overview.json").read_text())["rows"]}
    assert overview["Star tuned"]["mine_mark"] == "†" and "other_mark" not in overview["Star tuned"]
    assert r"Star tuned$^\dagger$" in (tables / "mine.tex").read_text()
    assert told in (tables / "mine.csv").read_text()
    for stem in ("significance", "pairs", "sequences"):
        assert json.loads((tables / f"mine_{stem}.json").read_text())["footnotes"]["†"] == told
        assert "†" not in json.loads((tables / f"other_{stem}.json").read_text()).get("footnotes", {})
    (pair,) = json.loads((tables / "mine_pairs.json").read_text())["rows"]
    assert {pair["first"]: pair.get("first_mark"), pair["second"]: pair.get("second_mark")} == {
        "Star tuned": "†", "Star": None
    }  # fmt: skip
    pooled = pooled_table(evaluate(open_store(tmp_path / "s")))
    assert {row[0].value: row[0].mark for row in pooled.rows} == {"Star tuned": "†", "Star": ""}
    assert "† Test-time constants were tuned on the data that is scored: Star tuned on mine, on 6" in pooled.to_text()


def test_the_mark_stays_when_the_same_constants_are_given_by_hand(many: Path, tuned: Path, tmp_path: Path) -> None:
    neural = ["track", "--tracker", "transinmo-star", "--device", "cpu", *SET, *RANDOM]
    data = ["--dataset", f"folder:mine={many}", "--sequences", "a", "--store", str(tmp_path / "s")]
    values = [w for k, v in read_tuned(tuned / "tuned.yaml").settings.items() for w in ("--set", f"{k}={v}")]
    assert main([*neural, *values, *data]) == 0
    store = open_store(tmp_path / "s")
    assert [run.tuned for run in store.runs("mine")] == [()]
    assert main([*neural, "--tuned", str(tuned / "tuned.yaml"), *data]) == 0
    assert main([*neural, *values, *data]) == 0
    (run,) = store.runs("mine")  # the same boxes, under one hash
    assert [mark["dataset"] for mark in run.tuned] == ["mine"]


def test_an_experiment_takes_tuned_constants(tuned: Path, tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    entry = {"tracker": "transinmo-star", "label": "Star", "settings": {"preset": "nano"}}
    text = {"title": "T", "trackers": [entry | {"tuned": str(tuned / "tuned.yaml")}]}
    path.write_text(yaml.safe_dump(text))
    (setup,) = setups(load_experiment(path))
    chosen = read_tuned(tuned / "tuned.yaml")
    assert {name: getattr(setup.config, name) for name in chosen.settings} == chosen.settings
    assert setup.tuned == (chosen.mark,) and setup.label == "Star"


ON = TunedOn("mine", "folder", "mine", "pysot", {"a": "0123456789abcdef"})


def test_constants_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    star = configure("transinmo-star", {"lr": "0.4"})
    mine = Tuned("transinmo-star", {"lr": 0.5}, ON)
    with pytest.raises(UserError, match=r"lr is 0\.4 by --set and 0\.5 in t\.yaml"):
        with_tuned(star, mine, "t.yaml")
    assert with_tuned(star, replace(mine, settings={"lr": 0.4}), "t.yaml").tuned == (mine.mark,)
    with pytest.raises(UserError, match="constants of transinmo-star, not of transt"):
        with_tuned(configure("transt", {}), mine, "t.yaml")
    path = tuning.write_tuned(mine, tmp_path / "t.yaml")
    assert read_tuned(path) == mine
    assert [s.tuned for s in with_files([configure("kcf", {}), configure("transinmo-star", {})], [str(path)])] == [
        (), (mine.mark,)
    ]  # fmt: skip
    with pytest.raises(UserError, match="not among the trackers"):
        with_files([configure("kcf", {})], [str(path)])
    again = tuning.write_tuned(mine, tmp_path / "u.yaml")
    with pytest.raises(UserError, match="are both of transinmo-star"):
        with_files([configure("transinmo-star", {})], [str(path), str(again)])
    for text, message in {
        "title: x": "unknown setting", "tracker: x": "is not complete",
        "{tracker: x, settings: {lr: a}, tuned_on: {dataset: d, benchmark: b, title: t, protocol: p, sequences: {}}}":
            "settings must be numbers",
        "{tracker: x, settings: {lr: 1}, tuned_on: {dataset: d, benchmark: b, title: t, protocol: p, sequences: {}}}":
            "names no constants or no sequences",
    }.items():  # fmt: skip
        path.write_text(text)
        with pytest.raises(UserError, match=message):
            read_tuned(path)


def test_a_run_stored_without_a_mark_is_read(tmp_path: Path, clips: Path) -> None:
    assert main(["track", "--tracker", "constant", "--dataset", f"folder={clips}", "--store", str(tmp_path / "s")]) == 0
    (path,) = (tmp_path / "s").rglob("run.json")
    values = read_json(path)
    del values["tuned"]
    write_json(path, values)
    (run,) = open_store(tmp_path / "s").runs("folder")
    assert isinstance(run, Run) and run.tuned == ()
