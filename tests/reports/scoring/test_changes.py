"""Two stores compared: what changed, where, by how much, and what is not compared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.store.records import Run
from inmo.harness.store.store import Store
from inmo.reports.scoring.changes import RunChange, compare_stores
from tests.clips import LENGTHS, write_clips
from tests.harness.store.stores import KCF, MOSSE, TRUTH, a_result, a_store

CLIPS = tuple(f"clip{n}" for n in range(7))


def stores(tmp_path: Path, shift: float = 8.0, run: Run = KCF) -> tuple[Store, Store]:
    """The same boxes, but on clip0 ... clip5 of the second store ``shift`` px to the right from frame 3 on."""
    first = a_store(tmp_path / "a", [KCF], {"kcf": 7}, clips=CLIPS)
    second = a_store(tmp_path / "b", [run], {}, clips=CLIPS)
    for number, name in enumerate(CLIPS):
        result = a_result(annotation=second.sequence("folder", name).annotation.fingerprint())
        if number < 6:
            result.boxes[3:, 0] += shift + number
        second.put_result("folder", run, name, result)
    return first, second


def only(first: Store, second: Store) -> RunChange:
    (run,) = compare_stores(first, second).runs
    return run


def auc(*overlaps: float) -> float:
    return float(np.mean([[o > t / 20 for t in range(21)] for o in overlaps]))


def test_differences_are_those_of_the_boxes(tmp_path: Path) -> None:
    """A box 30 wide that is 8 px aside shares 22 of 38 columns."""
    run = only(*stores(tmp_path))
    change = next(c for c in run.changes if c.sequence == "clip0")
    assert change.before == pytest.approx(20 / 21)
    assert change.after == pytest.approx(auc(1, 1, 1, 22 / 38, 22 / 38, 22 / 38))
    assert (change.differ, change.frames, change.start, change.worst) == (3, 6, 3, 3)
    same = next(c for c in run.changes if c.sequence == "clip6")
    assert (same.differ, same.difference) == (0, 0.0)
    assert run.changed[0].sequence == "clip5"  # moved farthest
    assert run.pair is not None and run.pair.interval is not None
    assert run.pair.n == 7 and run.pair.difference == pytest.approx(np.mean([c.difference for c in run.changes]))
    assert run.pair.interval.low < run.pair.difference < run.pair.interval.high
    assert run.pair.p_value == pytest.approx(2 / 2**6)  # of 2**6 ways to turn six equal signs two are as far out


def test_a_run_of_another_config_is_matched_by_its_name_and_its_settings_are_named(tmp_path: Path) -> None:
    other = replace(KCF, hash="f" * 12, identity={"tracker": "kcf", "seed": 1})
    run = only(*stores(tmp_path, run=other))
    assert run.runs == (KCF, other)
    assert run.facts["seed"] == ("0", "1")


def test_what_one_store_has_alone_is_named_and_not_compared(tmp_path: Path) -> None:
    first, second = stores(tmp_path)
    first.drop_result("folder", KCF, "clip1")
    second.drop_result("folder", KCF, "clip2")
    a_store(tmp_path / "b", [MOSSE], {"mosse": 1}, clips=CLIPS)
    found = compare_stores(first, second)
    (run,) = found.runs
    assert run.only == (("clip2",), ("clip1",))
    assert {c.sequence for c in run.changes} == {"clip0", "clip3", "clip4", "clip5", "clip6"}
    assert run.pair is not None and run.pair.interval is None  # five sequences
    assert found.only == ((), ("MOSSE on folder",))


def test_another_annotation_is_not_compared(tmp_path: Path) -> None:
    first, _ = stores(tmp_path)
    third = a_store(tmp_path / "c", [KCF], {"kcf": 7}, clips=CLIPS[:1], truth=TRUTH + 1)
    run = only(first, third)
    assert run.redrawn == ("clip0",) and not run.changes and run.pair is None


def test_a_shorter_result_differs_in_the_frames_it_lacks(tmp_path: Path) -> None:
    first, second = stores(tmp_path, shift=0.0)
    second.drop_result("folder", KCF, "clip6")
    truth = second.sequence("folder", "clip6").annotation.fingerprint()
    second.put_result("folder", KCF, "clip6", a_result(annotation=truth, frames=4))
    change = next(c for c in only(first, second).changes if c.sequence == "clip6")
    assert (change.differ, change.frames, change.start) == (2, 6, 4)
    assert change.after is None and change.difference is None  # refused


def test_nothing_in_common_is_said(tmp_path: Path) -> None:
    first = a_store(tmp_path / "a", [KCF], {"kcf": 1})
    second = a_store(tmp_path / "b", [MOSSE], {"mosse": 1})
    with pytest.raises(UserError, match="have no tracker on a dataset in common: see `status` of each"):
        compare_stores(first, second)


def test_the_command_names_damaged_files_and_compares_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = stores(tmp_path)
    path = first.result_file("folder", KCF.folder, "clip0")
    path.write_bytes(path.read_bytes()[:-20])
    words = ["compare", str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out.splitlines()[2].split()[:4] == ["KCF", "folder", "6", "5"]
    assert f"damaged, left out: {path}" in err
    assert main([*words, "--format", "json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert [len(told[key]["rows"]) for key in ("trackers", "sequences")] == [1, 5]


def test_the_page_shows_frames_of_the_largest_changes(tmp_path: Path) -> None:
    clips = write_clips(tmp_path / "clips")
    for name, tracker in (("a", "constant"), ("b", "kcf")):
        words = ["track", "--tracker", tracker, "--label", "mine", "--dataset", f"folder={clips}"]
        assert main([*words, "--store", str(tmp_path / name)]) == 0
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "page")]) == 0
    page = (tmp_path / "page/index.html").read_text()
    assert page.count('<figure class="strip">') == len(LENGTHS)
    assert "data:image/jpeg;base64," in page and str(tmp_path) not in page
    assert json.loads((tmp_path / "page/tables/sequences.json").read_text())["rows"]
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "a"), "--out", str(tmp_path / "same")]) == 0
    assert "No boxes changed." in (tmp_path / "same/index.html").read_text()
