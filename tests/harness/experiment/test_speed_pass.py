"""Rows whose sequences ran in lanes get their speed from a pass of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inmo.harness.cli import main
from inmo.harness.experiment.paper_rows import Candidate
from inmo.harness.experiment.speed_pass import SPEEDS, speed_pass
from inmo.harness.run.setup import configure, open_datasets
from inmo.harness.store.records import Run
from inmo.harness.workers.resources import Resources
from inmo.reports.paper.measured import Measured, Source, Timed, comparable, speed
from inmo.reports.scoring.stored import TrackerRun

KCF = Candidate("KCF", "KCF", configure("kcf", {}), "")
ONE = Timed(50.0, 99, "lasot/a", "here", "cpu", "2030-01-31")


def test_a_speed_is_measured_once_and_kept(clips: Path, tmp_path: Path) -> None:
    datasets = open_datasets([f"folder={clips}"])
    first = speed_pass(tmp_path, [KCF], datasets, 10, Resources())
    (timed,) = first.values()
    assert timed.fps > 0 and 0 < timed.frames < 10 and timed.sequence.startswith("folder/") and timed.device == "cpu"
    kept = (tmp_path / SPEEDS).read_bytes()
    assert speed_pass(tmp_path, [KCF], datasets, 10, Resources()) == first and (tmp_path / SPEEDS).read_bytes() == kept


def test_nothing_is_measured_where_nothing_can_be(clips: Path, tmp_path: Path) -> None:
    absent = Candidate("KCF", "KCF", configure("kcf", {}), "its file is not there")
    datasets = open_datasets([f"folder={clips}"])
    assert not speed_pass(tmp_path, [absent], datasets, 10, Resources())
    assert not speed_pass(tmp_path, [KCF], datasets, 0, Resources())
    assert not speed_pass(tmp_path, [KCF], (), 10, Resources()) and not (tmp_path / SPEEDS).exists()


def test_a_speed_measured_apart_stands_where_results_tell_none() -> None:
    source = Source("T", ({"lasot": "t-1"}, {"lasot": "t-2"}), timed={"t-1": ONE})
    found = speed(source, ())
    assert (found.value, found.parts, found.timed) == (50.0, (50.0,), (ONE,))
    assert found.note == "median of 99 frames of lasot/a, one process, here, cpu, 2030-01-31"
    assert "ran in lanes" in speed(Source("T", ({"lasot": "t-3"},)), ()).reason


def test_speeds_measured_apart_compare_with_each_other_alone() -> None:
    apart, other = Measured(50.0, timed=(ONE,)), Measured(60.0, timed=(Timed(60, 9, "b", "there", "cpu", ""),))
    known = {"machine system": ("here",), "device": ("cpu",), "processes": ("1",)}
    whole = Measured(70.0, runs=(TrackerRun(Run("t", "T", "0" * 12), "T", 1, 10, 4, 70.0, (), known),))
    assert comparable([apart, apart]) and not comparable([apart, other]) and not comparable([apart, whole])


def test_rows_that_ran_in_lanes_have_their_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INMO_CONFIG", str(tmp_path / "config.yaml"))
    experiment = tmp_path / "lanes.yaml"
    experiment.write_text(
        "title: Lanes\ntables: [2]\nspeed_frames: 6\ndatasets: [{name: mini-lasot}]\n"
        "trackers: [{tracker: transt, row: TransT, label: TransT, settings: {preset: nano}}]\n"
    )
    words = ["--experiment", str(experiment), "--out", str(tmp_path / "out"), "--jobs", "1", "--lanes", "6"]
    assert main(words) == 0
    assert "speed of TransT: 6 frames of" in capsys.readouterr().err
    rows = json.loads((tmp_path / "out" / "report" / "tables" / "table2.json").read_text())["rows"]
    kept = json.loads((tmp_path / "out" / SPEEDS).read_text())
    assert [row["fps"] for row in rows if row["row"] == "TransT"] == [
        pytest.approx(next(iter(kept.values()))["fps"], rel=1e-6)
    ]
    assert main(words) == 0 and "speed of" not in capsys.readouterr().err
