"""Plans: lengths and speeds from where they are known, and the sums made of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.constants.sweep import variants
from inmo.harness.experiment.planning import (
    BYTES_PER_FILE,
    BYTES_PER_FRAME,
    Part,
    Plan,
    Wanted,
    duration,
    footage,
    lines,
    make_plan,
    wanted_by,
)
from inmo.harness.experiment.speeds import Pace, bench_pace, measured_pace, stored_pace
from inmo.harness.run.jobs import plan, run_of
from inmo.harness.run.setup import configure, open_datasets
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import PARTS, Store, open_store

KCF = configure("kcf", {})


def put(store: Store, label: str, run: Run, name: str, rows: int, read: float, track: float) -> None:
    seconds = dict.fromkeys(PARTS, np.full(rows, np.nan)) | {"read": np.full(rows, read), "track": np.full(rows, track)}
    facts = {"annotation": "", "lanes": 1}
    assert store.put_result(label, run, name, Result(np.ones((rows, 4)), np.ones(rows), seconds, facts))


def wanted(clips: Path, folder: Path, label: str = "folder") -> tuple[Store, Run]:
    store = open_store(folder, write=True)
    jobs, _ = plan(store, open_datasets([f"folder:{label}={clips}"]), [KCF])
    return store, jobs[0].run


def test_lengths_are_those_of_the_annotations_or_of_the_table(clips: Path) -> None:
    here = footage(f"folder:mine={clips}")
    assert (here.label, here.benchmark) == ("mine", "folder")
    assert dict(here.lengths) == {"short": 6, "middle": 9, "long": 12}
    assert here.dataset is not None


@pytest.mark.parametrize(
    ("name", "sequences", "frames"),
    [("lasot", 280, 685_360), ("otb100", 100, 59_035)],  # Tiger1 starts late, by 5 frames
)
def test_a_benchmark_that_is_not_here_is_known_by_its_table(
    name: str, sequences: int, frames: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INMO_CONFIG", str(tmp_path / "none.yaml"))
    found = footage(name)
    assert found.dataset is None
    assert len(found.lengths) == sequences
    assert sum(found.lengths.values()) == frames


@pytest.mark.parametrize("name", ["trackingnet", "uav123_10fps", "folder"])
def test_lengths_that_nobody_knows(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INMO_CONFIG", str(tmp_path / "none.yaml"))
    with pytest.raises(UserError, match=f"give --dataset {name}=ROOT"):
        footage(name)


def test_stored_results_tell_the_speed(clips: Path, tmp_path: Path) -> None:
    store, run = wanted(clips, tmp_path / "store")
    assert stored_pace(store, KCF, "folder", "folder") is None
    put(store, "folder", run, "short", 6, 0.001, 0.004)
    put(store, "folder", run, "long", 12, 0.001, 0.010)
    found = stored_pace(store, KCF, "folder", "folder")
    assert found is not None
    assert found.seconds == pytest.approx((6 * 0.005 + 12 * 0.011) / 18)
    assert found.source == f"18 frames of it in {store.root}"
    elsewhere = stored_pace(store, KCF, "lasot", "lasot")
    assert elsewhere is not None
    assert elsewhere == Pace(found.seconds, f"18 frames on folder in {store.root}")
    assert stored_pace(store, configure("mosse", {}), "folder", "folder") is None


def test_results_of_lanes_tell_no_speed(clips: Path, tmp_path: Path) -> None:
    store, run = wanted(clips, tmp_path / "store")
    put(store, "folder", run, "short", 6, 0.001, np.nan)
    assert stored_pace(store, KCF, "folder", "folder") is None


def test_the_dataset_itself_tells_more_than_others(clips: Path, tmp_path: Path) -> None:
    store, run = wanted(clips, tmp_path / "store", "a")
    wanted(clips, tmp_path / "store", "b")
    put(store, "a", run, "short", 6, 0.0, 1.0)
    put(store, "b", run, "short", 6, 0.0, 3.0)
    found = [stored_pace(store, KCF, "folder", label) for label in "abc"]
    assert [pace and pace.seconds for pace in found] == [1, 3, 2]


def test_a_bench_tells_the_speed_by_title(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    row = {"tracker": "KCF", "case": "", "lanes": 1, "scope": "tracker", "milliseconds": [12.5, 40.0, 2.0]}
    others = [row | {"tracker": "MOSSE"}, row | {"case": "ahead=true"}, row | {"lanes": 4, "scope": "run"}]
    path.write_text(json.dumps({"timings": [*others, row]}))
    assert bench_pace(path, KCF) == Pace(0.0125, f"{path}, without reading frames")
    path.write_text(json.dumps({"timings": [row, row | {"scope": "run", "milliseconds": [20.0]}]}))
    assert bench_pace(path, KCF) == Pace(0.02, str(path))
    assert bench_pace(path, configure("csrt", {})) is None
    path.write_text("[]")
    with pytest.raises(UserError, match="no file of `bench --out`"):
        bench_pace(path, KCF)


def test_otherwise_it_is_measured_and_said_so(clips: Path) -> None:
    (dataset,) = open_datasets([f"folder={clips}"])
    name = dataset.sequences[0].name
    found = measured_pace(KCF, dataset, "cpu")
    assert found.seconds > 0
    assert found.source == f"{len(dataset.sequences[0].annotation())} frames of {name}, measured now"
    film = measured_pace(configure("constant", {}), None, "cpu")
    assert film.source == "5 made-up frames of 1280 x 720, measured now"


def test_what_is_stored_is_not_planned_again(clips: Path, tmp_path: Path) -> None:
    store, run = wanted(clips, tmp_path / "store")
    put(store, "folder", run, "middle", 9, 0.25, 0.75)
    (part,) = make_plan([Wanted(KCF, footage(f"folder={clips}"))] * 2, store=store, bench=None, device="cpu").parts
    assert (part.done, dict(part.frames)) == (1, {"short": 6, "long": 12})
    assert part.seconds == pytest.approx(18.0)


def test_sums_and_tables_of_a_plan() -> None:
    parts = (
        Part("A", "x", {"p": 100, "q": 50}, 3, Pace(0.5, "here")),
        Part("B", "x", {"p": 100}, 0, Pace(1.0, "there")),
    )
    made = Plan(parts)
    assert sorted(made.costs) == [25, 50, 100]
    assert (made.jobs, made.frames) == (3, 250)
    assert made.disk == 250 * BYTES_PER_FRAME + 3 * BYTES_PER_FILE
    text = lines(made, 3)
    assert text[1].split() == ["A", "x", "3", "2", "150", "500.00", "75.0", "s", "here"]
    assert "3 jobs, 250 frames, 2.9 min of one worker" in "\n".join(text)
    assert "3 workers: 1.7 min, longest job 1.7 min" in text
    rows = {line.split()[0]: line.split()[-1] for line in text[-11:]}
    assert (rows["1"], rows["2"], rows["3"], rows["4"]) == ("1.000", "0.875", "0.583", "0.438")


def test_times_as_people_say_them() -> None:
    assert [duration(s) for s in (0.04, 99.94, 120, 5999, 7200)] == ["0.0 s", "99.9 s", "2.0 min", "100.0 min", "2.0 h"]


def test_the_disk_of_real_results_is_at_most_what_is_planned(clips: Path, tmp_path: Path) -> None:
    assert main(["track", "--tracker", "kcf", "--dataset", f"folder={clips}", "--store", str(tmp_path / "s")]) == 0
    sizes = {path.stem: path.stat().st_size for path in (tmp_path / "s").rglob("runs/*/*.parquet")}
    assert len(sizes) == 3
    for size in sizes.values():
        assert BYTES_PER_FILE / 4 < size < BYTES_PER_FILE + 12 * BYTES_PER_FRAME


def test_the_command(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["track", "--tracker", "kcf", "--dataset", f"folder={clips}", "--store", str(tmp_path / "s")]) == 0
    words = ["plan", "--tracker", "kcf", "--workers", "64", "--store", str(tmp_path / "s")]
    assert main([*words, "--dataset", "lasot", "--dataset", f"folder={clips}"]) == 0
    said = capsys.readouterr().out
    assert "280 jobs, 685360 frames" in said
    assert f"27 frames on folder in {tmp_path / 's'}" in said
    experiment = tmp_path / "e.yaml"
    experiment.write_text(f"title: t\ntrackers: [{{tracker: kcf}}]\ndatasets: [{{name: folder, root: '{clips}'}}]\n")
    assert main(["plan", "--experiment", str(experiment), "--workers", "2"]) == 0
    assert "3 jobs, 27 frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say what is to be run"),
        (["--tracker", "kcf"], "say on what"),
        (["--tracker", "kcf", "--experiment", "e.yaml"], "say what is to be run"),
        (["--tracker", "kcf", "--dataset", "lasot", "--workers", "0"], "give a number from 1 up"),
    ],
)
def test_words_that_make_no_plan(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *words]) == 2
    assert said in capsys.readouterr().err


def test_trackers_whose_weights_are_not_here_are_planned_with_random_ones(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = tmp_path / "e.yaml"
    entry = "{tracker: siamcar, label: SiamCAR, row: SiamCAR, settings: {preset: nano, weights: none.pth}}"
    experiment.write_text(
        f"title: t\ntrackers: [{entry}]\ndatasets: [{{name: folder, root: '{clips}'}}, {{name: trackingnet}}]\n"
    )
    assert main(["plan", "--experiment", str(experiment)]) == 0
    said = capsys.readouterr()
    assert "weights of SiamCAR: none.pth is not there" in said.err
    assert "without trackingnet" in said.err
    assert "3 jobs, 27 frames" in said.out


def test_runs_are_told_apart_as_the_store_does(clips: Path) -> None:
    made = make_plan([Wanted(KCF, footage(f"folder={clips}"))], store=None, bench=None, device="cpu")
    assert made.parts[0].tracker == run_of(KCF.spec, KCF.on("folder"), "").title


def test_trainings_and_sweeps_of_an_experiment_are_planned(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        """
title: One
tables: [4]
figures: [4]
datasets: [{name: mini-lasot}, {name: mini-nfs}]
trackers: [{tracker: transt, label: TransT nano, settings: {preset: nano}}]
ablations: [{table: 4, settings: {preset: nano}, seeds: [0, 1]}]
sweep: {trackers: [TransT nano], datasets: [mini-nfs], over: ["window_influence=0:0.9:0.1"]}
"""
    )
    wanted, without = wanted_by(tmp_path / "one.yaml")
    assert not without
    kinds = [(item.place, item.film.label, len(item.variants)) for item in wanted]
    assert kinds == [("", "mini-lasot", 0), ("", "mini-nfs", 0), *[("ablations", "mini-lasot", 0)] * 8,
                     ("sweeps", "mini-nfs", 10)]  # fmt: skip


def test_the_values_of_a_sweep_are_runs_of_their_own(clips: Path) -> None:
    base = configure("transt", {"preset": "nano"})
    film = footage(f"folder={clips}")
    over = tuple(variants(base, {"window_influence": (0.0, 0.3, 0.6)}))
    plain, swept = make_plan(
        [Wanted(base, film), Wanted(base, film, "sweeps", over)], store=None, bench=None, device="cpu"
    ).parts
    assert len(swept.frames) == 3 * len(plain.frames) and sum(swept.frames.values()) == 3 * sum(plain.frames.values())
    assert swept.pace == plain.pace and swept.tracker.endswith(", 3 values")
