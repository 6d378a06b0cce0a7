"""From files to scores: means, holes, refusals, runs, attributes and the JSON object."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from inmo.datasets.base import Annotation, Benchmark, Dataset, Hole, Sequence
from inmo.datasets.files import Tree, open_tree
from inmo.errors import UserError
from inmo.reports.scoring.as_json import scores_json
from inmo.reports.scoring.protocols import protocol
from inmo.reports.scoring.raw import score_dataset, score_tracker
from inmo.reports.scoring.tally import scores_by_attribute

BOX = [10.0, 20.0, 30.0, 40.0]
FAR = [500.0, 500.0, 30.0, 40.0]


def no_opener(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    raise AssertionError("not needed here")


def dataset(
    *names: str, holes: tuple[Hole, ...] = (), first_only: bool = False, rows: int = 4, served: bool = False
) -> Dataset:
    known: Literal["full", "first"] = "first" if served else "full"
    benchmark = Benchmark("uav123", "UAV123", no_opener, origin=1, protocol="pysot", ground_truth=known)
    truth = Annotation(np.array([BOX] * rows))
    attributes = {"a": ("IV",), "b": ("IV", "SV")}
    sequences = tuple(
        Sequence("uav123", n, lambda: truth, attributes=attributes.get(n, ()), first_only=first_only) for n in names
    )
    return Dataset(benchmark, "uav123", "/nowhere", sequences, holes)


def write(root: Path, tracker: str, name: str, rows: list[list[float]]) -> None:
    path = root / tracker / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))


def test_the_mean_over_sequences_and_its_scalars(tmp_path: Path) -> None:
    write(tmp_path, "half", "a", [BOX] * 4)
    write(tmp_path, "half", "b", [FAR] * 4)
    write(tmp_path, "all", "a", [BOX] * 4)
    write(tmp_path, "all", "b", [BOX] * 4)
    scores = score_dataset(dataset("a", "b"), open_tree(tmp_path), protocols=("pysot", "lasot-matlab"))
    table = {(s.tracker, s.protocol): s for s in scores}
    assert list(table) == [("all", "pysot"), ("all", "lasot-matlab"), ("half", "pysot"), ("half", "lasot-matlab")]
    half = table["half", "pysot"]
    assert half.mean.success_auc == pytest.approx(10 / 21)
    assert half.mean.precision_20 == 0.5
    assert half.mean.frames == 8
    assert half.coverage == "2 of 2"
    assert list(half.per_sequence) == ["a", "b"]
    # MATLAB gives the first frame for free: b scores 1/4 there
    assert table["half", "lasot-matlab"].mean.success_auc == pytest.approx((1 + 1 / 4) / 2 * 20 / 21)
    assert table["all", "pysot"].mean.success_auc == pytest.approx(20 / 21)


def test_default_protocol_is_the_benchmarks(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [BOX] * 4)
    (score,) = score_dataset(dataset("a"), open_tree(tmp_path))
    assert score.protocol == "pysot"


def test_a_missing_result_stops_or_becomes_a_hole(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [BOX] * 4)
    with pytest.raises(UserError, match=r"t's results on uav123 lack 2 of 3 sequences: b, c \(no result file\)"):
        score_dataset(dataset("a", "b", "c"), open_tree(tmp_path))
    (score,) = score_dataset(dataset("a", "b", "c"), open_tree(tmp_path), partial=True)
    assert score.coverage == "1 of 3"
    assert [h.sequence for h in score.holes] == ["b", "c"]
    assert score.mean.success_auc == pytest.approx(20 / 21)
    assert not score.reason


def test_a_missing_annotation_stops_or_becomes_a_hole(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [BOX] * 4)
    data = dataset("a", holes=(Hole("b", "not found below the root"),))
    with pytest.raises(UserError, match="annotations of uav123 lack 1 of 2 sequences: b"):
        score_dataset(data, open_tree(tmp_path))
    (score,) = score_dataset(data, open_tree(tmp_path), partial=True)
    assert score.coverage == "1 of 2"


def test_a_broken_file_names_itself(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [BOX] * 4)
    (tmp_path / "t" / "b.txt").write_text("1,2,3,4\n1,2,3\n")
    with pytest.raises(UserError, match=r"line 2 of .*t/b.txt has 3 numbers"):
        score_dataset(dataset("a", "b"), open_tree(tmp_path))
    (score,) = score_dataset(dataset("a", "b"), open_tree(tmp_path), partial=True)
    assert score.coverage == "1 of 2"
    assert "line 2" in score.holes[0].reason


def test_a_refusal_is_no_smaller_average(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [BOX] * 4)
    write(tmp_path, "t", "b", [BOX] * 3)
    pysot, pytracking = score_dataset(dataset("a", "b"), open_tree(tmp_path), protocols=("pysot", "pytracking"))
    assert pysot.mean.success is None
    assert pysot.mean.success_auc is None
    assert "b: pysot refuses a result of 3 rows for an annotation of 4" in pysot.reason
    assert pytracking.mean.success_auc == pytest.approx((1 + 3 / 4) / 2 * 20 / 21)  # padded with zeros
    partial = score_dataset(dataset("a", "b"), open_tree(tmp_path), protocols=("pysot",), partial=True)[0]
    assert partial.coverage == "1 of 2"
    assert partial.holes[0].sequence == "b"
    assert partial.mean.success_auc == pytest.approx(20 / 21)


def test_the_server_keeps_its_ground_truth(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [BOX] * 4)
    (score,) = score_dataset(dataset("a", first_only=True, served=True), open_tree(tmp_path))
    assert score.mean.success_auc is None
    assert "submit" in score.reason


def test_one_box_of_ones_own_is_no_servers_secret(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [BOX] * 4)
    write(tmp_path, "t", "b", [BOX] * 4)
    (score,) = score_dataset(dataset("a", "b", first_only=True), open_tree(tmp_path))
    assert score.reason == "the annotation of a, b is the first frame's box alone: annotate the other frames"
    data = dataset("a", "b")
    data = replace(data, sequences=(data.sequences[0], replace(data.sequences[1], first_only=True)))
    with pytest.raises(UserError, match=r"lack 1 of 2 sequences: b \(its annotation is the first frame's box alone"):
        score_dataset(data, open_tree(tmp_path))
    (score,) = score_dataset(data, open_tree(tmp_path), partial=True)
    assert (list(score.per_sequence), [hole.sequence for hole in score.holes]) == (["a"], ["b"])


def test_the_reason_is_the_files_own(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path, "t", name, [BOX] * 4)
        path = tmp_path / "t" / f"{name}.txt"
        path.write_text("x,y,w,h\n" + path.read_text())
    data = dataset("a", "b", holes=(Hole("Basketball", "not found below the root"),))
    (score,) = score_dataset(data, open_tree(tmp_path), partial=True)
    assert score.reason.startswith("nothing to score: a: line 1 of ")
    assert "t/a.txt holds 'x', which is no number" in score.reason
    write(tmp_path, "t", "a", [BOX] * 4)
    (score,) = score_dataset(data, open_tree(tmp_path), partial=True)
    assert score.coverage == "1 of 3"
    assert [hole.sequence for hole in score.refused] == ["b"]
    (note,) = score.notes
    assert note.startswith("Left out for results that cannot be scored: 1 of 3 sequences (b: line 1 of ")


def test_rows_that_were_cut_or_padded_are_counted(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [BOX, *[BOX] * 4])
    write(tmp_path, "t", "b", [BOX])
    write(tmp_path, "t", "c", [BOX] * 4)
    got10k, devkit = score_dataset(
        dataset("a", "b", "c"), open_tree(tmp_path), protocols=("got10k", "trackingnet-devkit")
    )
    for score, words in ((got10k, "scores the frames that are there"), (devkit, "fills them up with boxes that fail")):
        assert {n: (m.longer, m.shorter) for n, m in score.per_sequence.items()} == {
            "a": (1, 0), "b": (0, 3), "c": (0, 0),
        }  # fmt: skip
        assert (score.mean.longer, score.mean.shorter) == (1, 3)
        longer, shorter = score.notes
        assert longer.startswith("There are more rows than the annotation has in 1 of 3 sequences (1 in a): ")
        assert shorter == (
            f"There are fewer rows than the annotation has in 1 of 3 sequences (3 in b): {score.protocol} {words}."
        )
    entry = scores_json([devkit], per_sequence=True)["scores"][0]
    assert (entry["rows_beyond_annotation"], entry["rows_lacking"]) == (1, 3)
    assert "rows_lacking" not in entry["per_sequence"]["c"]


def test_runs_are_averaged_per_sequence_first(tmp_path: Path) -> None:
    write(tmp_path, "dimp/dimp50_000", "a", [BOX] * 4)
    write(tmp_path, "dimp/dimp50_001", "a", [FAR] * 4)
    (score,) = score_dataset(dataset("a"), open_tree(tmp_path))
    assert score.tracker == "dimp50"
    assert score.mean.success_auc == pytest.approx(10 / 21)
    (single,) = score_dataset(dataset("a"), open_tree(tmp_path), trackers=("dimp50_000",))
    assert single.mean.success_auc == pytest.approx(20 / 21)
    write(tmp_path, "dimp/dimp50_000", "b", [BOX] * 4)
    with pytest.raises(UserError, match="no result in run dimp50_001"):
        score_dataset(dataset("a", "b"), open_tree(tmp_path))


def test_unknown_trackers_and_protocols_get_a_hint(tmp_path: Path) -> None:
    write(tmp_path, "siamfc", "a", [BOX] * 4)
    with pytest.raises(UserError, match="did you mean siamfc"):
        score_dataset(dataset("a"), open_tree(tmp_path), trackers=("siamcf",))
    with pytest.raises(UserError, match="did you mean pysot"):
        score_dataset(dataset("a"), open_tree(tmp_path), protocols=("pysott",))


def test_attributes_average_over_the_sequences_that_have_them(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [BOX] * 4)
    write(tmp_path, "t", "b", [FAR] * 4)
    data = dataset("a", "b")
    (score,) = score_dataset(data, open_tree(tmp_path))
    attributes = {sequence.name: sequence.attributes for sequence in data.sequences}
    found = scores_by_attribute([score], attributes, protocol(score.protocol), ("SV", "IV", "LR"))
    assert {code: part.sequences for code, (part,) in found.items()} == {"SV": 1, "IV": 2}
    assert found["IV"][0].mean.success_auc == pytest.approx(10 / 21)
    assert found["SV"][0].mean.success_auc == 0.0


def test_score_tracker_from_memory() -> None:
    truth = {"a": Annotation(np.array([BOX] * 2)), "b": Annotation(np.array([BOX] * 2))}
    boxes = {"a": np.array([BOX] * 2), "b": Hole("b", "killed")}
    with pytest.raises(UserError, match=r"b \(killed\)"):
        score_tracker("otb100", "t", boxes, truth, "pysot")
    score = score_tracker("otb100", "t", boxes, truth, "pysot", expected=100, partial=True)
    assert score.coverage == "1 of 100"
    assert score.holes == (Hole("b", "killed"),)


def test_broken_predictions_are_counted_whatever_becomes_of_them(tmp_path: Path) -> None:
    nan = float("nan")
    write(tmp_path, "t", "a", [BOX, [nan] * 4, [10, 20, 0, 40], BOX])
    pysot, matlab, clean = score_dataset(
        dataset("a"), open_tree(tmp_path), protocols=("pysot", "lasot-matlab", "clean")
    )
    assert pysot.mean.broken == matlab.mean.broken == clean.mean.broken == 2
    assert matlab.mean.success_auc == pytest.approx(20 / 21)  # repeated
    assert pysot.mean.success_auc == pytest.approx(10 / 21)  # failed
    assert scores_json([pysot])["scores"][0]["broken_predictions"] == 2


KEYS = {"success_auc", "precision_20", "norm_precision_020", "norm_precision_auc"}
CURVES = {"success_curve": 21, "precision_curve": 51, "norm_precision_curve": 51}


def test_the_json_object(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [BOX] * 4)
    scores = score_dataset(dataset("a"), open_tree(tmp_path), protocols=("pysot", "otb", "trackingnet-devkit"))
    shown = json.loads(json.dumps(scores_json(scores, per_sequence=True), allow_nan=False))
    pysot, otb, devkit = shown["scores"]
    assert [s["protocol"] for s in shown["scores"]] == ["pysot", "otb", "trackingnet-devkit"]
    for entry in (pysot, pysot["per_sequence"]["a"]):
        assert {"dataset", "tracker", "protocol", "sequences", "expected_sequences"} | KEYS | set(CURVES) <= set(entry)
        assert {k: len(entry[k]) for k in CURVES} == CURVES
        assert entry["precision_20"] == 1.0
        assert "reason" not in entry
    assert (pysot["sequences"], pysot["expected_sequences"]) == (1, 1)
    assert otb["norm_precision_curve"] is otb["norm_precision_020"] is None
    assert "otb has no norm_precision_020" in otb["reason"]
    assert devkit["precision_curve"] is devkit["precision_20"] is None
    assert devkit["success_auc"] == devkit["precision_auc"] == 1.0
    assert len(devkit["curves"]["precision"]["thresholds"]) == 21
    assert "reason" in devkit


def test_the_json_object_of_a_refusal(tmp_path: Path) -> None:
    write(tmp_path, "t", "a", [[float("nan")] * 4] * 4)
    (score,) = score_dataset(dataset("a"), open_tree(tmp_path), protocols=("pytracking",))
    (entry,) = json.loads(json.dumps(scores_json([score], per_sequence=True), allow_nan=False))["scores"]
    assert all(entry[key] is None for key in KEYS | set(CURVES))
    assert "NaN" in entry["reason"]
    assert "NaN" in entry["per_sequence"]["a"]["reason"]


def test_nothing_heavy_is_imported_to_score() -> None:
    import subprocess
    import sys

    code = (
        "import sys, inmo.reports.scoring.raw, inmo.trackers.recorded.discovery; "
        "print(sorted(m for m in ('pandas', 'scipy', 'torch', 'matplotlib', 'pyarrow') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
