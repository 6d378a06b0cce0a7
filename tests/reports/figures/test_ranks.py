"""Critical-difference diagrams: where names stand, and what is drawn."""

from __future__ import annotations

import re

import pytest

from inmo.reports.figures.ranks import places, rank_figure, rank_plot
from inmo.reports.figures.style import styles
from inmo.reports.scoring.ranks import Ranking

NAMES = ("A", "B", "<c>", "D" * 40, "$e_1$")
FOUND = Ranking(NAMES, (1.5, 2.0, 2.5, 4.25, 4.75), 12, 0.001, 1.2)
LOOK = styles(NAMES)


def test_the_better_half_is_at_the_left_and_the_ends_on_top() -> None:
    assert [(p.row, p.left) for p in places(FOUND, LOOK)] == [(0, True), (1, True), (2, True), (1, False), (0, False)]
    assert places(FOUND, LOOK)[0].words == "A  1.50" and places(FOUND, LOOK)[3].words == f"4.25  {'D' * 21}…"


def test_every_tracker_bar_and_the_difference_is_drawn() -> None:
    text = rank_plot(FOUND, LOOK)
    assert text.count("data-t=") == 5 and text.count('class="clique"') == 2 and "CD 1.20" in text
    assert "&lt;c&gt;" in text and "<c>" not in text
    starts = [float(x) for x in re.findall(r'class="curve d0" d="M([0-9.]+) ', text)]
    assert starts == pytest.approx([170 + (rank - 1) / 4 * 260 for rank in FOUND.ranks], abs=0.06)
    assert rank_plot(None, LOOK) == ""


def test_a_figure_has_the_same() -> None:
    figure = rank_figure(FOUND, LOOK, title="LaSOT")
    assert figure is not None and rank_figure(None, LOOK, title="") is None
    (axes,) = figure.axes
    assert {place.words for place in places(FOUND, LOOK)} <= {text.get_text() for text in axes.texts}
    bars = [line for line in axes.lines if line.get_linewidth() == 3]
    assert len(bars) == 2
