"""Which frames a protocol scores: those of its toolkit, beyond the benchmark's own where the toolkit has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets import DATASETS, open_dataset
from inmo.datasets.base import Annotation
from inmo.datasets.files import open_tree
from inmo.reports.scoring.protocols import PROTOCOLS
from inmo.reports.scoring.raw import score_dataset, score_sequence, score_tracker
from tests.datasets.tiny import write

BOX = [10.0, 20.0, 30.0, 40.0]
FAR = [500.0, 500.0, 30.0, 40.0]
PERFECT = 20 / 21  # area of an overlap of 1, which is above all thresholds but the last

# two annotated frames before the four that the benchmark scores, as OTB100's Tiger1 has five before 349
TRUTH = Annotation(np.array([BOX] * 4), before=np.array([BOX] * 2))


@pytest.mark.parametrize("benchmark", sorted(name for name in DATASETS if "trackingnet" not in name))
@pytest.mark.parametrize("rule", sorted(PROTOCOLS))
def test_only_the_got10k_toolkit_scores_frames_before_the_benchmarks_first(rule: str, benchmark: str) -> None:
    late = [BOX, FAR, BOX, BOX, BOX, BOX]  # a miss in the second frame, which is not the benchmark's
    found = score_sequence(np.array(late), TRUTH, rule, benchmark)
    if rule == "got10k":
        assert found.frames == 6
        assert found.success_auc == pytest.approx(5 / 6 * PERFECT)
    else:
        assert found.frames == (3 if rule == "clean" else 4)  # clean leaves out the first frame
        assert found.success_auc == pytest.approx(1.0 if PROTOCOLS[rule].area == "trapezoid" else PERFECT)
    assert found.filled == 0


@pytest.mark.parametrize("rule", sorted(PROTOCOLS))
def test_a_result_from_the_benchmarks_first_frame_is_in_step_under_every_protocol(rule: str) -> None:
    truth = Annotation(np.array([[x, 20, 30, 40] for x in (70.0, 100, 130, 160)]), before=np.array([BOX, BOX]))
    found = score_sequence(truth.boxes, truth, rule, "otb100")
    assert found.success_auc == pytest.approx(1.0 if PROTOCOLS[rule].area == "trapezoid" else PERFECT)
    assert (found.frames, found.filled) == ((6, 2) if rule == "got10k" else (3 if rule == "clean" else 4, 0))


def test_the_annotation_in_the_place_of_what_a_late_start_lacks_is_said() -> None:
    boxes = np.array([BOX, BOX, FAR, FAR])
    score = score_tracker("otb100", "t", {"Tiger1": boxes}, {"Tiger1": TRUTH}, "got10k")
    assert score.mean.success_auc == pytest.approx(4 / 6 * PERFECT)
    assert score.remarks == {"late": ("Tiger1",)}
    assert "the annotation stands there in 1 of 1 sequences (Tiger1)" in score.notes[0]
    assert not score_tracker("otb100", "t", {"Tiger1": boxes}, {"Tiger1": TRUTH}, "pysot").notes


@pytest.mark.parametrize("rows", [4, 6])
def test_an_annotation_without_those_frames_is_said(rows: int) -> None:
    truth = replace(TRUTH, before=np.full((2, 4), np.nan))
    boxes = np.array([BOX, BOX, BOX, BOX, FAR, FAR][:rows] if rows == 4 else [FAR, FAR, BOX, BOX, BOX, BOX])
    score = score_tracker("otb100", "t", {"Tiger1": boxes}, {"Tiger1": truth}, "got10k")
    assert score.mean.frames == 4
    assert score.mean.success_auc == pytest.approx(PERFECT)
    assert "which the annotation lacks in 1 of 1 sequences (Tiger1)" in score.notes[0]
    assert not score_tracker("otb100", "t", {"Tiger1": boxes}, {"Tiger1": truth}, "pysot").notes


def test_flags_move_with_the_frames() -> None:
    truth = replace(TRUTH, absent=np.array([False, False, False, True]))
    rule = replace(PROTOCOLS["got10k"], absent="failure")
    assert score_sequence(np.array([BOX] * 6), truth, rule, "otb100").success_auc == pytest.approx(5 / 6 * PERFECT)
    clean = replace(PROTOCOLS["clean"], before="scored")
    assert score_sequence(np.array([BOX] * 6), truth, clean, "otb100").frames == 4  # less the first and the absent one


def test_broken_rows_are_those_of_the_frames_that_count() -> None:
    nothing = [np.nan] * 4
    found = score_sequence(np.array([nothing, nothing, BOX, BOX, BOX, nothing]), TRUTH, "pysot", "otb100")
    assert (found.broken, found.success_auc) == (1, pytest.approx(3 / 4 * PERFECT))
    found = score_sequence(np.array([BOX, nothing, BOX, BOX, BOX, nothing]), TRUTH, "got10k", "otb100")
    assert (found.broken, found.success_auc) == (2, pytest.approx(4 / 6 * PERFECT))


def test_tiger1_from_files(tmp_path: Path) -> None:
    row = "".join(f"{v:g}," for v in BOX)[:-1] + "\n"
    write(tmp_path / "data/Tiger1/groundtruth_rect.txt", row * 354)
    write(tmp_path / "results/whole/Tiger1.txt", row + "500,500,30,40\n" * 4 + row * 349)
    write(tmp_path / "results/late/Tiger1.txt", row * 349)
    scores = score_dataset(
        open_dataset("otb100", str(tmp_path / "data")), open_tree(tmp_path / "results"),
        protocols=("pysot", "got10k", "otb", "pytracking"), partial=True,
    )  # fmt: skip
    found = {(s.tracker, s.protocol): s for s in scores}
    frames = {key: score.mean.frames for key, score in found.items()}
    assert frames == {key: 354 if key[1] == "got10k" else 349 for key in found}
    assert found["whole", "got10k"].mean.success_auc == pytest.approx(350 / 354 * PERFECT)
    others = [score.mean.success_auc for key, score in found.items() if key != ("whole", "got10k")]
    assert others == pytest.approx([PERFECT] * 7)
    assert [key for key, score in found.items() if score.notes] == [("late", "got10k")]
