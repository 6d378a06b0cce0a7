"""Plots of scores in a notebook, of all sequences and of those with an attribute."""

from __future__ import annotations

import numpy as np
import pytest

from inmo.errors import UserError
from inmo.reports.notebook import Row, Scores
from inmo.reports.scoring.score import Measures, Score

CODES = {"FM": "Fast Motion", "OCC": "Occlusion", "LR": "Low Resolution"}
ATTRIBUTED = {"a": ("FM",), "b": ("FM", "OCC"), "c": ()}


def row(tracker: str, heights: dict[str, float]) -> Row:
    parts = {
        name: Measures(np.full(21, h), np.full(51, h), np.full(51, h), h, h, h, h, h) for name, h in heights.items()
    }
    mean = sum(heights.values()) / len(heights)
    whole = Measures(np.full(21, mean), np.full(51, mean), np.full(51, mean), mean, mean, mean, mean, mean)
    return Row(Score("otb100", tracker, "pysot", 3, whole, parts), "otb100", None, ATTRIBUTED, CODES)


SCORES = Scores((row("A", {"a": 0.2, "b": 0.4, "c": 0.9}), row("B", {"a": 0.6, "b": 0.3, "c": 0.1})))


def legend(scores: Scores, attribute: str) -> list[str]:
    (axes,) = scores.plot(attribute=attribute).figure.axes
    found = axes.get_legend()
    assert found is not None
    return [text.get_text() for text in found.get_texts()]


def test_a_plot_of_an_attribute_is_over_its_sequences() -> None:
    assert legend(SCORES, "FM") == ["B [45.0]", "A [30.0]"]  # a and b
    assert legend(SCORES, "OCC") == ["A [40.0]", "B [30.0]"]  # b
    title = SCORES.plot("precision", attribute="FM").figure.axes[0].get_title()
    assert "Precision" in title and "Fast Motion, FM (2 sequences)" in title


def test_all_attributes_are_a_grid_with_the_hardest_first() -> None:
    grid = SCORES.plot("precision", attribute="all")
    titles = [axes.get_title() for axes in grid.figure.axes]
    assert titles == ["Occlusion, OCC (1 sequence)", "Fast Motion, FM (2 sequences)"]  # means of 35 and 37.5 %
    assert repr(grid).startswith("<plot: Precision per attribute · ") and "\n" not in repr(grid)


def test_an_attribute_that_no_sequence_has_is_named() -> None:
    with pytest.raises(UserError, match="unknown attribute of a scored sequence 'LR'"):
        SCORES.plot(attribute="LR")
    with pytest.raises(UserError, match="unknown attribute of a scored sequence 'OC': did you mean OCC"):
        SCORES.plot(attribute="OC")
