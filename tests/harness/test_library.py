"""The harness as a library: three functions, checked against the command line and numbers worked by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inmo
from inmo import evaluate, load_results, track
from inmo.datasets import open_dataset
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.library import RawFiles, Results
from inmo.harness.store.store import open_store
from inmo.trackers.base import Step


class Still:
    """GOT-10k's shape: the box stays. ``seen`` is what it was given."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def init(self, image: Any, box: Any) -> None:
        self.seen.append((image, box))
        self.box = box

    def update(self, image: Any) -> Any:
        self.seen.append(image)
        return self.box


class Ours:
    """A tracker of ours: the box goes right by a pixel a frame."""

    def init(self, frames: Any, boxes: Any) -> Any:
        return boxes

    def step(self, frames: Any, state: Any) -> Step:
        moved = state + np.array([1.0, 0, 0, 0])
        return Step(moved, np.ones(len(moved)), moved)


class Falls(Still):
    def update(self, image: Any) -> Any:
        raise ValueError("no target")


class Mumbles(Still):
    def update(self, image: Any) -> Any:
        return "left"


def auc_of_a_still_box(frames: int) -> float:
    """The target of the clips moves by (2, 1) a frame; size 16 x 14; success is IoU > 0, 0.05 .. 1, frame 0 counts."""
    shared = [max(0, 16 - 2 * i) * max(0, 14 - i) for i in range(frames)]
    overlaps = [part / (2 * 16 * 14 - part) for part in shared]
    return float(np.mean([[o > t / 20 for t in range(21)] for o in overlaps]))


def test_an_object_is_tracked_and_scored(clips: Path) -> None:
    tracker = Still()
    results = track(tracker, clips, progress=False)
    assert results.trackers == ("Still",)
    assert results.holes == ()
    assert results.boxes("Still", "short").tolist() == [[4, 6, 16, 14]] * 6
    scores = evaluate(results)
    frame = scores.per_sequence().set_index("sequence")
    for name, count in (("short", 6), ("middle", 9), ("long", 12)):
        assert frame.loc[name, "success_auc"] == pytest.approx(auc_of_a_still_box(count), abs=1e-12)
    mean = np.mean([auc_of_a_still_box(count) for count in (6, 9, 12)])
    (row,) = scores.frame().to_dict("records")
    assert row["success_auc"] == pytest.approx(mean, abs=1e-12)
    assert (row["sequences"], row["expected"], row["protocol"], row["reason"]) == (3, 3, "pysot", "")
    assert "3 of 3" in repr(scores)


def test_an_object_is_given_rgb_and_a_box_counted_from_0(clips: Path) -> None:
    import cv2

    first = cv2.imread(str(clips / "short" / "img" / "0001.png"))
    assert first is not None
    for image, wanted in (("rgb", first[:, :, ::-1]), ("bgr", first)):
        tracker = Still()
        track(tracker, clips / "short", image=image, progress=False)  # type: ignore[arg-type]
        seen, box = tracker.seen[0]
        assert np.array_equal(seen, wanted)
        assert box.tolist() == [4, 6, 16, 14]
        seen[:] = 0  # its own to write in
    tracker = Still()
    track(tracker, clips / "short", image="pil", progress=False)
    assert np.array_equal(np.asarray(tracker.seen[0][0]), first[:, :, ::-1])


def test_names_classes_and_our_own_trackers_stand_side_by_side(clips: Path) -> None:
    results = track(["constant", Still, Ours()], clips, label="", progress=False)
    assert sorted(results.trackers) == ["Ours", "Still", "constant box"]
    assert results.boxes("Ours", "short")[:, 0].tolist() == [4, 5, 6, 7, 8, 9]
    table = evaluate(results).frame().set_index("tracker")
    assert table.loc["Still", "success_auc"] == table.loc["constant box", "success_auc"]
    assert table.loc["Ours", "success_auc"] > table.loc["Still", "success_auc"]


def test_settings_are_those_of_the_command_line(clips: Path, tmp_path: Path) -> None:
    track("kcf", clips, store=tmp_path / "s", seed=3, label="mine", progress=False)
    (run,) = open_store(tmp_path / "s").runs("clips")
    assert run.identity == {"name": "kcf", "seed": 3}
    assert run.label == "mine"
    with pytest.raises(UserError, match="unknown setting of kcf 'sed': did you mean seed"):
        track("kcf", clips, sed=3)


def test_what_was_tracked_is_what_the_commands_track(clips: Path, tmp_path: Path) -> None:
    words = ("--dataset", f"folder:clips={clips}", "--store", str(tmp_path / "b"))
    assert main(["track", "--tracker", "kcf", *words]) == 0
    track("kcf", str(clips), store=tmp_path / "a", progress=False)
    again, by_command = load_results(tmp_path / "a"), load_results(tmp_path / "b")
    assert np.array_equal(again.boxes("KCF", "long"), by_command.boxes("KCF", "long"))
    with pytest.raises(UserError, match="two trackers are called KCF on clips"):
        evaluate(again, by_command)


def test_a_store_is_continued_for_names_and_versions_alone(clips: Path, tmp_path: Path) -> None:
    first = Still()
    for version in ("1", "1", "2", "", ""):
        track(first, clips, store=tmp_path / "s", version=version, progress=False)
    runs = open_store(tmp_path / "s").runs("clips")
    assert len(runs) == 4  # version 1 once, version 2, and two that nobody can say are the same
    assert len(first.seen) == 4 * (6 + 9 + 12)


def test_holes_stay_and_never_shrink_an_average(clips: Path) -> None:
    (clips / "middle" / "img" / "0005.png").write_bytes(b"")
    results = track(["constant", Falls], clips, progress=False)
    reasons = {(tracker, hole.sequence): hole.reason for _, tracker, hole in results.holes}
    assert set(reasons) == {("constant box", "middle"), *(("Falls", name) for name in ("short", "middle", "long"))}
    assert "update() of Falls failed in line" in reasons["Falls", "short"]
    assert "test_library.py: ValueError: no target" in reasons["Falls", "short"]
    with pytest.raises(UserError, match="score what is there with partial=True"):
        evaluate(results)
    with pytest.raises(UserError, match=r"0005\.png"):
        results.boxes("constant box", "middle")
    scores = evaluate(results, partial=True)
    table = scores.frame().set_index("tracker")
    assert table.loc["constant box", "sequences"] == 2
    assert table.loc["constant box", "expected"] == 3
    assert "2 of 3" in repr(scores)
    assert "2 of 3" in scores.plot().figure.axes[0].get_title()
    assert table.loc["Falls", "reason"] == "no result to score"
    assert np.isnan(table.loc["Falls", "success_auc"])  # type: ignore[call-overload]
    lines = scores.per_sequence()
    assert len(lines) == 6
    assert (lines["reason"] != "").sum() == 4


def test_an_answer_that_is_no_box_is_a_hole(clips: Path) -> None:
    results = track(Mumbles, clips / "short", progress=False)
    ((_, _, hole),) = results.holes
    assert hole.reason == "update() of Mumbles gave 'left' in place of four numbers"


def test_a_sequence_and_part_of_a_dataset(clips: Path) -> None:
    dataset = open_dataset("folder", str(clips))
    one = track("constant", dataset.sequences[0], progress=False)
    assert one.datasets == (dataset.sequences[0].name,)
    assert "1 of 1" in repr(evaluate(one))
    part = track("constant", dataset, sequences=["short"], progress=False)
    assert "1 of 3" in repr(evaluate(part, partial=True))
    with pytest.raises(UserError, match="did you mean short"):
        track("constant", dataset, sequences=["shrt"], progress=False)


def test_raw_results_beside_new_ones(clips: Path, tmp_path: Path) -> None:
    words = ("track", "--tracker", "constant", "--label", "ECO", "--dataset", f"folder={clips}", "--store")
    assert main([*words, str(tmp_path / "s")]) == 0
    words = ("export", "--store", str(tmp_path / "s"), "--format", "pysot", "--out", str(tmp_path / "raw"))
    assert main(list(words)) == 0
    theirs = load_results(tmp_path / "raw", clips)
    assert isinstance(theirs, RawFiles)
    assert theirs.trackers == ("ECO",)
    assert theirs.boxes("ECO", "short").tolist() == [[4, 6, 16, 14]] * 6
    scores = evaluate(theirs, track(Ours, clips, progress=False), protocol=["pysot", "clean"])
    assert list(scores.frame()["tracker"]) == ["ECO", "ECO", "Ours", "Ours"]
    curves = scores.curves("precision", protocol="pysot")
    assert list(curves.columns) == ["ECO", "Ours"]
    assert curves.index[20] == 20
    assert curves.loc[50.0, "Ours"] == 1
    with pytest.raises(UserError, match=r"name one protocol, protocol=\.\.\.: there are pysot, clean"):
        scores.plot()
    with pytest.raises(UserError, match="no folder that track"):
        load_results(tmp_path / "raw")


def test_a_plot_shows_itself_and_is_saved(clips: Path, tmp_path: Path) -> None:
    scores = evaluate(track("constant", clips, progress=False))
    plot = scores.plot("norm_precision")
    assert plot._repr_svg_().startswith("<?xml")
    assert scores.plot()._repr_svg_() == scores.plot()._repr_svg_() != plot._repr_svg_()
    svg, pdf = plot.save(tmp_path / "plot")
    assert svg.read_text(encoding="utf-8").startswith("<?xml")
    assert pdf.read_bytes().startswith(b"%PDF")
    with pytest.raises(UserError, match="choose another place"):
        plot.save(tmp_path / "no" / "plot")


def test_workers_take_objects_along(clips: Path) -> None:
    alone, two = (track(Ours(), clips, jobs=jobs, progress=False) for jobs in (1, 2))
    assert np.array_equal(alone.boxes("Ours", "long"), two.boxes("Ours", "long"))


def test_a_bar_is_shown_where_no_terminal_is(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    track("constant", clips)
    assert "27.0/27.0" in capsys.readouterr().err
    track("constant", clips, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda clips: track("csrtt", clips), "did you mean csrt"),
        (lambda clips: track("kcf", "mini-lasott"), "did you mean mini-lasot.* There is no folder mini-lasott either"),
        (lambda clips: track(3, clips), "int has no init"),
        (lambda clips: track(["kcf", "mil"], clips, label="x"), "a label is the name of one tracker"),
        (lambda clips: track("object", clips), "python:FILE.py:CLASS"),
        (lambda clips: evaluate(track("constant", clips, progress=False), protocol="pysott"), "did you mean pysot"),
        (lambda clips: track("kcf", f"otb100={clips}"), "holds|100 sequences"),
    ],
)
def test_every_mistake_gets_one_sentence(wrong: Any, message: str, clips: Path) -> None:
    with pytest.raises(UserError, match=message):
        wrong(clips)


def test_importing_costs_nothing_until_something_is_used() -> None:
    code = (
        "import sys, inmo; from inmo import evaluate, load_results, track; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'pandas', 'matplotlib', 'cv2')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'tracks'"):
        _ = inmo.tracks
    assert isinstance(Results, type)
