"""What the paper prints, twice: the data files, and a transcription of its own below. A slip in one shows here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inmo.datasets import DATASETS
from inmo.errors import UserError
from inmo.harness.store.store import Run
from inmo.reports.paper import printed as paper
from inmo.reports.paper.measured import Measured, comparable
from inmo.reports.paper.printed import MEASURES, TITLES, paper_table
from inmo.reports.scoring.stored import TrackerRun
from inmo.trackers.families.ablations import TABLES
from tests.reports.paper.fake_paper import write_paper

# Rows in the paper's order; every cell that is not known is None. LaSOT AUC, P_norm, P; TNL2K AUC, P_norm, P; UAV123
# AUC, P; NFS AUC, P; FPS.
TABLE_2 = {
    "TransInMo*": ["65.7", None, None, "52.0", None, None, "69.0", None, "66.8", None, "34"],
    "TransInMo": [None] * 11,
    "TransT": [None, None, None, "50.7", "57.1", "51.7", "68.1", "87.6", "65.7", None, "50"],
    "TrDiMP": [None] * 11,
    "CNNInMo": [None] * 11,
    "SiamCAR": ["50.7", "60.0", "51.0", None, None, None, "61.4", "76.0", None, None, None],
    "AutoMatch": [None] * 11,
    "Ocean": ["56.0", None, None, "38.4", None, None, None, None, None, None, None],
    "KYS": [None] * 11,
    "SiamFC++": [None] * 11,
    "PrDiMP": [None, None, None, None, None, None, "66.8", None, None, None, None],
    "CGACD": [None] * 11,
    "SiamAttn": [None] * 11,
    "SiamBAN": [None] * 11,
    "DiMP": [None] * 11,
    "SiamRPN++": ["49.6", "56.9", "49.1", None, None, None, None, None, "50.8", "50.9", None],
    "ATOM": [None] * 11,
    "SiamRPN": ["49.6", "56.9", "49.1", None, None, None, None, None, None, None, None],
    "ECO": [None] * 11,
    "SiamFC": [None, None, None, "29.5", "45.0", "28.6", None, None, None, None, None],
}
# TrackingNet AUC, OTB100 AUC.
TABLE_3 = {
    "TransInMo*": ["81.7", "71.1"],
    "TransInMo": [None, None],
    "TransT": [None, "69.4"],
    "CNNInMo": [None, None],
    "SiamCAR": ["65.3", "70.0"],
}
# LaSOT AUC, P_norm, P, FPS; Table 5 without FPS.
TABLE_4 = {row: [None] * 4 for row in ("no-wp-no-tca", "wp", "tca", "wp-tca")}
TABLE_5 = {row: [None] * 3 for row in ("dw", "transt-0", "transt-1", "transt-2", "transt-3", "transt-4")}
TRANSCRIPTION = {2: TABLE_2, 3: TABLE_3, 4: TABLE_4, 5: TABLE_5}


@pytest.mark.parametrize("number", TITLES)
def test_the_data_are_the_second_transcription_cell_by_cell(number: int) -> None:
    table = paper_table(number)
    stored = {row.key: [table.cells[row.key, *column].value or None for column in table.columns] for row in table.rows}
    assert list(stored) == list(TRANSCRIPTION[number])
    for row, values in TRANSCRIPTION[number].items():
        assert stored[row] == values, row


@pytest.mark.parametrize("number", TITLES)
def test_columns_are_benchmarks_and_measures_and_every_value_has_an_origin(number: int) -> None:
    table = paper_table(number)
    for dataset, measure in table.columns:
        assert dataset in DATASETS or (dataset, measure) == ("", "fps")
        assert measure in MEASURES
    for cell in table.cells.values():
        assert bool(cell.value) == bool(cell.origin)
        assert cell.number is None or 0 <= cell.number <= 100
    assert {slip.row for slip in table.slips} <= {row.key for row in table.rows}
    assert {slip.dataset for slip in table.slips} <= {"", *table.datasets}


def test_rows_of_the_ablations_are_those_that_can_be_trained() -> None:
    for number in (4, 5):
        assert [row.key for row in paper_table(number).rows] == list(TABLES[f"table{number}"])


def test_slips_are_kept_as_printed_and_footnoted() -> None:
    table = paper_table(2)
    lasot = [("lasot", measure) for measure in ("success_auc", "norm_precision", "precision_20")]
    one, other = ([table.cells[row, *column].value for column in lasot] for row in ("SiamRPN", "SiamRPN++"))
    assert one == other == ["49.6", "56.9", "49.1"]
    notes = " ".join(slip.note for slip in table.slips)
    assert "SiamPRN" in notes and "50.8" in notes and "SiamRPN's LaSOT values" in notes


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("ECO,nfs,success_auc,1.O,invented", "'1.O' is no number"),
        ("ECO,nfs,success_auc,1.0,", "a value needs its origin"),
        ("ECO,nfs,success_auc,,invented", "an origin its value"),
        ("ECO,lasot,success_auc,1.0,invented", "stands there twice"),
        ("EKO,nfs,success_auc,1.0,invented", "belongs to no row"),
    ],
)
def test_a_slip_of_the_typist_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: str, message: str
) -> None:
    folder = write_paper(tmp_path / "paper", {(2, "ECO", "nfs", "success_auc"): "1.0"})
    path = folder / "table_2.csv"
    text, line = path.read_text(), "ECO,nfs,success_auc,1.0,invented"
    assert line in text
    path.write_text(text.replace(line, new))
    monkeypatch.setattr(paper, "FOLDER", folder)
    with pytest.raises(UserError, match=message):
        paper_table.__wrapped__(2)


def test_an_unknown_table_is_a_sentence() -> None:
    with pytest.raises(UserError, match="unknown table of the paper '6'"):
        paper_table(6)


@pytest.mark.parametrize(
    ("facts", "ranked"),
    [
        ([("here", "cpu", "1"), ("here", "cpu", "1")], True),
        ([("here", "cpu", "2"), ("here", "cpu", "2")], False),  # two processes slowed each other down
        ([("here", "cpu", "1"), ("here", "cpu", "unknown")], False),
        ([("here", "cpu", "1"), ("there", "cpu", "1")], False),
        ([("here", "cpu", "1"), ("here", "cuda:0", "1")], False),
        ([("here", "cpu", None), ("here", "cpu", None)], False),  # of a store that does not know
    ],
)
def test_speeds_are_ranked_where_one_process_of_one_machine_measured_them(facts: list[Any], ranked: bool) -> None:
    cells = []
    for machine, device, processes in facts:
        known = {"machine system": (machine,), "device": (device,)} | ({"processes": (processes,)} if processes else {})
        run = TrackerRun(Run("t", "T", "0" * 12), "T", 1, 10, 4, 50.0, (), known)
        cells.append(Measured(50.0, (50.0,), runs=(run,)))
    assert comparable(cells) is ranked
