"""What an ablation will take."""

from __future__ import annotations

from pathlib import Path

import pytest

from inmo.harness.ablation.opened import Asked, open_ablation
from inmo.harness.cli import main
from inmo.harness.experiment import ablation_plan
from inmo.harness.experiment.ablation_plan import dry_run, training_costs
from tests.harness.ablation.small import write_ablation, write_config


def test_by_hand(photos: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(tmp_path, photos, steps=100)  # of 4 pairs
    asked = Asked(write_ablation(tmp_path, seeds=[0, 1]), datasets=(f"folder={clips}",))
    opened = open_ablation(asked, tmp_path / "out")
    folders = [member.folder for member in opened.members]
    first, second = folders[0], folders[1]
    assert first is not None and second is not None
    first.mkdir(parents=True)
    (first / "log.csv").write_text("step,loss,pairs_per_second\n10,1.0,5\n20,1.0,4\n25,,\n")  # 25 of 100 steps
    second.mkdir()
    (second / "weights.safetensors").touch()
    monkeypatch.setattr(ablation_plan, "measured_rate", lambda *_: (8.0, "measured now"))
    costs = {cost.name: cost for cost in training_costs(opened, "cpu")}
    assert list(costs) == [folder.name for folder in folders if folder and folder != second]
    begun = costs[first.name]
    assert (begun.pairs, begun.rate, begun.seconds) == (300, 4.0, 75.0) and str(first) in begun.source
    twin = costs[folders[2].name]  # type: ignore[union-attr]
    assert (twin.rows, twin.pairs, twin.rate) == (("wp",), 400, 4.0)  # as fast as the other seed
    other = costs[folders[3].name]  # type: ignore[union-attr]
    assert (other.pairs, other.rate, other.source) == (400, 8.0, "measured now")
    (second / "weights.safetensors").unlink()
    said = "\n".join(dry_run(asked, tmp_path / "out", at_once=2, jobs=1, device="cpu"))
    assert "2 rows, 4 of a row with a seed: 4 trainings, 0 of them done" in said
    assert "to be trained: 4 trainings, 1,500 pairs" in said
    assert "training: 2.5 min, 2 at a time" in said  # 75 + 100 s beside 50 + 50 s; the longest first: 100 + 50 s
    assert "12 jobs, 108 frames" in said  # four trainings on clips of 6, 9 and 12 frames


def test_from_the_command_line_nothing_is_done(
    photos: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, photos)
    out = tmp_path / "out"
    words = ["ablate", str(write_ablation(tmp_path)), "--dataset", f"folder={clips}", "--out", str(out), "--dry-run"]
    assert main([*words, "--device", "cpu"]) == 0
    shown = capsys.readouterr().out
    assert "2 trainings, 16 pairs" in shown and "made-up pairs, measured now" in shown and "tracking:" in shown
    assert not out.exists()


def test_what_would_be_refused_is_said_and_planned_all_the_same(
    photos: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, photos)
    (tmp_path / "file").touch()
    words = ["ablate", str(write_ablation(tmp_path, rows={"a": {}, "b": {"objective": "siamcar"}})), "--device", "cpu"]
    words += ["--roots", f"photos={tmp_path / 'nowhere'}", "--out", str(tmp_path / "file"), "--dry-run"]
    assert main([*words, "--dataset", f"folder={clips}", "--rows", "a"]) == 2
    shown = capsys.readouterr().out
    assert "1 trainings, 8 pairs" in shown and "tracking:" in shown
    assert "before it can run: " + str(tmp_path / "file") + " is no folder" in shown
    assert "before it can run: row a: " in shown and "nowhere" in shown
    assert main([*words, "--dataset", f"folder={clips}", "--trainings", "0"]) == 2
    assert "--trainings and --jobs want a number of 1 or more" in capsys.readouterr().err
