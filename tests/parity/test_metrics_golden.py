"""Parity with the toolkits: every stored curve and scalar of every toolkit, within 1e-6.

The MATLAB toolkits' thresholds at IoU 0.65 and above come from MATLAB's colon operator, which we reproduce, so there
are no exceptions for ties. pytracking keeps its curves as float32, which is where the 1e-6 is used up.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inmo.datasets.base import Annotation
from inmo.reports.scoring.measure import RefusalError, mean_measures
from inmo.reports.scoring.protocols import PROTOCOLS
from inmo.reports.scoring.raw import score_sequence, score_tracker
from inmo.reports.scoring.score import Measures

pytestmark = pytest.mark.shared
TOLERANCE = 1e-6
CURVES = ("success", "precision", "norm_precision")

# set and toolkit -> protocol; the benchmark is the set's
SETS = {
    ("lasot", "lasot_matlab_port"): "lasot-matlab",
    ("lasot", "pysot"): "pysot",
    ("lasot", "pysot_sots"): "pysot-sots",
    ("lasot", "pytracking"): "pytracking",
    ("lasot", "pytracking_transt"): "pytracking-wh",
    ("lasot", "pytracking_exclude_invalid"): "pytracking-exclude-invalid",
    ("lasot", "got10k"): "got10k",
    ("lasot", "trackingnet_devkit"): "trackingnet-devkit",
    ("tnl2k", "tnl2k_matlab_port"): "tnl2k-matlab",
    ("tnl2k", "pysot_no_absent"): "pysot",
    ("tnl2k", "pysot_sots_no_absent"): "pysot-sots",
    ("tnl2k", "pytracking_no_absent"): "pytracking",
    ("tnl2k", "pytracking_transt_no_absent"): "pytracking-wh",
    ("tnl2k", "got10k"): "got10k",
    ("tnl2k", "trackingnet_devkit"): "trackingnet-devkit",
}
# toolkit of the mini cases -> protocol and benchmark
MINI = {
    "lasot_matlab_port": ("lasot-matlab", "lasot"),
    "pysot": ("pysot", "lasot"),
    "pysot_sots": ("pysot-sots", "lasot"),
    "pytracking[lasot]": ("pytracking", "lasot"),
    "pytracking[otb]": ("pytracking", "otb100"),
    "pytracking[uav]": ("pytracking", "uav123"),
    "pytracking_transt[lasot]": ("pytracking-wh", "lasot"),
    "pytracking_transt[tnl2k]": ("pytracking-wh", "tnl2k"),
    "got10k[LaSOT]": ("got10k", "lasot"),
    "got10k[OTB]": ("got10k", "otb100"),
    "got10k[UAV123]": ("got10k", "uav123"),
    "trackingnet_devkit": ("trackingnet-devkit", "trackingnet"),
}
SCALARS = {
    "auc": lambda m: m.success_auc,
    "success_auc": lambda m: m.success_auc,
    "precision20": lambda m: m.precision_20,
    "norm_precision_020": lambda m: m.norm_precision_020,
    "norm_precision_auc": lambda m: m.norm_precision_auc,
    "precision_auc": lambda m: m.precision_auc,
    "op50": lambda m: m.success[10],
    "op75": lambda m: m.success[15],
}


def read_csv(path: Path) -> Mapping[str, np.ndarray]:
    rows: dict[str, list[list[float]]] = {}
    with gzip.open(path, "rt") as stream:
        for row in csv.reader(stream):
            if row[0] != "sequence":
                rows.setdefault(row[0], []).append([float(x) for x in row[2:]])
    return {name: np.array(values) for name, values in rows.items()}


@lru_cache
def annotations(folder: Path, which: str) -> Mapping[str, Annotation]:
    table = read_csv(folder / f"gt_{which}.csv.gz")
    return {name: Annotation(rows[:, :4], rows[:, 4] > 0) for name, rows in table.items()}


@lru_cache
def predictions(folder: Path, which: str, tracker: str) -> Mapping[str, np.ndarray]:
    return read_csv(folder / f"pred_{which}_{tracker}.csv.gz")


def same(measures: Measures, golden: Mapping[str, Any], where: str) -> None:
    """Every curve and every scalar that the toolkit stored."""
    seen = 0
    for name in CURVES:
        if name in golden and not isinstance(golden[name], float):
            ours = getattr(measures, name)
            seen += 1
            if golden[name] is None:
                assert ours is None, f"{where}: {name} should not exist"
            else:
                np.testing.assert_allclose(ours, golden[name], rtol=0, atol=TOLERANCE, err_msg=f"{where} {name}")
    for key, read in SCALARS.items():
        if key in golden:
            seen += 1
            if golden[key] is None:
                assert read(measures) is None, f"{where}: {key} should not exist"
            else:
                assert read(measures) == pytest.approx(golden[key], rel=0, abs=TOLERANCE), f"{where} {key}"
    if isinstance(golden.get("success"), float):  # the devkit's scalar of that name
        seen += 1
        assert measures.success_auc == pytest.approx(golden["success"], rel=0, abs=TOLERANCE), where
    assert seen, f"{where}: nothing compared"


@pytest.mark.parametrize(("which", "toolkit"), list(SETS))
def test_every_tracker_of_every_set(shared: Path, which: str, toolkit: str) -> None:
    folder = shared / "reference" / "metrics_golden"
    golden = json.loads(gzip.decompress((folder / f"result_{which}_{toolkit}.json.gz").read_bytes()))
    truth = annotations(folder, which)
    assert len(golden) == 8
    for tracker, result in golden.items():
        score = score_tracker(
            which, tracker, predictions(folder, which, tracker), truth, SETS[which, toolkit], benchmark_name=which
        )
        where = f"{which} {toolkit} {tracker}"
        if "error" in result:
            assert score.reason, f"{where} should refuse: {result['error']}"
            assert score.mean.success is None
            assert score.mean.success_auc is None
            continue
        assert not score.reason, where
        assert score.sequences == score.expected == len(truth)
        same(score.mean, result, where)
        for sequence, curves in result.get("seqs", {}).items():
            same(score.per_sequence[sequence], curves, f"{where} {sequence}")
        if "coverage" in result:
            assert score.mean.box_coverage == pytest.approx(result["coverage"] / 100, rel=0, abs=TOLERANCE)


def cases(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "mini_cases.json").read_text())["cases"]
    return found


def as_boxes(rows: list[list[float | None]]) -> np.ndarray:
    return np.array([[np.nan if x is None else x for x in row] for row in rows], dtype=np.float64)


@pytest.mark.parametrize("toolkit", list(MINI))
def test_every_mini_case(shared: Path, toolkit: str) -> None:
    name, benchmark = MINI[toolkit]
    known = cases(shared / "reference" / "metrics_golden")
    assert len(known) == 27
    for case in known:
        golden = case["results"][toolkit]
        truth = Annotation(as_boxes(case["gt"]), np.array(case["absent"], dtype=bool))
        where = f"{case['name']} {toolkit}"
        if "error" in golden:
            with pytest.raises(RefusalError):
                score_sequence(as_boxes(case["pred"]), truth, PROTOCOLS[name], benchmark)
            continue
        measures = score_sequence(as_boxes(case["pred"]), truth, PROTOCOLS[name], benchmark)
        same(measures, golden, where)


@pytest.mark.parametrize("toolkit", list(MINI))
def test_the_mini_case_of_two_sequences(shared: Path, toolkit: str) -> None:
    case = json.loads((shared / "reference" / "metrics_golden" / "mini_cases.json").read_text())["two_sequences"]
    name, benchmark = MINI[toolkit]
    truth = {s: Annotation(as_boxes(rows), np.zeros(len(rows), dtype=bool)) for s, rows in case["gt"].items()}
    parts = [score_sequence(as_boxes(case["pred"][s]), truth[s], PROTOCOLS[name], benchmark) for s in truth]
    mean = mean_measures(parts, PROTOCOLS[name].on(benchmark))
    golden = case["results"][toolkit]
    if golden.get("dropped_sequences"):
        assert golden["dropped_sequences"]["success"] == sum(not part.success.any() for part in parts)
    same(mean, golden, toolkit)
