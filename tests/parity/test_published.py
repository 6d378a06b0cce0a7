"""Published scores from published raw files, as they are.

The values in print follow the OTB rule. On OTB100 `pysot`, the benchmark's default protocol here, gives them too; so
does `otb`. UAV123@10fps was scored by AutoTrack's authors with the OTB rule; `pysot` agrees to the decimal.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inmo.datasets import open_dataset
from inmo.datasets.files import open_tree
from inmo.reports.scoring.raw import score_dataset
from inmo.reports.scoring.score import Score

pytestmark = pytest.mark.shared


def published(shared: Path, word: str) -> dict[str, object]:
    table = json.loads((shared / "data" / "results" / "published.json").read_text())
    return {tracker: value for head, values in table.items() if word in head for tracker, value in values.items()}


@pytest.fixture(scope="module")
def otb(shared: Path) -> list[Score]:
    dataset = open_dataset("otb100", str(shared / "data" / "annotations" / "OTB100.zip"))
    results = open_tree(shared / "data" / "results" / "OTB100.zip")
    return score_dataset(dataset, results, protocols=("pysot", "otb"))


@pytest.mark.parametrize("protocol", ["pysot", "otb"])
@pytest.mark.parametrize("word", ["OTB100 success", "computed here with the OTB rule"])
def test_otb100(shared: Path, otb: list[Score], protocol: str, word: str) -> None:
    scores = {s.tracker: s for s in otb if s.protocol == protocol}
    assert len(scores) == 10
    wanted = published(shared, word)
    assert wanted
    for tracker, auc in wanted.items():
        score = scores[tracker]
        assert score.coverage == "100 of 100"
        assert not score.holes
        assert not score.reason
        assert round(100 * (score.mean.success_auc or 0), 1) == auc, tracker


def test_tiger1_is_scored_from_its_sixth_frame(otb: list[Score]) -> None:
    assert {s.per_sequence["Tiger1"].frames for s in otb} == {349}


def test_a_trailing_zero_row_may_lack_a_prediction(otb: list[Score]) -> None:
    assert {s.per_sequence["Board"].frames for s in otb} <= {697, 698}


def test_uav123_10fps(shared: Path) -> None:
    dataset = open_dataset("uav123_10fps", str(shared / "data" / "annotations" / "UAV123_10fps.zip"))
    results = open_tree(shared / "data" / "results" / "UAV123_10fps.zip")
    (wanted,) = published(shared, "UAV123_10fps").values()
    for score in score_dataset(dataset, results, protocols=("pysot", "otb")):
        assert score.coverage == "123 of 123"
        found = [round(100 * (v or 0), 1) for v in (score.mean.success_auc, score.mean.precision_20)]
        assert found == wanted


@pytest.mark.parametrize(("name", "file", "auc"), [("lasot", "LaSOT_test", 0.9274), ("tnl2k", "TNL2K_test", 0.8466)])
def test_the_annotation_as_its_own_tracker(shared: Path, name: str, file: str, auc: float) -> None:
    """20/21 per fully valid sequence; the sets' values are in the reference, computed with the toolkits."""
    from inmo.reports.scoring.raw import score_tracker

    dataset = open_dataset(name, str(shared / "data" / "annotations" / f"{file}.zip"))
    truth = {s.name: s.annotation() for s in dataset.sequences}
    score = score_tracker(name, "perfect", {n: a.boxes for n, a in truth.items()}, truth, dataset.benchmark.protocol)
    assert score.sequences == dataset.expected
    assert round(score.mean.success_auc or 0, 4) == auc
    share = {"lasot": 0.9738, "tnl2k": 0.9172}[name]
    assert round(score.mean.precision_20 or 0, 4) == share
    assert round(score.mean.norm_precision_020 or 0, 4) == share
