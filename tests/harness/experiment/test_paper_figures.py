"""Figures 3 and 4 from an experiment: run once, kept apart from the experiment's results, drawn from what is kept."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.constants.sweep import parse_over, run_sweep, swept
from inmo.harness.experiment.activation_maps import run_maps
from inmo.harness.experiment.load import load_experiment
from inmo.harness.experiment.paper import Work
from inmo.harness.experiment.paper_figures import activation_maps, hanning_sweep
from inmo.harness.experiment.run import setups
from inmo.harness.run.setup import configure, open_datasets
from inmo.harness.store.store import open_store
from inmo.harness.store.stored_maps import read_maps
from inmo.harness.workers.resources import Resources
from inmo.reports.blocks.sweeps import read_sweep
from inmo.reports.scoring.stored import Evaluation
from inmo.seals import sealed_zip
from tests.conftest import ROOT
from tests.harness.experiment.test_experiment import STAR

SETTINGS = "{" + ", ".join(f"{key}: {value}" for key, value in STAR.items()) + "}"
EXPERIMENT = f"""
title: Figures
figures: [3, 4]
trackers:
  - {{tracker: constant, label: still}}
  - {{tracker: transinmo-star, label: Star, settings: {SETTINGS}}}
maps:
  - {{trackers: [Star], dataset: mine, sequence: long, frames: [3, 8], stage: 1}}
sweep:
  trackers: [Star]
  datasets: [mine, elsewhere]
  over: ["window_influence=0,0.5,0.9"]
"""


def run(folder: Path, clips: Path, text: str = EXPERIMENT, *more: str) -> int:
    path = folder / "figures.yaml"
    path.write_text(text)
    words = ["main", "--experiment", str(path), "--dataset", f"folder:mine={clips}", "--out", str(folder / "out")]
    return main([*words, "--jobs", "1", "--device", "cpu", *more])


def test_an_experiment_makes_its_figures_once(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, clips) == 0
    assert "sweep: 9 runs of a sequence wanted, 0 were done before" in capsys.readouterr().err
    report = tmp_path / "out" / "report"
    made = {p.name for p in (report / "figures").iterdir() if p.name.startswith("figure")}
    assert made == {"figure3.svg", "figure3.pdf", "figure4.svg", "figure4.pdf"}
    table = json.loads((report / "tables" / "figure4.json").read_text())
    assert [row["window_influence"] for row in table["rows"]] == [0.0, 0.5, 0.9]
    assert all(0 <= row["mine/Star"] <= 1 for row in table["rows"])
    page = (report / "index.html").read_text()
    assert 'id="figure3"' in page and 'id="figure4"' in page and "elsewhere is not there and left out." in page
    runs = open_store(tmp_path / "out" / "store").runs("mine")
    assert sorted(r.label or r.title for r in runs) == ["Star", "still"]  # a swept value is no tracker of the page
    overview = json.loads((report / "tables" / "overview.json").read_text())
    assert sorted(row["tracker"] for row in overview["rows"]) == ["Star", "still"]
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "maps").rglob("*.npz")}
    assert len(before) == 2
    assert run(tmp_path, clips) == 0
    assert "sweep: 0 runs of a sequence wanted, 9 were done before" in capsys.readouterr().err
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_an_interrupted_sweep_goes_on_and_points_are_those_of_the_store(clips: Path, tmp_path: Path) -> None:
    base, over = configure("transinmo-star", STAR), parse_over(["window_influence=0,0.5"])
    datasets, store = open_datasets([f"folder:mine={clips}"]), open_store(tmp_path / "store", write=True)
    assert run_sweep(store, [base], over, datasets, names=["short"], resources=Resources(device="cpu"))[1:] == (2, 0)
    (data,) = read_sweep(store, swept([base], over, datasets))
    assert (data.sequences, data.coverage) == (("short",), "1 of 3")
    assert run_sweep(store, [base], over, datasets, resources=Resources(device="cpu"))[1:] == (4, 2)
    more = parse_over(["window_influence=0,0.5,0.9"])
    before = read_sweep(store, swept([base], more, datasets))[0].lines[0]
    assert [(p.values, p.reason) for p in before.points if p.auc is None] == [((0.9,), "not run yet")]
    assert run_sweep(store, [base], more, datasets, resources=Resources(device="cpu"))[1:] == (3, 6)
    after = read_sweep(store, swept([base], more, datasets))[0].lines[0]
    assert [p.auc for p in after.points[:2]] == [p.auc for p in before.points[:2]]
    assert after.points[2].auc is not None
    assert after.own == (base.on("folder").window_influence,)


def test_maps_are_what_the_tracker_sees_where_it_is(clips: Path, tmp_path: Path) -> None:
    setup, (dataset,) = configure("transinmo-star", STAR), open_datasets([f"folder:mine={clips}"])
    early, late = run_maps(tmp_path, setup, dataset, "long", [8, 2], device="cpu")
    assert (early.frame, late.frame, early.sequence, early.tracker) == (2, 8, "long", "TransInMo*")
    tracker = setup.spec.build(setup.on("folder"), "cpu")
    side = tracker.recipe.geometry.search_size
    assert late.search.shape == (side, side, 3) and late.search.dtype == np.uint8
    assert len(late.interactions()) == 4
    for csa, tca in late.interactions():
        assert csa.response.shape == tca.response.shape == tca.change.shape
        assert min(csa.response.min(), tca.response.min(), tca.change.min()) >= 0
        assert tca.change.max() > 0
    assert 0 <= late.score.min() <= late.score.max() <= 1
    sequence = next(s for s in dataset.sequences if s.name == "long")
    images, state = sequence.frames(), None  # type: ignore[misc]
    state = tracker.init([images.read(0)], sequence.annotation().boxes[:1] - [sequence.origin, sequence.origin, 0, 0])
    for index in range(1, 8):
        state = tracker.step([images.read(index)], state).state
    reach = float(tracker.recipe.geometry.search_side(state.size)[0])
    found = tracker.step([images.read(8)], state).boxes[0]
    np.testing.assert_allclose(late.box[2:] * reach, found[2:], rtol=1e-6)
    np.testing.assert_allclose(late.box[:2] * reach + state.centre[0] - reach / 2, found[:2], atol=1e-6)
    (path,) = tmp_path.rglob("long-8.npz")
    keys = [part.keys for part in read_maps(path).parts if part.part == "TCA"]  # nano's: windows of 3
    assert [found and found.cells for found in keys] == [{16: 576}, {4: 144}, {1: 36}, {1: 36}]
    assert read_maps(path).facts["device"] == "cpu" and len(read_maps(path).facts["hash"]) == 12
    _as_before(path)
    assert all(part.keys is None for part in read_maps(path).parts)
    again = run_maps(tmp_path, setup, dataset, "long", [8], device="cpu")[0]
    assert [part.keys for part in again.parts if part.part == "TCA"] == keys
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UserError, match="cannot read the activation maps"):
        run_maps(tmp_path, setup, dataset, "long", [8], device="cpu")


def _as_before(path: Path) -> None:
    """Maps as an earlier version kept them, with padded keys counted."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    facts = json.loads(str(arrays.pop("facts")))
    del facts["keys"]
    facts["parts"] = [(part, name, 4) for part, name in facts["parts"]]
    sink = io.BytesIO()
    np.savez_compressed(sink, facts=np.array(json.dumps(facts)), **arrays)
    path.write_bytes(sealed_zip(sink.getvalue()))


@pytest.mark.parametrize(
    ("tracker", "sequence", "frame", "message"),
    [
        ("transinmo-star", "lnog", 3, "did you mean long"),
        ("transinmo-star", "short", 6, "has frames 1 to 5 to look into, not 6"),
        ("transinmo-star", "short", 0, "not 0"),
        ("kcf", "short", 3, "no network to look into"),
    ],
)
def test_maps_that_cannot_be(
    clips: Path, tmp_path: Path, tracker: str, sequence: str, frame: int, message: str
) -> None:
    setup = configure(tracker, STAR if tracker != "kcf" else {})
    with pytest.raises(UserError, match=message):
        run_maps(tmp_path, setup, open_datasets([f"folder:mine={clips}"])[0], sequence, [frame], device="cpu")
    assert not list(tmp_path.rglob("*.npz"))


def test_the_maps_command(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["maps", "--tracker", "transinmo-star", "--dataset", f"folder={clips}", "--sequence", "long", "--device"]
    words += ["cpu", "--frames", "2", "4", "--out", str(tmp_path / "maps"), "--stage", "0"]
    words += [
        word
        for key, value in STAR.items()
        if key not in ("preset", "interaction")
        for word in ("--set", f"{key}={value}")
    ]
    assert main([*words, "--preset", "nano", "--interaction", "paper"]) == 0
    told = capsys.readouterr()
    printed = [Path(line) for line in told.out.splitlines()]
    assert [p.name for p in printed] == ["maps_long.svg", "maps_long.pdf"] and all(p.is_file() for p in printed)
    assert "one template token" not in told.err
    assert main([*words, "--preset", "nano", "--interaction", "paper", "--stage", "-1"]) == 0
    assert "interaction 4 of 4: 36 of 36 cells have at most one template token to ask" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("trackers: [Star]\n", "trackers: [Sta]\n", "did you mean Star"),
        ("sequence: long", "sequence: lnog", "did you mean long"),
        ("stage: 1", "stage: 4", "has 4 interactions"),
        ("maps:", "protocols: []\nmap:", "did you mean maps"),
        ('over: ["window_influence=0,0.5,0.9"]', 'over: ["window=1"]', "did you mean"),
    ],
)
def test_broken_figures_are_refused_with_a_sentence(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, message: str
) -> None:
    assert before in EXPERIMENT
    assert run(tmp_path, clips, EXPERIMENT.replace(before, after)) == 2
    assert message in capsys.readouterr().err


def test_what_is_missing_is_a_note_and_the_rest_is_made(clips: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.yaml"
    path.write_text(
        EXPERIMENT.replace("maps:", "  - {tracker: transt, label: Gone}\nmaps:").replace("[Star]", "[Gone, Star]")
    )
    experiment, datasets = load_experiment(path), open_datasets([f"folder:mine={clips}"])
    store = open_store(tmp_path / "store", write=True)
    work = Work(experiment, tuple(datasets), store, Evaluation(()), tmp_path / "out", resources=Resources(device="cpu"))
    for block in (hanning_sweep(work), activation_maps(work)):
        assert [d.title for d in block.drawings] in (["mine"], ["Star"])
        assert any(note.startswith("Gone is left out: TransT has no weights") for note in block.notes)
    none = replace(work, datasets=())
    block = hanning_sweep(none)
    assert (block.tables, block.drawings, block.figures) == ({}, (), {})
    assert "mine is not there and left out." in block.notes
    for without, figure in (
        (replace(experiment, sweep=None), hanning_sweep),
        (replace(experiment, maps=()), activation_maps),
    ):
        with pytest.raises(UserError, match="wants lines"):
            figure(replace(work, experiment=without))


def test_figures_of_the_embedded_experiment_name_its_own_trackers_and_datasets() -> None:
    loaded = load_experiment(ROOT / "experiments" / "mini.yaml")
    labels, datasets = {e.label or e.tracker for e in loaded.trackers}, {d.label or d.name for d in loaded.datasets}
    assert loaded.figures == (3, 4) and loaded.sweep is not None and len(loaded.maps) == 3
    assert set(loaded.sweep.trackers) <= labels and set(loaded.sweep.datasets) <= datasets
    assert parse_over(loaded.sweep.over) == {"window_influence": tuple(i / 10 for i in range(10))}
    assert all(set(entry.trackers) <= labels and entry.dataset in datasets for entry in loaded.maps)
    assert len(setups(loaded)) == len(loaded.trackers)
