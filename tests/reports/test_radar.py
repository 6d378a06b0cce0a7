"""Radar plots: where the points are, what is left out, and that both renderings show the same."""

from __future__ import annotations

import math
import re

import pytest

from reports.figures import radar_figure
from reports.plots import styles
from reports.radar import radar, radar_plot

WORDS = {"OCC": "Occlusion", "SV": "Scale Variation", "MB": "Motion Blur", "DEF": "Deformation", "LR": "Low Resolution"}
COUNTS = {"OCC": 3, "SV": 2, "MB": 1, "DEF": 4, "LR": 0}
VALUES = {
    "Good": {"OCC": 0.6, "SV": 0.3, "MB": 0.15, "DEF": 0.45, "LR": None},
    "<i>": {"OCC": 0.2, "SV": None, "MB": 0.5, "DEF": 0.4, "LR": None},
    "Lost": dict.fromkeys(WORDS),
}
LOOK = styles(VALUES)
NUMBERS = {name: i for i, name in enumerate(LOOK)}


def test_four_attributes_stand_at_right_angles() -> None:
    found = radar(WORDS, COUNTS, VALUES)
    assert found is not None
    assert (found.codes, found.counts) == (("OCC", "SV", "MB", "DEF"), (3, 2, 1, 4))
    assert [found.angle(i) for i in range(4)] == pytest.approx([0, math.pi / 2, math.pi, 3 * math.pi / 2])
    assert (found.top, found.rings) == (pytest.approx(0.6), pytest.approx([0.2, 0.4, 0.6]))
    assert list(found.values) == ["Good", "<i>"]  # a tracker without any value has no line
    drawn = str(radar_plot(found, LOOK, NUMBERS))
    (path,) = re.findall(r'data-t="0" d="([^"]*)"', drawn)
    places = [tuple(map(float, p.split())) for p in path.strip("MZ").split("L")]
    x, y, reach = 260.0, 165.0, 128.0  # the middle, and the rim's distance from it
    by_hand = [(x, y - reach), (x + reach * 0.5, y), (x, y + reach * 0.25), (x - reach * 0.75, y)]
    for place, expected in zip(places, by_hand, strict=True):
        assert place == pytest.approx(expected, abs=0.06)
    assert path.endswith("Z")


def test_a_missing_value_opens_the_line() -> None:
    found = radar(WORDS, COUNTS, VALUES)
    assert found is not None
    assert found.pieces("Good") == [[0, 1, 2, 3]]
    assert found.pieces("<i>") == [[2, 3, 0]]
    drawn = str(radar_plot(found, LOOK, NUMBERS))
    (path,) = re.findall(r'data-t="1" d="([^"]*)"', drawn)
    assert path.count("L") == 2 and "Z" not in path
    assert "<i>" not in drawn and "&lt;i&gt;" in drawn
    assert "OCC (3)" in drawn and "Motion Blur: 1 sequences" in drawn and "LR" not in drawn


def test_the_figure_shows_the_same() -> None:
    figure = radar_figure(radar(WORDS, COUNTS, VALUES), LOOK, title="T")
    assert figure is not None
    (axes,) = figure.axes
    assert list(axes.lines[0].get_ydata()) == [0.6, 0.3, 0.15, 0.45, 0.6]
    assert list(axes.lines[1].get_ydata()) == [0.5, 0.4, 0.2]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["OCC (3)", "SV (2)", "MB (1)", "DEF (4)"]


def test_too_few_attributes_or_no_tracker_make_no_plot() -> None:
    assert radar(WORDS, {"OCC": 1, "SV": 1}, VALUES) is None
    assert radar(WORDS, COUNTS, {}) is None
    assert (radar_plot(None, {}, {}), radar_figure(None, {}, title="")) == ("", None)
