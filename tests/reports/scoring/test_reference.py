"""Published scores beside one's own: told apart to the printed digit, explained only by what gives all of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.reports.scoring.reference import NORM, P, read_reference

FRAMES = 20
SHIFTS = {"near": 3.0, "far": 7.0}


@pytest.fixture
def results(tmp_path: Path) -> list[str]:
    """Seven clips of a box 20 by 20, which one tracker follows 3 px aside and the other 7, the first frame as well."""
    for clip in range(7):
        rows = np.tile([30.0, 30.0, 20.0, 20.0], (FRAMES, 1)) + np.array([clip, 0, 0, 0])
        truth = tmp_path / "clips" / f"c{clip}"
        truth.mkdir(parents=True)
        np.savetxt(truth / "groundtruth_rect.txt", rows, delimiter=",", fmt="%g")
        for name, shift in SHIFTS.items():
            (tmp_path / "raw" / name).mkdir(parents=True, exist_ok=True)
            np.savetxt(
                tmp_path / "raw" / name / f"c{clip}.txt", rows + np.array([shift, 0, 0, 0]), delimiter=",", fmt="%g"
            )
    return ["score", "--dataset", f"folder={tmp_path / 'clips'}", "--results", str(tmp_path / "raw")]


def scores(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], dict[str, float]]:
    capsys.readouterr()
    assert main([*words, "--format", "json"]) == 0
    return {(s["tracker"], s["protocol"]): s for s in json.loads(capsys.readouterr().out)["scores"]}


def table(words: list[str], path: Path, published: object, capsys: pytest.CaptureFixture[str]) -> str:
    path.write_text(json.dumps(published))
    capsys.readouterr()
    assert main([*words, "--reference", str(path)]) == 0
    return capsys.readouterr().out


def test_what_is_published_is_not_marked(
    results: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = scores(results, capsys)
    published = {name: round(100 * own[name, "pysot"]["success_auc"], 1) for name in SHIFTS}
    out = table(results, tmp_path / "p.json", published, capsys)
    assert "≠" not in out
    assert f"(paper: {published['near']}, 0.0)" in out


def test_another_protocol_is_found(results: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = scores([*results, "--protocol", "clean"], capsys)
    published = {n: {"auc": round(100 * own[n, "clean"]["success_auc"], 1)} for n in SHIFTS}
    out = table(results, tmp_path / "p.json", published, capsys)
    assert out.count("≠") == 3  # two numbers and the footnote
    assert "near: as published by protocol clean (2 of 2 as published then)" in out
    assert "far: as published by protocol clean (2 of 2 as published then)" in out


def test_a_switch_is_found(results: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """20 frames of IoU 17/23; a first frame that is a hit gives 20/21 in one of them."""
    overlap = float(np.mean([t / 20 < 17 / 23 for t in range(21)]))
    published = {"near": round(100 * (19 * overlap + 20 / 21) / 20, 1)}
    out = table(results, tmp_path / "p.json", published, capsys)
    assert "if the first frame is a hit" in out or "protocol lasot-matlab" in out
    assert "told by one number alone" in out


def test_nothing_is_claimed_where_nothing_fits(
    results: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = table(results, tmp_path / "p.json", {"near": 12.3}, capsys)
    assert "other ways to score its files gives it" in out
    assert "as published by" not in out


def test_all_numbers_of_a_tracker_must_fit(
    results: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = scores([*results, "--protocol", "clean"], capsys)
    published = {"near": {"auc": round(100 * own["near", "clean"]["success_auc"], 1), "precision": 50.0}}
    assert "as published by" not in table(results, tmp_path / "p.json", published, capsys)


def test_scores_printed_here_are_a_reference(
    results: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main([*results, "--protocol", "trackingnet-devkit", "--format", "json"]) == 0
    (tmp_path / "p.json").write_text(capsys.readouterr().out)
    assert main([*results, "--reference", str(tmp_path / "p.json"), "--protocol", "trackingnet-devkit"]) == 0
    assert "≠" not in capsys.readouterr().out
    assert main([*results, "--reference", str(tmp_path / "p.json"), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["published"]
    assert [each["ways"][0]["words"] for each in told] == ["protocol trackingnet-devkit"] * 2


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", [
    '{"ECO": {"auc": 69.1, "Precision": 91.0, "P_norm": 82.8}}', '{"ECO": [69.1, 91.0, 82.8]}',
    '{"ECO": [0.691, 0.910, 0.828]}', '{"OTB100, percent": {"ECO": [69.1, 91.0, 82.8]}, "lasot": {"ECO": 1.0}}',
])  # fmt: skip
def test_files_are_read_as_people_write_them(tmp_path: Path, text: str) -> None:
    (own,) = read_reference(write(tmp_path / "p.json", text), ["otb100", "OTB100"]).values()
    assert {key: number.text for key, number in own.items()} == {"success_auc": "69.1", P: "91.0", NORM: "82.8"}
    assert own["success_auc"].value == pytest.approx(0.691)
    assert own["success_auc"].slack == pytest.approx(0.0005)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"ECO": "69.1"}', '{"lasot": {"ECO": 69.1}}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="published scores"):
        read_reference(write(tmp_path / "p.json", text), ["otb100", "OTB100"])
    with pytest.raises(UserError, match="cannot read"):
        read_reference(tmp_path / "none.json", ["otb100"])


def test_all_protocols_stand_in_one_table(results: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main([*results, "--protocol", "all"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split()[:4] == ["Tracker", "Measure", "pysot", "lasot-matlab"]
    assert [line.split()[:2] for line in out[2:5]] == [["near", "AUC"], ["near", "P"], ["near", "P_norm"]]
    assert any(
        (line.startswith("clean: ") and "the first frame is not scored" in line) or "trapezoid" in line for line in out
    )
    assert any(line.startswith("mmtracking: as pysot on these results") for line in out)
    assert main([*results, "--protocol", "all", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len({s["protocol"] for s in told["scores"]}) == 13
    assert set(told["differences"]) == {s["protocol"] for s in told["scores"]} - {"pysot"}
