"""Against a fake paper: recorded results whose scores are known by hand give tables with exactly these numbers."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inmo.datasets.base import read_table
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.experiment.submission import check_submission
from inmo.reports.paper import printed as paper
from tests.datasets.tiny import write
from tests.harness.stored_files import edit
from tests.reports.paper.fake_paper import Plan, write_annotations, write_paper, write_results

TEXT = """
title: Fake paper
partial: true
datasets: [{name: lasot}, {name: nfs}, {name: otb100}]
trackers: [{tracker: transt, label: TransT, settings: {weights: nowhere.pth}}]
results: %s
"""

PRINTED = {
    (2, "SiamFC", "nfs", "success_auc"): "95.3",
    (2, "ECO", "nfs", "success_auc"): "71.0",
    (2, "ECO", "nfs", "precision_20"): "100",
    (2, "ATOM", "nfs", "success_auc"): "47.6",
    (2, "DiMP", "nfs", "precision_20"): "12.5",
    (2, "SiamRPN++", "nfs", "success_auc"): "90.0",
    (2, "KYS", "nfs", "success_auc"): "99.9",
    (2, "SiamFC", "lasot", "success_auc"): "33.3",
    (3, "SiamCAR", "otb100", "success_auc"): "50.0",
    (3, "CNNInMo", "otb100", "success_auc"): "77.0",
    (3, "SiamCAR", "trackingnet", "success_auc"): "65.0",
}

PLANS: dict[str, Plan] = {
    "SiamFC": lambda _: "perfect",
    "ECO": lambda number: "perfect" if number % 2 else "half",
    "ATOM": lambda _: "half",
    "DiMP": lambda _: "lost",
    "SiamRPNpp": lambda _: "perfect",
}
BY_HAND = {"SiamFC": 20 / 21, "ECO": 15 / 21, "ATOM": 10 / 21, "DiMP": 0.0, "SiamRPN++": 20 / 21}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(paper, "FOLDER", write_paper(tmp_path / "paper", PRINTED))
    monkeypatch.setenv("INMO_CONFIG", str(tmp_path / "config.yaml"))
    roots = {name: str(write_annotations(tmp_path / name, name)) for name in ("nfs", "otb100")}
    (tmp_path / "config.yaml").write_text(json.dumps({"datasets": roots}))
    paper.paper_table.cache_clear()
    yield tmp_path
    paper.paper_table.cache_clear()


def run(folder: Path, number: int) -> Path:
    """Run the experiment for one table; the folder of the report's tables."""
    experiment = folder / "fake.yaml"
    experiment.write_text(TEXT % (folder / "results"))
    words = ["--experiment", str(experiment), "--table", str(number), "--out", str(folder / "out"), "--jobs", "1"]
    assert main(words) in (0, 2)  # 2: a result is missing
    return folder / "out" / "report" / "tables"


def rows_of(path: Path) -> dict[str, dict[str, Any]]:
    """The JSON of a table by row."""
    return {row["row"]: row for row in json.loads(path.read_text())["rows"]}


def test_a_table_holds_exactly_the_known_scores(fake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_results(fake / "results", "nfs", PLANS, leave_out={"SiamRPNpp": 1})
    tables = run(fake, 2)
    rows = rows_of(tables / "table2.json")
    assert list(rows) == [row.key for row in paper.paper_table(2).rows] and len(rows) == 20
    for name, row in rows.items():
        assert row["nfs_success_auc"] == (pytest.approx(BY_HAND[name], abs=1e-7) if name in BY_HAND else None)
    assert [rows[name]["nfs_precision_20"] for name in ("SiamFC", "ECO", "ATOM", "DiMP")] == [1, 1, 1, 0]
    low, high = rows["ECO"]["nfs_success_auc_interval"]
    assert 10 / 21 < low < 15 / 21 < high < 20 / 21
    assert rows["ATOM"]["nfs_success_auc_interval"] == pytest.approx([10 / 21] * 2, abs=1e-7)
    assert all(row["fps"] is None for row in rows.values())  # a replay has no speed

    # differences of the printed digits: 95.2 - 95.3, 71.4 - 71.0, 100.0 - 100, 47.6 - 47.6, 0.0 - 12.5
    with (tables / "table2.csv").open() as stream:
        lines = {line["Row"]: line for line in csv.DictReader(stream)}
    assert lines["SiamFC"]["NFS AUC difference [%]"] == "-0.1"
    assert lines["ECO"]["NFS AUC difference [%]"] == "+0.4"
    assert lines["ECO"]["NFS P difference [%]"] == "0.0"
    assert lines["ECO"]["NFS P published [%]"] == "100"
    assert lines["ATOM"]["NFS AUC difference [%]"] == "0.0"
    assert lines["DiMP"]["NFS P difference [%]"] == "-12.5"
    assert rows["SiamFC"]["nfs_success_auc_difference"] == pytest.approx(-0.001)

    # 99 of 100 is no score of the benchmark: shown with its coverage, without a difference
    assert rows["SiamRPN++"]["nfs_success_auc_published"] == "90.0"
    assert "nfs_success_auc_difference" not in rows["SiamRPN++"]
    assert rows["SiamRPN++"]["coverage"] == "NFS 99 of 100"

    # not measured: published alone, or the reason
    assert rows["KYS"]["nfs_success_auc_published"] == "99.9" and rows["KYS"]["coverage"] == "published"
    assert rows["SiamFC"]["lasot_success_auc_published"] == "33.3"
    assert "nowhere.pth is not there" in rows["TransT"]["reasons"]["nfs_success_auc"]
    assert "no root is known for lasot" in capsys.readouterr().err


def test_colours_go_to_the_best_three_measured_on_the_same_sequences(fake: Path) -> None:
    write_results(fake / "results", "nfs", PLANS, leave_out={"SiamRPNpp": 1})
    tables = run(fake, 2)
    page = (tables.parent / "index.html").read_text()
    table = re.search(r'<table id="t-table2".*?</table>', page, re.DOTALL)
    assert table
    heads = [
        re.sub(r"<[^>]+>", "", head) for head in re.findall(r"<th scope=\"col\".*?</th>", table.group(), re.DOTALL)
    ]
    column = next(number for number, head in enumerate(heads) if head.startswith("NFS AUC"))
    ranks, italic = {}, set()
    for row in re.findall(r"<tr>.*?</tr>", table.group(), re.DOTALL)[1:]:
        name, *cells = re.findall(r"<(?:th|td).*?</(?:th|td)>", row, re.DOTALL)
        label, cell = re.sub(r"<sup>.*?</sup>|<[^>]+>", "", name), cells[column - 1]
        if found := re.search(r"class=\"n(?: starts)? r(\d)\"", cell):
            ranks[label] = int(found.group(1))
        italic |= {label} if "<i>" in cell and "<i>–<" not in cell else set()
    assert ranks == {"SiamFC": 1, "ECO": 2, "ATOM": 3}  # neither the incomplete SiamRPN++ nor the published KYS
    assert italic == {"KYS"}
    latex = (tables / "table2.tex").read_text()
    assert r"\textcolor{red}{\textbf{95.2}}" in latex and r"\textcolor{green!50!black}{\underline{71.4}}" in latex
    assert r"\textcolor{blue}{\textit{47.6}}" in latex and r"& \textit{99.9} &" in latex


def test_a_claim_about_two_measured_rows_has_their_paired_difference(fake: Path) -> None:
    write_results(fake / "results", "nfs", {"TransInMo": PLANS["SiamFC"], "TrDiMP": PLANS["ECO"]})
    lines = json.loads((run(fake, 2) / "claims.json").read_text())["rows"]
    line = next(line for line in lines if line["cells"] == "TransInMo less TrDiMP, NFS AUC")
    assert line["measured"] == pytest.approx(5 / 21, abs=1e-7)  # half of the sequences differ by 10/21
    low, high = line["measured_interval"]
    assert 2 / 21 < low < 5 / 21 < high < 8 / 21
    assert (line["on"], line["reading"]) == ("NFS, 100 of 100", "above 0")
    reasons = {line["cells"]: line.get("reasons", {}).get("measured") for line in lines}
    assert reasons["TransInMo* less TrDiMP, NFS AUC"] == "TransInMo* was not measured here"
    assert reasons["WP less neither, LaSOT AUC"] == "Table 4 is not part of this experiment"


def test_a_difference_leads_to_what_is_known_about_it(fake: Path) -> None:
    write_results(fake / "results", "nfs", {"SiamFC": PLANS["SiamFC"]})
    tables = run(fake, 2)
    page = (tables.parent / "index.html").read_text()
    assert '<a href="#t-table2_why"' in page and 'id="t-table2_why"' in page
    (line,) = json.loads((tables / "table2_why.json").read_text())["rows"]
    assert (line["row"], line["protocol"], line["runs"]) == ("SiamFC", "pysot", "1")


def test_results_that_arrive_later_are_measured_then(fake: Path) -> None:
    write_results(fake / "results", "nfs", {"SiamFC": PLANS["SiamFC"]})
    assert rows_of(run(fake, 2) / "table2.json")["ATOM"]["nfs_success_auc"] is None
    write_results(fake / "results", "nfs", {"atom": PLANS["ATOM"]})
    rows = rows_of(run(fake, 2) / "table2.json")
    assert rows["ATOM"]["nfs_success_auc"] == pytest.approx(10 / 21, abs=1e-7)
    assert rows["SiamFC"]["nfs_success_auc"] == pytest.approx(20 / 21, abs=1e-7)


def test_several_runs_of_a_tracker_are_averaged_and_their_spread_shown(fake: Path) -> None:
    write_results(fake / "results", "nfs", {"DiMP_000": PLANS["SiamFC"], "DiMP_001": PLANS["DiMP"]})
    tables = run(fake, 2)
    row = rows_of(tables / "table2.json")["DiMP"]
    assert row["nfs_success_auc"] == pytest.approx(10 / 21, abs=1e-7)
    assert row["nfs_success_auc_deviation"] == pytest.approx(20 / 21 / 2**0.5, abs=1e-7)
    assert row["runs"] == "2 of 2"
    each = json.loads((tables / "table2_runs.json").read_text())["rows"]
    assert [one["nfs_success_auc"] for one in each] == pytest.approx([20 / 21, 0], abs=1e-7)


def test_table_3_needs_only_its_own_datasets(fake: Path) -> None:
    write_results(
        fake / "results", "otb100", {"SiamCAR": PLANS["ATOM"], "CNNInMo": PLANS["SiamFC"], "ECO": PLANS["ECO"]}
    )
    rows = rows_of(run(fake, 3) / "table3.json")
    assert list(rows) == ["TransInMo*", "TransInMo", "CNNInMo", "TransT", "SiamCAR"]
    assert rows["SiamCAR"]["otb100_success_auc"] == pytest.approx(10 / 21, abs=1e-7)
    assert rows["SiamCAR"]["otb100_success_auc_difference"] == pytest.approx(-0.024)  # 47.6 - 50.0
    assert rows["CNNInMo"]["otb100_success_auc_difference"] == pytest.approx(0.182)  # 95.2 - 77.0
    assert "TrackingNet is not among the datasets" in rows["CNNInMo"]["reasons"]["trackingnet_success_auc"]
    assert [path.name for path in (fake / "out" / "store").iterdir()] == ["otb100"]

    # constants that were tuned on the benchmark leave their mark on its numbers
    note = next(
        p for p in (fake / "out" / "store").rglob("run.json") if json.loads(p.read_text())["label"] == "SiamCAR"
    )
    mark = {"dataset": "otb100", "benchmark": "otb100", "title": "OTB100", "sequences": {"Deer": "0", "Biker": "1"}}
    edit(note, tuned=[mark])
    table = json.loads((run(fake, 3) / "table3.json").read_text())
    marked = {row["row"] for row in table["rows"] if row.get("otb100_success_auc_mark") == "†"}
    assert marked == {"SiamCAR"}
    assert table["footnotes"]["†"].endswith("SiamCAR on OTB100, on 2 of these 100 sequences.")


def test_a_submission_is_written_and_checked_and_the_servers_score_entered(
    fake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [row["name"] for row in read_table("trackingnet_test.csv")]
    for name in names:
        write(fake / "trackingnet" / "anno" / f"{name}.txt", "10,20,30,40\n")
        write(fake / "results" / "trackingnet" / "SiamCAR" / f"{name}.txt", "10,20,30,40\n11,20,30,40\n")
    write(fake / "results" / "trackingnet" / "CNNInMo" / f"{names[0]}.txt", "10,20,30,40\n")
    experiment = fake / "fake.yaml"
    text = TEXT.replace("{name: otb100}", "{name: trackingnet, root: %s}")
    words = ["--experiment", str(experiment), "--table", "3", "--out", str(fake / "out"), "--jobs", "1"]
    experiment.write_text(text % (fake / "trackingnet", fake / "results"))
    main(words)
    assert "SiamCAR: submission written to" in (told := capsys.readouterr().err)
    assert "CNNInMo: 1 of 511 sequences are done, so there is no submission yet" in told
    row = rows_of(fake / "out" / "report" / "tables" / "table3.json")["SiamCAR"]
    assert row["trackingnet_success_auc"] is None and row["trackingnet_success_auc_published"] == "65.0"
    assert "TrackingNet: its server scores the submissions" in (fake / "out" / "report" / "index.html").read_text()

    packed = fake / "out" / "submissions" / "trackingnet" / "SiamCAR.zip"
    with zipfile.ZipFile(packed) as archive:
        assert sorted(archive.namelist()) == sorted(f"{name}.txt" for name in names)
    check_submission(packed, dict.fromkeys(names, 2))
    with pytest.raises(UserError, match=r"has 2 rows for 3 frames.*, and 510 more"):
        check_submission(packed, dict.fromkeys(names, 3))
    with pytest.raises(UserError, match="is no sequence of the benchmark"):
        check_submission(packed, dict.fromkeys(names[1:], 2))

    said = "server_scores: [{dataset: trackingnet, tracker: SiamCAR, success: 65.4, source: the server in spring}]"
    experiment.write_text(text % (fake / "trackingnet", fake / "results") + said)
    main(words)
    row = rows_of(fake / "out" / "report" / "tables" / "table3.json")["SiamCAR"]
    assert row["trackingnet_success_auc"] == pytest.approx(0.654)
    assert row["trackingnet_success_auc_difference"] == pytest.approx(0.004)  # 65.4 - 65.0
    assert "trackingnet_success_auc_interval" not in row
