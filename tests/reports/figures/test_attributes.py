"""Success plots per attribute: their order, headings, and legends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inmo.reports.figures.attributes import attribute_grid, hardest_first, heading
from inmo.reports.figures.canvas import Paper, on_paper
from inmo.reports.figures.style import lines, styles
from inmo.reports.scoring.score import PRECISION, SUCCESS, Measures, Score
from tests.reports.figures.test_figures import score

LOOK = styles(["A", "B"])


def of(a: float, b: float) -> tuple[Score, ...]:
    return score("A", a), score("B", b)


BY = {"SV": of(0.8, 0.6), "FM": of(0.2, 0.7), "OV": of(0.9, 0.9)}
WORDS = {"SV": "Scale Variation", "FM": "Fast Motion", "OV": "Out-of-View", "BC": "Background Clutter"}


def test_the_hardest_comes_first() -> None:
    assert list(hardest_first(BY)) == ["FM", "SV", "OV"]  # means of 22.5, 35 and 45 %
    empty = tuple(replace(one, mean=Measures()) for one in BY["SV"])
    assert list(hardest_first(BY | {"BC": empty})) == ["FM", "SV", "OV"]


def test_headings_count_sequences() -> None:
    assert heading("FM", "Fast Motion", BY["FM"]) == "Fast Motion, FM (8 sequences)"
    assert heading("FM", "Fast Motion", [replace(BY["FM"][0], expected=1)]) == "Fast Motion, FM (1 sequence)"


def test_the_grid_has_a_ranked_legend_per_attribute() -> None:
    figure = attribute_grid(hardest_first(BY), WORDS, LOOK, title="LaSOT")
    assert figure is not None
    assert [axes.get_title() for axes in figure.axes] == [
        "Fast Motion, FM (8 sequences)", "Scale Variation, SV (8 sequences)", "Out-of-View, OV (8 sequences)",
    ]  # fmt: skip
    legends = [axes.get_legend() for axes in figure.axes]
    assert [[t.get_text() for t in legend.get_texts()] for legend in legends if legend][:2] == [
        ["B [35.0]", "A [10.0]"], ["A [40.0]", "B [30.0]"],
    ]  # fmt: skip
    assert attribute_grid({"SV": BY["SV"]}, WORDS, LOOK, title="") is None


def test_a_grid_of_precision_has_its_own_numbers_signs_and_the_papers_width() -> None:
    with on_paper(Paper(width=3.0)):
        figure = attribute_grid(BY, WORDS, LOOK, title="T", kind=PRECISION, cautions={"A": "tuned"}, listed=True)
    assert figure is not None and figure.get_figwidth() == pytest.approx(3.0)
    lefts = {round(axes.get_position().x0, 3) for axes in figure.axes}
    assert len(lefts) == 1  # a panel beside another would not fit
    legend = figure.axes[1].get_legend()
    assert legend is not None and [t.get_text() for t in legend.get_texts()] == ["A† [20.0]", "B [70.0]"]


def test_a_tracker_on_fewer_sequences_says_so() -> None:
    a, b = BY["FM"]
    few = replace(b, per_sequence=dict(list(b.per_sequence.items())[:5]))
    assert [line.label for line in lines([a, few], SUCCESS)] == ["B [35.0] 5 of 8", "A [10.0]"]
    assert lines([few], SUCCESS)[0].few == ""  # nobody has more
