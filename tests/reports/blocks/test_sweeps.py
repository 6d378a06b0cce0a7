"""Sweeps read from a store: every AUC known by hand, gaps and holes visible, one line and one band per tracker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets.base import Hole
from inmo.harness.store.records import Run, Swept
from inmo.harness.store.store import Store
from inmo.reports.blocks.block import write_block
from inmo.reports.blocks.sweeps import range_table, read_sweep, sweep_block, sweep_table
from inmo.reports.figures import for_papers as figures
from inmo.reports.figures import svg
from inmo.reports.figures.style import SweepLine, SweepPoint, spans, styles, sweep_axes
from tests.harness.stored_files import edit
from tests.reports.example import HOSTILE, example_store, result

OVER = ("window_influence",)
OFFSETS = {0.0: 8.0, 0.5: 0.0, 0.9: 40.0}
# A box of 40 x 30 moved by d pixels has an overlap of (40 - d) / (40 + d): 2/3 for 8, above 14 of the 21 thresholds
# 0, 0.05 ... 1; 1 for 0, above all but the last; 0 for 40, above none.
AUC = {0.0: 14 / 21, 0.5: 20 / 21, 0.9: 0.0}


def swept_store(folder: Path, trackers: tuple[str, ...] = ("Star", HOSTILE)) -> tuple[Store, list[Swept]]:
    """Eight clips and one that is missing; the second tracker is off by as much as the first at the next value."""
    store, sweep = example_store(folder), []
    names = store.dataset("folder").names
    for number, tracker in enumerate(trackers):
        runs = {}
        for place, value in enumerate(OFFSETS):
            run = Run(f"swept{number}", tracker, f"{place}" * 12, f"{tracker}: window_influence {value:g}")
            store.put_run("folder", run)
            off = list(OFFSETS.values())[(place + number) % len(OFFSETS)]
            for name in names:
                annotation = store.sequence("folder", name).annotation
                made = result(annotation, 0.0, 0)
                store.put_result("folder", run, name, replace(made, boxes=np.add(annotation.boxes, (off, 0, 0, 0))))
            runs[(value,)] = run.folder
        sweep.append(Swept(tracker, "folder", OVER, (0.35,), runs))
    return store, sweep


def test_every_point_is_the_auc_worked_by_hand(tmp_path: Path) -> None:
    (data,) = read_sweep(*swept_store(tmp_path))
    assert (data.label, data.coverage, data.missing) == (
        "folder", "8 of 9", {"gone": "no folder of this name below the root"}
    )  # fmt: skip
    first, second = data.lines
    assert (first.tracker, second.tracker, first.own) == ("Star", HOSTILE, (0.35,))
    assert {p.values[0]: p.auc for p in first.points} == pytest.approx(AUC)
    assert [p.auc for p in second.points] == pytest.approx([20 / 21, 0, 14 / 21])
    assert first.points[0].interval == pytest.approx((14 / 21, 14 / 21))  # all sequences are alike
    assert [p.values for p in first.best()] == [(0.5,)]


def test_a_failure_leaves_its_sequence_out_of_every_point(tmp_path: Path) -> None:
    store, sweep = swept_store(tmp_path)
    (run,) = [r for r in store.runs("folder") if r.folder == sweep[0].runs[0.5,]]
    before = read_sweep(store, sweep)[0]
    worse = np.add(store.sequence("folder", "clip3").annotation.boxes, (40, 0, 0, 0))
    for other in store.runs("folder"):
        if other.folder in sweep[0].runs.values():  # were clip3 in some means and not in others, points would differ
            made = result(store.sequence("folder", "clip3").annotation, 0.0, 0)
            store.drop_result("folder", other, "clip3")
            store.put_result("folder", other, "clip3", replace(made, boxes=worse))
    assert read_sweep(store, sweep)[0].lines[0].points[1].auc == pytest.approx(20 / 21 * 7 / 8)
    store.drop_result("folder", run, "clip3")
    store.put_hole("folder", run, Hole("clip3", "it fell over"))
    (data,) = read_sweep(store, sweep)
    assert (data.coverage, data.missing["clip3"]) == ("7 of 9", "it fell over")
    assert [p.auc for p in data.lines[0].points] == pytest.approx([p.auc for p in before.lines[0].points])
    look = styles(["Star", HOSTILE])
    block = sweep_block([data], OVER, look, stem="s", title="S")
    assert any("clip3 (it fell over)" in note for note in block.notes)
    assert all("7 of 9" in column.sub for column in block.tables["s"].columns[1:])


def test_a_value_that_was_not_run_is_a_gap_with_its_reason(tmp_path: Path) -> None:
    store, sweep = swept_store(tmp_path)
    runs = {(0.0,): sweep[0].runs[0.0,], (0.3,): "swept0-missing", **dict(list(sweep[0].runs.items())[1:])}
    (data,) = read_sweep(store, [replace(sweep[0], runs=runs)])
    gap = data.lines[0].points[1]
    assert (gap.auc, gap.reason) == (None, "not run yet")
    assert [[p.values[0] for p in piece] for piece in data.lines[0].pieces()] == [[0.0], [0.5, 0.9]]
    table = sweep_table([data], OVER)
    assert (table.rows[1][1].value, table.rows[1][1].reason) == (None, "not run yet")
    drawn = str(svg.sweep_plot(data.lines, "Hanning weight", styles(["Star"])))
    assert drawn.count('class="curve') == 2 + 1  # two pieces, and the swatch


def test_the_table_has_a_column_per_tracker_and_marks_the_best(tmp_path: Path) -> None:
    table = sweep_table(read_sweep(*swept_store(tmp_path)), OVER, title="T")
    assert [row[0].value for row in table.rows] == [0.0, 0.5, 0.9]
    assert [c.label for c in table.columns] == ["Hanning weight", "Star", HOSTILE]
    assert [[cell.rank for cell in row[1:]] for row in table.rows] == [[0, 1], [1, 0], [0, 0]]
    assert "Star 0.35" in table.caption and "8 sequences" in table.caption
    assert "95.2 [95.2, 95.2]" in table.to_text()


def test_a_sweep_without_the_flags_that_its_protocol_takes_says_so(tmp_path: Path) -> None:
    store, sweep = swept_store(tmp_path)
    edit(store.root / "folder" / "dataset.json", benchmark="lasot", protocol="lasot-matlab")
    found = read_sweep(store, sweep)
    assert found[0].protocol == "lasot-matlab, no absent flags"
    assert sweep_table(found, OVER).columns[1].sub == f"{found[0].title}, lasot-matlab, no absent flags, 8 of 9"


def test_no_value_is_best_where_all_print_alike() -> None:
    points = tuple(SweepPoint((v,), 0.5 + v / 10_000) for v in (0.0, 0.1, 0.2))
    from inmo.reports.blocks.sweeps import SweptDataset

    data = SweptDataset("d", "D", "pysot", ("a",), 1, (SweepLine("T", (0.1,), points),))
    assert [row[1].rank for row in sweep_table([data], OVER).rows] == [0, 0, 0]


def test_page_and_paper_draw_one_line_and_one_band_per_tracker(tmp_path: Path) -> None:
    found = read_sweep(*swept_store(tmp_path))
    look = styles(["Other", "Star", HOSTILE])
    block = sweep_block(found, OVER, look, stem="figure4", title="Figure 4")
    (drawing,) = block.drawings
    plot, _, legend = str(drawing.markup).partition("</svg>")
    for number in (1, 2):
        assert plot.count(f'<g data-t="{number}"') == 2  # the band below all curves, and the curve
        assert legend.count(f'<button type="button" class="switch" aria-pressed="true" data-t="{number}"') == 1
    assert plot.count('class="band"') == plot.count('class="curve') == 2
    assert plot.index('class="band"') < plot.rindex('class="band"') < plot.index('class="curve')
    assert plot.count("<circle") == 6
    assert HOSTILE not in drawing.markup and "&lt;script&gt;" in legend
    assert "95.2 at 0.5" in legend and "style=" not in drawing.markup
    (axes,) = block.figures["figure4"].axes
    assert [list(line.get_xdata()) for line in axes.lines] == [[0.0, 0.5, 0.9]] * 2
    np.testing.assert_allclose(axes.lines[0].get_ydata(), list(AUC.values()))
    assert [line.get_color() for line in axes.lines] == [look["Star"].light, look[HOSTILE].light]
    assert len(axes.collections) == 2
    written = write_block(block, tmp_path / "out")
    tables, drawn = ("csv", "json", "tex"), ("pdf", "svg")
    wanted = [f"figure4{part}.{suffix}" for part in ("", "_range") for suffix in tables]
    assert sorted(p.name for p in written) == sorted([*wanted, *(f"figure4.{suffix}" for suffix in drawn)])
    assert all(p.stat().st_size > 100 for p in written)


def test_a_sweep_over_two_constants_is_a_table_alone(tmp_path: Path) -> None:
    store, sweep = swept_store(tmp_path, ("Star",))
    runs = {(value[0], 0.1): folder for value, folder in sweep[0].runs.items()}
    two = [replace(sweep[0], over=("window_influence", "lr"), own=(0.35, 0.2), runs=runs)]
    block = sweep_block(read_sweep(store, two), two[0].over, styles(["Star"]), stem="s", title="S")
    assert (block.drawings, block.figures) == ((), {})
    assert [cell.value for cell in block.tables["s"].rows[1]] == [0.5, 0.1, pytest.approx(20 / 21)]
    assert any("one of them alone" in note for note in block.notes)


def test_neighbouring_values_are_told_as_a_span() -> None:
    values = [0.0, 0.1, 0.2, 0.3, 0.4]
    assert spans([0.0, 0.2, 0.3, 0.4], values) == "0, 0.2–0.4"
    assert spans([0.1], values) == "0.1"
    assert spans(values, values) == "0–0.4"


def test_axes_hold_all_points_and_intervals() -> None:
    line = SweepLine("T", (0.1,), (SweepPoint((0.2,), 0.5, (0.31, 0.69)), SweepPoint((0.4,), None)))
    (left, right), (low, high, step) = sweep_axes([line])
    assert left < 0.2 < right
    assert (low, high, step) == pytest.approx((0.2, 0.8, 0.1))
    assert figures.sweep_figure([("D", [replace(line, points=line.points[1:])])], "x", styles(["T"])) is None


def test_ranges_over_the_values_are_paired_with_the_first_tracker(tmp_path: Path) -> None:
    (data,) = read_sweep(*swept_store(tmp_path))
    star, other = data.spreads.values()
    assert star.range.value == other.range.value == pytest.approx(20 / 21)  # from none of the thresholds to 20 of 21
    assert (star.first.value, other.first.value) == pytest.approx((14 / 21, 20 / 21))
    assert (star.range_difference.value, other.first_difference.value) == pytest.approx((0, 6 / 21))
    assert other.first_difference.interval is not None and other.first_difference.interval.n == 8
    table = range_table([data], OVER)
    assert [row[1].value for row in table.rows] == ["Star", HOSTILE]
    assert table.rows[0][5].reason and table.rows[1][5].value == pytest.approx(6 / 21)


def test_trainings_of_one_tracker_are_one_line(tmp_path: Path) -> None:
    store, (star, other) = swept_store(tmp_path)
    (data,) = read_sweep(store, [star, replace(other, tracker="Star")])
    (line,) = data.lines
    single, second = read_sweep(store, [star])[0].lines[0], read_sweep(store, [other])[0].lines[0]
    for point, one, two in zip(line.points, single.points, second.points, strict=True):
        assert point.auc == pytest.approx(((one.auc or 0) + (two.auc or 0)) / 2)
    assert data.trainings == 2 and list(data.spreads) == ["Star"]
    assert "Means over up to 2 trainings" in range_table([data], OVER).caption
    runs = dict(other.runs) | {(0.0,): "swept0-missing"}
    (data,) = read_sweep(store, [star, replace(other, tracker="Star", runs=runs)])
    assert data.lines[0].points[0].reason == "not run yet" and data.spreads == {}


def test_a_missing_value_leaves_no_range(tmp_path: Path) -> None:
    store, sweep = swept_store(tmp_path)
    runs = {(0.0,): sweep[0].runs[0.0,], (0.3,): "swept0-missing"}
    (data,) = read_sweep(store, [replace(sweep[0], runs=runs)])
    assert data.spreads == {}
    assert "s_range" not in sweep_block([data], OVER, styles(["Star"]), stem="s", title="S").tables
