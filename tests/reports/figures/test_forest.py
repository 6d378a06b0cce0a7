"""Forest plots: axes, and what is drawn."""

from __future__ import annotations

import re

import pytest

from inmo.reports.figures.forest import ForestRow, cut, forest_axis, forest_figure, forest_plot

ROWS = [
    ForestRow("reference", 0.0, None, ((0, -0.5), (1, 0.5))),
    ForestRow("a < b", 1.25, (-0.5, 3.0), ((0, 1.0), (1, 1.5)), "*"),
    ForestRow(""),
    ForestRow("main", -2.0, (-4.0, 0.0)),
]


def test_the_axis_holds_everything_and_zero() -> None:
    assert forest_axis(ROWS) == (-5.0, 4.0, 1.0)
    low, high, _ = forest_axis([ForestRow("x", 7.0, (6.0, 8.0))])
    assert low <= 0 < 8 < high
    assert forest_axis([ForestRow("x")]) == pytest.approx((-0.2, 0.2, 0.2))  # a single point has an axis, too


def test_a_short_axis_holds_a_lone_effect_and_its_interval() -> None:
    low, high, _ = forest_axis([ForestRow("reference"), ForestRow("lone", 0.5, (-1.9, 2.9))])
    assert low <= -1.9 and high >= 2.9


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert ForestRow("same", -0.04, (-0.9, -0.04)).words == "0.0 [−0.9, 0.0]"
    assert ForestRow("less", -0.06).words == "−0.1"
    assert ForestRow("").words == ""


def test_every_effect_interval_and_training_is_drawn() -> None:
    text = forest_plot(ROWS, "Points")
    assert text.count("<circle") == 4 and text.count('class="curve') == 2 and text.count('class="median"') == 3
    assert "a &lt; b" in text and "<b" not in text.replace("<body", "")
    assert "+1.2 [−0.5, 3.0]*" in text or "+1.3 [−0.5, 3.0]*" in text
    xs = [float(x) for x in re.findall(r'cx="([0-9.]+)"', text)]
    assert xs[0] < xs[1] and xs[1] < xs[2] < xs[3]


def test_an_interval_that_dwarfs_the_estimates_is_cut_and_says_so() -> None:
    rows = [ForestRow("few", 1.0, (-60.0, 3.0)), ForestRow("many", 2.0, (1.0, 3.0)), ForestRow("wide", 0.5, (-70, 80))]
    low, high, step = forest_axis(rows)  # estimates and zero span 2, an interval may reach 3 beyond
    assert (low, high, step) == (-4.0, 6.0, 1.0)
    assert [cut(row.interval, low, high)[2:] for row in rows if row.interval] == [
        (True, False), (False, False), (True, True)
    ]  # fmt: skip
    text = forest_plot(rows, "Points")
    assert text.count('class="arrow"') == 3 and "+1.0 [−60.0, 3.0]" in text
    ends = [float(x) for x in re.findall(r'class="curve d0" d="M([0-9.]+) ', text)]
    left = float(re.findall(r'class="axis" d="M([0-9.]+) ', text)[0])
    assert min(ends) >= left
    (axes,) = forest_figure(rows, "Points").axes
    assert sorted(str(line.get_marker()) for line in axes.lines if line.get_marker() in ("<", ">")) == ["<", "<", ">"]


def test_a_figure_has_the_same_rows() -> None:
    figure = forest_figure(ROWS, "Points")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["reference", "a < b", "main"]
    assert axes.get_xlim() == (-5.0, 4.0)
