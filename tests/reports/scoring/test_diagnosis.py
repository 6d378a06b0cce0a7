"""Results written in other ways than x, y, w, h: what they are taken for, and that sound ones are taken for nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.boxes import Boxes, shift_origin
from inmo.datasets import open_dataset
from inmo.datasets.base import Annotation
from inmo.datasets.files import open_tree
from inmo.reports.scoring.diagnosis import Pair, Watch, diagnose, with_readings
from inmo.reports.scoring.protocols import protocol
from inmo.reports.scoring.raw import score_dataset
from inmo.reports.scoring.score import Score
from inmo.reports.scoring.tally import take_in, tallies
from inmo.trackers.recorded.box_layouts import BOX_LAYOUTS

FRAMES = 30
STEP = np.array([3.0, 2.0, 0.0, 0.0])


def truth(place: int) -> Boxes:
    """A box of 30 by 40 that moves by (3, 2) a frame, (30, 4); each sequence begins elsewhere."""
    start = np.array([50.0 + 40 * place, 60.0 + 30 * place, 30.0, 40.0])
    return start + STEP * np.arange(FRAMES)[:, None]


def prediction(place: int) -> Boxes:
    """The truth, two pixels too wide from the second frame on."""
    boxes = truth(place) + np.array([0.0, 0.0, 2.0, 0.0])
    boxes[0] = truth(place)[0]
    return boxes


def corners(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def centres(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)


def first_kept(change: Callable[[Boxes], Boxes]) -> Callable[[Boxes], Boxes]:
    return lambda boxes: np.concatenate([boxes[:1], change(boxes)[1:]])


def scored(
    change: Callable[[Boxes], Boxes], count: int = 5, annotate: Callable[[Boxes], Boxes] = np.copy
) -> tuple[bool, Score]:
    """Whether a changed tracker deserves a second look, and its score with all readings."""
    pairs = [Pair(f"s{n}", (change(prediction(n)),), Annotation(annotate(truth(n)))) for n in range(count)]
    rule, watch, into = protocol("pysot"), Watch(), tallies("d", "otb100", ["t"], [protocol("pysot")])
    for pair in pairs:
        watch.take("t", pair.runs[0], pair.annotation)
        take_in(into, {"t": list(pair.runs)}, pair.annotation, [rule], "otb100", pair.sequence)
    (score,) = with_readings([into["t", "pysot"].score(count)], {"t": pairs}, "otb100")
    return bool(watch.suspects()), score


SIZE = np.array([640.0, 480.0, 640.0, 480.0])
CHANGES: dict[str, tuple[Callable[[Boxes], Boxes], str, str]] = {
    "corners": (corners, "corners (x1, y1, x2, y2)", "--boxes xyxy"),
    "corners, as integers": (lambda b: np.rint(corners(b)), "corners (x1, y1, x2, y2)", "--boxes xyxy"),
    "corners after the first row": (first_kept(corners), "corners (x1, y1, x2, y2)", "--boxes xyxy"),
    "centres": (centres, "centres (cx, cy, w, h)", "--boxes cxcywh"),
    "normalised": (lambda b: b / SIZE, "x, y, w, h normalised to the frame", "--boxes normalised"),
    "normalised after the first row": (
        first_kept(lambda b: b / SIZE), "x, y, w, h normalised to the frame", "--boxes normalised",
    ),
    "normalised centres": (
        lambda b: centres(b) / SIZE, "centres (cx, cy, w, h) normalised to the frame", "--boxes normalised-cxcywh",
    ),
    "corners in thousandths": (
        lambda b: 1000 * corners(b) / SIZE, "corners (x1, y1, x2, y2) in pixels of a frame of another size",
        "--boxes normalised-xyxy",
    ),
    "of half the resolution": (lambda b: b / 2, "x, y, w, h in pixels of a frame of another size", "normalised"),
    "from 1": (lambda b: shift_origin(b, 1), "boxes counted from 1 where the annotations count from 0", "origin"),
    "from 0": (lambda b: shift_origin(b, -1), "boxes counted from 0 where the annotations count from 1", "origin"),
    "first row missing": (lambda b: b[1:], "results without their first row", "put the first box first"),
    "a frame early": (lambda b: np.concatenate([b[1:], b[-1:]]), "results without their first row", "first box first"),
    "first row twice": (lambda b: np.concatenate([b[:1], b]), "results with their first row twice", "leave out"),
    "a frame late": (lambda b: np.concatenate([b[:1], b[:-1]]), "results with their first row twice", "leave out"),
    "eight times the rate": (lambda b: np.repeat(b, 8, axis=0)[: 8 * 29 + 1], "results at a higher frame rate", ""),
    "every tenth frame": (lambda b: b[::10], "results at a lower frame rate", ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_what_was_changed_is_what_it_looks_like(kind: str) -> None:
    change, words, advice = CHANGES[kind]
    asked, score = scored(change)
    assert asked
    (likely,) = [reading for reading in score.readings if reading.likely]
    assert likely.words.startswith(words)
    assert advice in likely.advice
    assert score.looks.startswith(f"t: its boxes look like {words}")
    assert likely == score.readings[1]
    assert score.readings[0].words == "as they stand"
    assert score.readings[0].auc == score.mean.success_auc
    # 30 of 32 pixels of width, 0.9375, are above 19 of the 21 thresholds
    assert likely.auc == pytest.approx(19 / 21, abs=0.03)


def test_corners_in_numbers() -> None:
    """The first box of 50, 60, 30, 40 as corners is 50, 60, 80, 100: as a box, 1200 of its 8000 pixels are right."""
    _, score = scored(corners, count=1)
    stand, likely = score.readings[:2]
    assert stand.starts == 0.0  # 0.15 of overlap
    assert likely.starts == 1.0
    assert likely.better == 1.0
    assert likely.sequences == 1
    assert likely.auc == pytest.approx((20 + 29 * 19) / 21 / 30)
    assert f"read so, its AUC would be {100 * (20 + 29 * 19) / 21 / 30:.1f} instead of" in score.looks


SOUND: dict[str, Callable[[Boxes], Boxes]] = {
    "as they are": lambda b: b,
    "integers": np.rint,
    "too large": lambda b: b + np.array((-9, -9, 18, 18)),
    "half a pixel off": lambda b: b + np.array((0.5, 0.5, 0, 0)),
    "never moving": lambda b: np.repeat(b[:1], len(b), axis=0),
    "anywhere": first_kept(lambda b: np.random.default_rng(0).uniform(1, 300, b.shape)),
    "in the middle of the frame": first_kept(lambda b: np.tile([280.0, 200.0, 80.0, 80.0], (len(b), 1))),
    "the whole frame": first_kept(lambda b: np.tile([0.0, 0.0, 640.0, 480.0], (len(b), 1))),
    "lost at once": first_kept(lambda b: b + np.array((400, 300, 0, 0))),
    "drifting off": lambda b: b + np.arange(len(b))[:, None] * [5, -3, 0, 0],
    "empty": first_kept(np.zeros_like),
    "NaN": lambda b: np.full_like(b, np.nan),
    "one row": lambda b: b[:1],
}


@pytest.mark.parametrize("kind", SOUND)
@pytest.mark.parametrize("count", [1, 5])
def test_bad_trackers_are_only_bad(kind: str, count: int) -> None:
    _, score = scored(SOUND[kind], count)
    assert not score.looks
    assert not any(reading.likely for reading in score.readings)


def test_a_sound_tracker_costs_no_second_look() -> None:
    asked, score = scored(lambda b: b)
    assert not asked
    assert not score.looks


@pytest.mark.parametrize(
    ("annotate", "words"),
    [
        (corners, "x, y, w, h where the annotations are corners (x1, y1, x2, y2)"),
        (lambda b: b / SIZE, "x, y, w, h in pixels, where the annotations are normalised to the frame"),
    ],
)
def test_annotations_in_another_layout(annotate: Callable[[Boxes], Boxes], words: str) -> None:
    asked, score = scored(lambda b: b, annotate=annotate)
    assert asked
    assert words in score.looks


def test_files_of_a_sequence_with_a_like_name() -> None:
    boxes = [prediction(n) for n in range(5)]
    boxes[0], boxes[1] = boxes[1], boxes[0]
    pairs = [Pair(f"walk-{n}", (boxes[n],), Annotation(truth(n))) for n in range(5)]
    watch, into = Watch(), tallies("d", "otb100", ["t"], [protocol("pysot")])
    for pair in pairs:
        watch.take("t", pair.runs[0], pair.annotation)
        take_in(into, {"t": list(pair.runs)}, pair.annotation, [protocol("pysot")], "otb100", pair.sequence)
    assert watch.suspects() == ["t"]
    score = into["t", "pysot"].score(5)
    score = replace(score, readings=diagnose(pairs, score, protocol("pysot"), "otb100"))
    assert "files of other sequences (walk-0's of walk-1, walk-1's of walk-0)" in score.looks
    assert score.readings[1].auc == pytest.approx((20 + 29 * 19) / 21 / 30)


@pytest.mark.shared
@pytest.mark.parametrize("benchmark", ["otb100", "uav123_10fps"])
def test_published_results_raise_no_note(shared: Path, benchmark: str) -> None:
    name = {"otb100": "OTB100", "uav123_10fps": "UAV123_10fps"}[benchmark]
    dataset = open_dataset(benchmark, str(shared / "data" / "annotations" / f"{name}.zip"))
    tree = open_tree(shared / "data" / "results" / f"{name}.zip")
    for score in score_dataset(dataset, tree, diagnose=True):
        assert not score.looks
        assert len(score.readings) >= len([row for row in BOX_LAYOUTS.values() if not row.scaled])
