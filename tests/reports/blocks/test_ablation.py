"""An ablation's tables by hand."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from inmo.reports.blocks.ablation import ablation_block, forest_rows, gains_table
from inmo.reports.scoring.effects import against, judge
from inmo.reports.scoring.study import AUC, Study, Values

NAMES = [f"d/s{number}" for number in range(8)]


def measures(aucs: Mapping[str, float]) -> dict[str, Values]:
    return {name: {AUC: auc, "precision_20": auc / 2} for name, auc in aucs.items()}


def study(**more: object) -> Study:
    flat = {row: dict.fromkeys(NAMES, value) for row, value in (("a0", 0.2), ("a1", 0.4), ("b0", 0.5))}
    flat["a1"]["d/alone"] = 0.9  # not everywhere: it does not count
    rows = {"a": {0: measures(flat["a0"]), 1: measures(flat["a1"])}, "b": {0: measures(flat["b0"])}}
    return Study(rows, "b", **more)  # type: ignore[arg-type]


def test_rows_by_hand() -> None:
    block = ablation_block(study(words="Trained."), stem="own", title="Own")
    first, last = (
        dict(zip([c.key for c in block.tables["own"].columns], row, strict=True)) for row in block.tables["own"].rows
    )
    assert first["auc"].number == pytest.approx(0.3) and first["precision"].number == pytest.approx(0.15)
    assert first["seed_deviation"].number == pytest.approx(0.2 / 2**0.5)
    assert first["to_reference"].number == pytest.approx(-0.2) and last["to_reference"].number == 0
    assert (last["seed_deviation"].value, last["norm_precision"].value) == (None, None)
    assert block.notes == ("Left out, as not every training has a score there: d/alone.",)
    assert "over 8 sequences and the seeds of 3 trainings" in block.words and block.words.startswith("Trained.")
    assert list(block.figures) == ["own"]
    trainings = block.tables["own-trainings"].to_csv().splitlines()
    assert len(trainings) == 4 and trainings[1].startswith("a,0,")


def test_one_seed_a_row_says_what_its_intervals_leave_out() -> None:
    rows = {row: {0: measures({n: 0.5 + 0.01 * i * k for i, n in enumerate(NAMES)})} for k, row in enumerate("ab")}
    block = ablation_block(Study(rows, "b"), stem="own", title="Own")
    assert "over 8 sequences alone: with one seed a row nobody can tell" in block.words


def test_a_design_of_two_factors_has_main_effects_in_table_and_forest() -> None:
    rows = {
        f"{x}{y}": {0: measures({n: 0.5 + 0.1 * x + 0.02 * y + 0.001 * i for i, n in enumerate(NAMES)})}
        for x in (0, 1)
        for y in (0, 1)
    }
    factors = {f"{x}{y}": {"x": str(x), "y": str(y)} for x in (0, 1) for y in (0, 1)}
    block = ablation_block(Study(rows, "00", factors), stem="own", title="Own")
    table = block.tables["own-effects"]
    values = {str(row[0].value): row[2] for row in table.rows}
    assert values["x: 1 less 0"].number == pytest.approx(0.1) and values["y: 1 less 0"].number == pytest.approx(0.02)
    assert values["x × y"].number == pytest.approx(0.0) and values["x: 1 less 0"].mark == "*"
    assert "interaction" in table.to_latex() and "x: 1 less 0" in table.to_csv()
    effects = judge(Study(rows, "00").scores(AUC, NAMES), against("00", [*rows]))
    drawn = forest_rows(Study(rows, "00"), effects)
    assert [row.name for row in drawn] == ["00", "01", "10", "11"]
    assert "x: 1 less 0" in str(block.drawings[0].markup)


def test_gains_on_parts_are_paired_and_judged_together() -> None:
    half = frozenset(NAMES[:6])
    rows = {
        "a": {0: measures({n: 0.5 + (0.1 if n in half else -0.3) + 0.001 * i for i, n in enumerate(NAMES)})},
        "b": {0: measures({n: 0.5 + 0.002 * i for i, n in enumerate(NAMES)})},
    }
    table = gains_table(Study(rows, "b", groups={"OCC": half, "two": frozenset(NAMES[6:]), "none": frozenset()}))
    assert table is not None
    occ, two = table.rows
    assert (occ[0].value, occ[1].value) == ("OCC", 6) and occ[2].number == pytest.approx(0.1 - 0.0025)
    assert occ[2].interval is not None and occ[2].mark == "*"
    assert two[2].number == pytest.approx(-0.3 - 0.0065) and two[2].interval is None and two[2].mark == ""
    assert gains_table(Study(rows, "b")) is None
