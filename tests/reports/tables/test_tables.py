"""Tables in every rendering, from scores whose numbers are known."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inmo.datasets.base import Hole
from inmo.reports.scoring.score import MEASURES, Measures, Score
from inmo.reports.tables.builders import (
    Extras,
    attribute_table,
    overview_table,
    protocol_table,
    score_table,
    sequence_table,
)
from inmo.reports.tables.html import to_html
from inmo.reports.tables.latex import latex_escape
from inmo.reports.tables.table import Cell, Column, Table, percent, rank_columns
from inmo.terminal import plain


def score(
    tracker: str, auc: float | None, *, n: int = 3, expected: int = 3, protocol: str = "pysot", dataset: str = "otb100",
    holes: tuple[Hole, ...] = (), reason: str = "",
) -> Score:  # fmt: skip
    mean = Measures(success=np.linspace(1, 0, 21), success_auc=auc, precision_20=auc, norm_precision_020=auc)
    parts = {f"s{i}": Measures(success_auc=(auc or 0) - 0.1 * i) for i in range(n)}
    return Score(dataset, tracker, protocol, expected, Measures() if auc is None else mean, parts, holes, reason)


def column(table: Table, key: str) -> list[Cell]:
    index = [c.key for c in table.columns].index(key)
    return [row[index] for row in table.rows]


def test_score_table_orders_and_marks() -> None:
    table = score_table([score("C", 0.3), score("A", 0.5), score("D", 0.1), score("B", 0.4)])
    assert [c.value for c in column(table, "tracker")] == ["A", "B", "C", "D"]
    assert [c.rank for c in column(table, "success_auc")] == [1, 2, 3, 0]
    assert {c.value for c in column(table, "protocol")} == {"pysot"}
    assert column(table, "op50")[0].value == pytest.approx(0.5)
    assert "precision_auc" not in [c.key for c in table.columns]


def test_ranks_are_those_of_the_measured_values() -> None:
    table = score_table([score("A", 0.50041), score("B", 0.50042), score("C", 0.3), score("D", 0.1)])
    assert [c.rank for c in column(table, "success_auc")] == [1, 2, 3, 0]  # B, A, C, D
    table = score_table([score("A", 0.1 + 0.2), score("B", 0.3), score("C", 0.2), score("D", 0.1)])
    assert [c.rank for c in column(table, "success_auc")] == [1, 1, 3, 0]


@pytest.mark.parametrize(("count", "ranks"), [(1, [0]), (2, [1, 0]), (3, [1, 2, 0]), (5, [1, 2, 3, 0, 0])])
def test_the_last_is_never_marked(count: int, ranks: list[int]) -> None:
    table = score_table([score(f"T{i}", 0.9 - 0.1 * i) for i in range(count)])
    assert [c.rank for c in column(table, "success_auc")] == ranks


def test_lower_coverage_is_shown_and_not_ranked() -> None:
    table = score_table([score("Lucky", 0.9, n=1), score("A", 0.5), score("B", 0.4)])
    assert [(c.value, r.rank) for c, r in zip(column(table, "tracker"), column(table, "success_auc"), strict=True)] == [
        ("Lucky", 0), ("A", 1), ("B", 0),
    ]  # fmt: skip
    assert [c.value for c in column(table, "sequences")] == ["1 of 3", "3 of 3", "3 of 3"]
    assert table.caption == (
        "Partial: 1 to 3 of 3 sequences; not comparable with scores on the whole benchmark. "
        "Not ranked, for having fewer sequences than the others: Lucky."
    )


def test_refusal_is_a_reason_not_a_number() -> None:
    table = score_table([score("A", 0.5), score("B", None, reason="it holds NaN")])
    assert column(table, "success_auc")[1] == Cell(None, reason="it holds NaN")
    text = table.to_text()
    assert "[1] it holds NaN" in text
    row = next(r for r in csv.DictReader(io.StringIO(table.to_csv())) if r["Tracker"] == "B")
    assert row["AUC [%]"] == ""
    assert "it holds NaN" in row["note"]
    found = json.loads(table.to_json())["rows"][1]
    assert found["success_auc"] is None
    assert found["reasons"]["success_auc"] == "it holds NaN"


def test_one_source_same_numbers_everywhere() -> None:
    table = score_table([score("A", 0.64449), score("B", 0.5)], [Extras((0.6, 0.7), fps=50.04), Extras(fps=12.0)])
    assert "64.4 [60.0, 70.0]¹" in table.to_text()
    row = next(csv.DictReader(io.StringIO(table.to_csv())))
    assert (row["AUC [%]"], row["AUC low [%]"], row["AUC high [%]"], row["FPS"]) == (
        "64.449",
        "60.000",
        "70.000",
        "50.040",
    )
    found = json.loads(table.to_json())["rows"][0]
    assert (found["success_auc"], found["success_auc_interval"], found["fps"]) == (0.64449, [0.6, 0.7], 50.04)
    assert r"\textcolor{red}{\textbf{64.4}} {\scriptsize [60.0, 70.0]}" in table.to_latex()
    cell = to_html(table)["rows"][0][3]
    assert (cell["text"], cell["sort"], cell["rank"]) == ("64.4", 0.64449, 1)


def test_caption_says_why_there_is_no_interval() -> None:
    words = "no interval: 3 sequences are too few (at least 6)"
    table = score_table([score("A", 0.5)], [Extras(interval_note=words)])
    assert table.caption == "No interval: 3 sequences are too few (at least 6)."


def test_text_columns_are_aligned() -> None:
    lines = score_table([score("A", 0.5), score("A longer name", 0.05)], title="T").to_text().splitlines()
    assert lines[0] == "T"
    assert lines[4].index("50.0") == lines[5].index(" 5.0")


def test_several_datasets_in_one_table_are_not_ranked_together() -> None:
    table = score_table([score("A", 0.5), score("A", 0.9, dataset="nfs"), score("B", 0.6)])
    assert [c.value for c in column(table, "dataset")] == ["otb100", "otb100", "nfs"]
    assert {c.rank for c in column(table, "success_auc")} == {0}


def test_latex_is_escaped_and_balanced() -> None:
    table = score_table([score("50% & more_{x} \\ $~^#", 0.5)])
    text = table.to_latex()
    assert r"50\% \& more\_\{x\} \textbackslash{} \$\textasciitilde{}\textasciicircum{}\#" in text
    assert r"$P_\mathrm{norm}$@0.2 [\%]" in text
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    assert all(line.count(" & ") == 7 for line in text.splitlines() if line.endswith(r"\\"))


@given(st.text(max_size=30))
def test_no_name_escapes_its_line(name: str) -> None:
    assert plain(name).isprintable()
    assert len(latex_escape(name).splitlines()) <= 1
    table = score_table([score(name, 0.5)])
    assert next(csv.DictReader(io.StringIO(table.to_csv(), newline="")))["Tracker"] == plain(name)
    assert json.loads(table.to_json())["rows"][0]["tracker"] == name


def test_sequence_table_keeps_holes_with_reasons() -> None:
    a = score("A", 0.5)
    b = score("B", 0.6, n=2, holes=(Hole("s2", "it fell over"), Hole("s9", "not on disk")))
    table = sequence_table([a, b], names=("s0", "s1", "s2", "s9"))
    assert [c.label for c in table.columns] == ["Sequence", "Mean", "B", "A"]  # best tracker first
    assert [row[0].value for row in table.rows] == ["s0", "s1", "s2", "s9"]
    assert table.rows[0][1].value == pytest.approx(0.55)
    assert table.rows[2][2] == Cell(None, reason="it fell over")
    assert table.rows[3][2].reason == "not on disk"
    assert table.rows[3][1].value is None


def test_sequence_table_of_two_protocols_keeps_them_apart() -> None:
    table = sequence_table([score("A", 0.5), score("A", 0.7, protocol="otb")])
    assert [c.label for c in table.columns][2:] == ["A (otb100, otb)", "A (otb100, pysot)"]
    assert [c.value for c in table.rows[0][2:]] == [0.7, 0.5]


def test_attribute_table_marks_the_best_of_a_row() -> None:
    words = {"SV": "scale variation", "OV": "out of view", "LR": "low resolution"}
    values = {"A": {"SV": 0.5, "OV": None}, "B": {"SV": 0.75, "OV": 0.25}}
    table = attribute_table(words, {"SV": 6, "OV": 9}, values, protocol="pysot")
    assert [row[0].value for row in table.rows] == ["SV", "OV"]
    assert [c.rank for c in table.rows[0][3:]] == [0, 1]
    assert table.rows[1][3].reason


def test_attributes_of_few_sequences_have_no_best() -> None:
    """Nothing is claimed of fewer than six sequences, here neither."""
    values = {"A": {"SV": 0.5, "OV": 0.5}, "B": {"SV": 0.75, "OV": 0.75}}
    table = attribute_table({"SV": "scale", "OV": "view"}, {"SV": 5, "OV": 6}, values, protocol="pysot")
    assert [[c.rank for c in row[3:]] for row in table.rows] == [[0, 0], [0, 1]]
    assert table.caption.endswith("the best of a row is marked where at least 6 sequences have the attribute.")


def test_latex_says_what_colours_intervals_and_p_mean() -> None:
    extras = [Extras((0.6, 0.7)), Extras(difference=-0.1, difference_interval=(-0.2, 0.0), p_value=0.04), Extras()]
    table = score_table([score("A", 0.5), score("B", 0.4), score("C", 0.3)], extras, title="OTB100")
    (caption,) = [line for line in table.to_latex().splitlines() if line.startswith(r"\caption")]
    p = next(c for c in table.columns if c.key == "p_value")
    assert caption.startswith(
        r"\caption{OTB100. In brackets: 95 \% bootstrap intervals over sequences. $\Delta$ to best: "
    )
    assert f"p: {p.about}. " in caption and r"95 \% paired bootstrap interval" in caption
    assert caption.endswith(" Best: red and bold; second: green and underlined.}")
    assert table.caption == ""  # the page says it in its definitions
    plain_table = score_table([score("A", 0.5)], title="T").to_latex()
    assert r"\caption{T.}" in plain_table  # nothing is marked, nothing is said


def test_protocol_table_gives_differences() -> None:
    both = {"pysot": [score("A", 0.5), score("B", 0.7)], "otb": [score("A", 0.52), score("B", None, reason="refused")]}
    table = protocol_table(both, "pysot")
    assert [row[0].value for row in table.rows] == ["B", "A"]
    assert table.rows[1][3].value == pytest.approx(0.02)
    assert (table.rows[0][2].reason, table.rows[0][3].value) == ("refused", None)


def test_overview_ranks_each_dataset_by_itself() -> None:
    nfs = [score("A", 0.2, dataset="nfs"), score("B", 0.9, dataset="nfs", n=1)]
    table = overview_table([("OTB", [score("A", 0.5), score("B", 0.4), score("C", 0.3)]), ("NFS", nfs)])
    rows = {row[0].value: row for row in table.rows}
    assert [rows[t][1].rank for t in "ABC"] == [1, 2, 0]
    assert rows["B"][2].rank == 0  # one sequence of three
    assert rows["C"][2].reason == "not run on this dataset"
    assert table.columns[1].heading == "OTB (pysot) [%]"


def test_overlap_precision_reads_the_curve() -> None:
    curve = np.arange(21) / 100
    assert Measures(success=curve).value(MEASURES["op50"]) == 0.10
    assert Measures(success=curve).value(MEASURES["op75"]) == 0.15
    assert Measures().value(MEASURES["op50"]) is None


def test_columns_print_without_negative_zero() -> None:
    assert percent("a", "A").number(-0.0001) == "0.0"
    assert Column("f", "FPS", "", 1).number(4251.67) == "4252"
    assert Column("f", "FPS", "", 1).number(4251.67, 2) == "4251.670"


def test_tiny_p_values_are_not_zero() -> None:
    table = score_table([score("A", 0.5), score("B", 0.4)], [Extras(), Extras(difference=-0.1, p_value=3e-9)])
    assert "<0.0001" in table.to_text()
    assert json.loads(table.to_json())["rows"][1]["p_value"] == 3e-9


def test_lower_is_better_columns() -> None:
    table = Table("", "", (Column("ms", "ms", "", 1, 1.0, -1),), tuple((Cell(v),) for v in (3.0, 1.0, 2.0)))
    assert [row[0].rank for row in rank_columns(table).rows] == [0, 1, 2]


def test_a_row_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells for 1 columns"):
        Table("T", "", (Column("a", "A"),), ((Cell(1), Cell(2)),))


def test_the_score_path_imports_nothing_heavy() -> None:
    heavy = ("pandas", "matplotlib", "scipy", "torch", "jinja2", "pyarrow")
    code = f"import sys, inmo.reports.tables.builders; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
