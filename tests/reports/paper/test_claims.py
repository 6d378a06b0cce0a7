"""The arithmetic of what the paper says of its tables."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from inmo.reports.paper.claims import claims, claims_block
from inmo.reports.paper.printed import paper_table

# Row less row, column -> the difference of the printed cells, by hand.
BY_HAND = {
    (2, "CNNInMo", "SiamCAR", "lasot", "success_auc"): "3.2",  # 53.9 - 50.7
    (2, "CNNInMo", "SiamCAR", "tnl2k", "precision_20"): "3.5",  # 41.9 - 38.4
    (3, "CNNInMo", "SiamCAR", "trackingnet", "success_auc"): "6.8",  # 72.1 - 65.3
    (2, "TransInMo", "TrDiMP", "nfs", "success_auc"): "-0.1",  # 66.4 - 66.5
    (4, "wp", "no-wp-no-tca", "lasot", "success_auc"): "3.5",  # 64.6 - 61.1
    (4, "tca", "no-wp-no-tca", "lasot", "success_auc"): "2.1",  # 63.2 - 61.1
    (4, "wp-tca", "wp", "lasot", "success_auc"): "1.1",  # 65.7 - 64.6
    (5, "dw", "transt-4", "lasot", "success_auc"): "-0.4",  # 65.3 - 65.7
    (5, "transt-0", "dw", "lasot", "success_auc"): "-0.3",  # 65.0 - 65.3
    (5, "transt-3", "dw", "lasot", "success_auc"): "0.4",  # 65.7 - 65.3
    (5, "transt-3", "dw", "lasot", "norm_precision"): "-0.5",  # 74.1 - 74.6
    (4, "wp", "no-wp-no-tca", "", "fps"): "7",  # 37 - 30
    (4, "tca", "no-wp-no-tca", "", "fps"): "-3",  # 27 - 30
    (5, "dw", "transt-4", "", "fps"): "33",  # 67 - 34
}


def test_printed_differences_are_those_by_hand() -> None:
    found = {(c.table, c.row, c.less, c.dataset, c.measure): c for c in claims()}
    assert {key: str(found[key].printed) for key in BY_HAND} == BY_HAND


def test_what_the_text_states_is_the_difference_of_the_cells() -> None:
    stated = [claim for claim in claims() if claim.stated]
    assert [str(claim.printed) for claim in stated] == [claim.stated for claim in stated] and len(stated) == 9


def test_every_claim_that_was_read_off_the_paper_is_there(shared: Path) -> None:
    lines = csv.DictReader((shared / "reference" / "paper" / "claims.csv").read_text().splitlines())
    known = {(str(c.table), c.row, c.less, c.dataset, c.measure, c.stated) for c in claims()}
    read = [
        tuple(line[key] for key in ("minuend_table", "minuend_row", "subtrahend_row", "dataset", "measure", "stated"))
        for line in lines
    ]
    assert len(read) >= 8 and set(read) <= known


def test_claims_that_the_print_does_not_bear_out_are_marked() -> None:
    odd = {(claim.row, claim.less, claim.measure) for claim in claims() if not claim.borne_out}
    assert odd == {
        ("TransInMo", "TrDiMP", "success_auc"),
        ("transt-1", "dw", "success_auc"),  # 65.3 - 65.3
        ("transt-2", "dw", "success_auc"),
        ("transt-3", "dw", "success_auc"),
    }


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: f"{claim.row}-{claim.less}-{claim.measure}")
def test_claims_are_about_cells_that_there_are(claim) -> None:  # type: ignore[no-untyped-def]
    cells = paper_table(claim.table).cells
    assert {(row, claim.dataset, claim.measure) in cells for row in (claim.row, claim.less)} == {True}
    assert claim.says in ("more", "less", "on par")


def test_a_claim_without_measured_rows_says_what_is_missing() -> None:
    table = claims_block({}).tables["claims"]
    assert {row[5].reason for row in table.rows} == {f"Table {n} is not part of this experiment" for n in (2, 3, 4, 5)}
    assert r"\textit" not in table.to_latex() and "+3.2" in table.to_text()
