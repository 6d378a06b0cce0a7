"""What the paper prints, twice: the data files, and a transcription of its own below. A slip in one shows here."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from inmo.datasets import DATASETS
from inmo.errors import UserError
from inmo.harness.store.records import Run
from inmo.reports.paper import printed as paper
from inmo.reports.paper.measured import Measured, comparable
from inmo.reports.paper.printed import MEASURES, PRINTED_DASH, TITLES, paper_table
from inmo.reports.scoring.stored import TrackerRun
from tests.ablations import TABLES
from tests.reports.paper.fake_paper import write_paper

# Typed from the paper's text, line by line. Table 2: LaSOT AUC, P_norm, P; TNL2K AUC, P_norm, P; UAV123 AUC, P;
# NFS AUC, P; FPS.
TABLE_2 = """
TransInMo*  65.7 76.0 70.7 52.0 58.5 52.7 69.0 89.0 66.8 80.2 34
TransInMo   65.3 74.6 69.9 51.5 57.8 52.6 68.2 90.5 66.4 80.7 67
TransT      64.9 73.8 69.0 50.7 57.1 51.7 68.1 87.6 65.7 78.8 50
TrDiMP      63.9 -    61.4 -    -    -    67.5 87.2 66.5 78.4 26
CNNInMo     53.9 61.6 53.9 42.2 48.6 41.9 62.9 81.8 56.0 68.5 47
SiamCAR     50.7 60.0 51.0 35.3 43.6 38.4 61.4 76.0 52.9 65.7 52
AutoMatch   58.3 -    59.9 47.2 -    43.5 63.9 -    60.6 -    50
Ocean       56.0 65.1 56.6 38.4 45.4 37.7 62.1 -    55.3 -    58
KYS         55.4 63.3 -    44.9 51.1 43.5 -    -    63.5 77.0 20
SiamFC++    54.4 62.3 54.7 38.6 45.0 36.9 63.1 76.9 58.1 -    90
PrDiMP      59.8 68.8 60.8 47.0 54.0 45.9 66.8 87.6 63.5 76.5 30
CGACD       51.8 62.6 53.5 -    -    -    63.3 83.3 -    -    70
SiamAttn    56.0 64.8 -    -    -    -    65.0 84.5 -    -    45
SiamBAN     51.4 59.8 52.1 41.0 48.5 41.7 63.1 83.3 59.4 70.0 40
DiMP        56.9 65.0 56.7 44.7 51.3 43.4 65.4 85.6 62.7 75.1 40
SiamRPN++   49.6 56.9 49.1 41.3 48.2 41.2 61.3 80.7 50.8 50.9 35
ATOM        51.5 57.6 50.5 40.1 46.5 39.2 65.0 85.8 59.0 69.4 30
SiamRPN     49.6 56.9 49.1 32.9 36.2 28.1 55.7 71.0 48.8 56.7 160
ECO         32.4 33.8 30.1 32.6 37.7 31.7 52.5 68.8 46.6 54.7 60
SiamFC      33.6 42.0 33.9 29.5 45.0 28.6 48.5 64.8 -    -    58
"""
# TrackingNet AUC, OTB100 AUC; the paper has trackers in columns.
TABLE_3 = """
TransInMo*  81.7 71.1
TransInMo   81.6 70.6
CNNInMo     72.1 70.3
TransT      81.4 69.4
SiamCAR     65.3 70.0
"""
# LaSOT AUC, P_norm, P, FPS.
TABLE_4 = """
no-wp-no-tca  61.1 70.3 64.9 30
wp            64.6 74.7 68.8 37
tca           63.2 73.6 68.0 27
wp-tca        65.7 76.0 70.7 34
"""
TABLE_5 = """
dw        65.3 74.6 69.9 67
transt-0  65.0 74.3 69.8 59
transt-1  65.3 73.7 69.0 52
transt-2  65.5 73.7 69.0 46
transt-3  65.7 74.1 69.2 40
transt-4  65.7 76.0 70.7 34
"""
TRANSCRIPTION = {
    number: {line.split()[0]: line.split()[1:] for line in text.strip().splitlines()}
    for number, text in ((2, TABLE_2), (3, TABLE_3), (4, TABLE_4), (5, TABLE_5))
}


@pytest.mark.parametrize("number", TITLES)
def test_the_data_are_the_second_transcription_cell_by_cell(number: int) -> None:
    table = paper_table(number)
    stored = {row.key: [table.cells[row.key, *column].value for column in table.columns] for row in table.rows}
    assert list(stored) == list(TRANSCRIPTION[number])
    for row, values in TRANSCRIPTION[number].items():
        assert stored[row] == values, row


def test_the_data_are_the_values_read_off_the_paper(shared: Path) -> None:
    text = (shared / "reference" / "paper" / "values.csv").read_text()
    stored = {(str(number), *key): cell.value for number in TITLES for key, cell in paper_table(number).cells.items()}
    read = {(line["table"], line["row"], line["dataset"], line["measure"]): line["value"]
            for line in csv.DictReader(text.splitlines())}  # fmt: skip
    assert stored == read and len(read) == 270
    assert sum(value == PRINTED_DASH for value in read.values()) == 27


def test_names_and_sources_are_as_printed(shared: Path) -> None:
    text = (shared / "reference" / "paper" / "table_2_names.csv").read_text()
    table = paper_table(2)
    for line, row in zip(csv.DictReader(text.splitlines()), table.rows, strict=True):
        assert (row.key, row.source + row.year) == (line["row"], line["printed_source"])
        assert row.title == line["printed_name"] or f'"{line["printed_name"]}"' in table.slip(row.key)


@pytest.mark.parametrize("number", TITLES)
def test_columns_are_benchmarks_and_measures_and_every_value_has_an_origin(number: int) -> None:
    table = paper_table(number)
    for dataset, measure in table.columns:
        assert dataset in DATASETS or (dataset, measure) == ("", "fps")
        assert measure in MEASURES
    for cell in table.cells.values():
        assert cell.origin.startswith(f"Table {number}, ")
        assert (cell.number is None) == (cell.value == PRINTED_DASH)
        assert cell.number is None or 0 < cell.number <= 160
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
    assert all("those of SiamRPN++" in table.slip("SiamRPN", *column) for column in lasot)
    assert "SiamPRN" in table.slip("SiamRPN") and "SiamPRN++" in table.slip("SiamRPN++")
    assert "P 50.9" in table.slip("SiamRPN++", "nfs", "precision_20")
    assert not table.slip("SiamRPN++", "nfs", "success_auc") and not table.slip("TransT")


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("ECO,nfs,success_auc,1.O,invented", "'1.O' is no number"),
        ("ECO,nfs,success_auc,1.0,", "a cell needs its value .* and its origin"),
        ("ECO,nfs,success_auc,,invented", "a cell needs its value .- for a printed dash. and its origin"),
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
