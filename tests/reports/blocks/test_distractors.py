"""Tables and figures of distractors from a store whose every number is known by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.boxes import Boxes
from inmo.datasets.base import Sequence
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.store.store import Store
from inmo.reports.blocks.block import write_block
from inmo.reports.blocks.distractors import AUC, BEFORE, ON, SWITCHED, distractors_block, measured, parts_of
from inmo.reports.figures.style import styles
from inmo.reports.scoring.stored import DatasetEvaluation, evaluate
from inmo.reports.tables.significance import pairs_table
from tests.reports.example import FRAMES, HOSTILE, example_store

AWAY = 200.0  # how far the third tracker of the example jumps from its target when it loses it


def disturbed(folder: Path) -> Store:
    """The example's clips, each with a distractor where the third tracker goes; ``clip7`` with a second one far off."""
    store = example_store(folder, images=False)
    for number, name in enumerate(store.dataset("folder").names):
        own = store.sequence("folder", name)
        moved = np.add(own.annotation.boxes, (AWAY + 14 + number, 0, 0, 0))
        others = np.stack([moved, np.add(moved, (500, 0, 0, 0))] if name == "clip7" else [moved])
        sequence = Sequence("folder", name, lambda a=own.annotation: a, others=lambda o=others: o)  # type: ignore[misc]
        store.put_sequence("folder", sequence, own.annotation)
    return store


@pytest.fixture
def data(tmp_path: Path) -> DatasetEvaluation:
    (found,) = evaluate(disturbed(tmp_path)).datasets
    return found


def test_measures_are_those_of_the_example(data: DatasetEvaluation) -> None:
    found = measured(data)
    third = HOSTILE
    # lost from frame 3 to 12 in clip6 and from frame 9 on in clip7, on the distractor all the while
    assert {s: v for s, v in found[ON][third].items() if v} == pytest.approx({"clip6": 10 / 19, "clip7": 11 / 19})
    assert {s: v for s, v in found[BEFORE][third].items() if v < FRAMES} == {"clip6": 3, "clip7": 9}
    assert sum(found[SWITCHED][third].values()) == 2 and len(found[SWITCHED][third]) == 8
    assert set(found[ON]["Good"].values()) == {0.0} and set(found[BEFORE]["Good"].values()) == {20.0}
    assert len(found[AUC]["Fair & square"]) == 7  # it has no result on clip1


def test_parts_are_the_numbers_of_distractors_and_known_grades(data: DatasetEvaluation) -> None:
    one, two = parts_of(data)
    assert (one.key, len(one.sequences), two.key, two.sequences) == ("1", 7, "2", frozenset({"clip7"}))
    codes = dict.fromkeys(data.distraction, ("HUE",))
    assert len(parts_of(replace(data, attributed=codes))) == 2  # HUE of another benchmark is something else
    known = replace(data.dataset, attributes={"HUE": "Its colours a sixth of the colour circle away"})
    assert [p.group for p in parts_of(replace(data, attributed=codes, dataset=known))] == [
        "Number",
        "Number",
        "Likeness",
    ]


def test_the_block_has_tables_pairs_and_figures(data: DatasetEvaluation, tmp_path: Path) -> None:
    block = distractors_block(data, styles(run.name for run in data.runs))
    overall = block.tables["switches_folder"]
    assert [row[0].value for row in overall.rows][:2] == ["Good", "Fair & square"]
    by = {column.key: place for place, column in enumerate(overall.columns)}
    assert [row[by["first_switch"]].value for row in overall.rows] == pytest.approx([20, 20, (6 * 20 + 12) / 8])
    assert all(row[by["on_distractor"]].rank == 0 for row in overall.rows if row[1].value == 7)  # fewer sequences
    grades = block.tables["switches_folder_on_distractor"]
    assert [column.sub for column in grades.columns[1:]] == ["n 7", "n 1"]
    assert grades.rows[2][2].value == pytest.approx(11 / 19) and grades.rows[2][2].interval is None
    names = {path.name for path in write_block(block, tmp_path / "out")}
    assert {"switches_folder.csv", "switches_folder_first_switch_pairs.csv", "switches_folder_success_auc.pdf"} <= names


def test_fewer_frames_on_distractors_are_better(data: DatasetEvaluation) -> None:
    from inmo.reports.scoring.statistics import compare_all

    worse, better = {f"s{k}": 0.5 + k / 100 for k in range(12)}, {f"s{k}": 0.1 for k in range(12)}
    pairs = compare_all({"A": worse, "B": better})
    assert pairs_table(pairs, column=ON).rows[0][5].value == "B"
    assert pairs_table(pairs).rows[0][5].value == "A"
    head = pairs_table(pairs, column=BEFORE).columns[3]
    assert (head.label, head.unit, head.scale) == ("Δ First switch", "frames", 1.0)


def test_the_command_prints_and_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = disturbed(tmp_path)
    assert main(["distractors", "--store", str(store.root), "--out", str(tmp_path / "o")]) == 0
    shown = capsys.readouterr()
    assert "First switch [frames]" in shown.out and "switches_folder.csv" in shown.err
    assert main(["distractors", "--store", str(store.root), "--dataset", "nowhere"]) == 2
    assert "it has: folder" in capsys.readouterr().err


def test_a_store_without_distractors_is_told_how_to_get_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = example_store(tmp_path, images=False)
    assert main(["distractors", "--store", str(store.root)]) == 2
    assert "track --dataset distractors" in capsys.readouterr().err


def test_a_broken_distractor_is_a_visible_hole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = disturbed(tmp_path)
    annotation = store.sequence("folder", "clip2").annotation

    def broken() -> Boxes:
        raise UserError("distractor.1.txt has 2 rows")

    store.put_sequence("folder", Sequence("folder", "clip2", lambda: annotation, others=broken), annotation)
    assert main(["distractors", "--store", str(store.root)]) == 2
    assert "clip2 is left out: distractor.1.txt has 2 rows." in capsys.readouterr().err
