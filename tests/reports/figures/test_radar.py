"""Radar plots: where the points are, what is left out, and that both renderings show the same."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from inmo.datasets import DATASETS, benchmark, open_dataset
from inmo.reports.figures.for_papers import radar_figure
from inmo.reports.figures.radar import radar, radar_plot
from inmo.reports.figures.style import styles
from inmo.reports.page.page import write_report
from inmo.reports.tables.builders import attribute_table
from inmo.whole_files import read_json, write_json
from tests.reports.example import example_store

WORDS = {"OCC": "Occlusion", "SV": "Scale Variation", "MB": "Motion Blur", "DEF": "Deformation", "LR": "Low Resolution"}
COUNTS = {"OCC": 3, "SV": 2, "MB": 1, "DEF": 4, "LR": 0}
VALUES = {
    "Good": {"OCC": 0.6, "SV": 0.3, "MB": 0.15, "DEF": 0.45, "LR": None},
    "<i>": {"OCC": 0.2, "SV": None, "MB": 0.5, "DEF": 0.4, "LR": None},
    "Lost": dict.fromkeys(WORDS),
}
LOOK = styles(VALUES)


def test_four_attributes_stand_at_right_angles() -> None:
    found = radar(WORDS, COUNTS, VALUES)
    assert found is not None
    assert (found.codes, found.counts) == (("OCC", "SV", "MB", "DEF"), (3, 2, 1, 4))
    assert [found.angle(i) for i in range(4)] == pytest.approx([0, math.pi / 2, math.pi, 3 * math.pi / 2])
    assert (found.top, found.rings) == (pytest.approx(0.6), pytest.approx([0.2, 0.4, 0.6]))
    assert list(found.values) == ["Good", "<i>"]  # a tracker without any value has no line
    drawn = str(radar_plot(found, LOOK))
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
    drawn = str(radar_plot(found, LOOK))
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


@pytest.mark.parametrize("name", [name for name in DATASETS if benchmark(name).attributes])
def test_every_benchmark_with_attributes_has_their_table_and_from_three_on_a_plot(name: str) -> None:
    row = benchmark(name)
    values = {"A": dict.fromkeys(row.attributes, 0.5)}
    counts = dict.fromkeys(row.attributes, 7)
    table = attribute_table(row.attributes, counts, values, protocol=row.protocol)
    assert [(line[0].value, line[1].value) for line in table.rows] == list(row.attributes.items())
    found = radar(row.attributes, counts, values)
    if name in ("nfs", "mini-nfs"):  # its one attribute is occlusion
        assert found is None and [*row.attributes] == ["OCC"]
    else:
        assert found is not None
        assert (found.codes, found.words) == (tuple(row.attributes), tuple(row.attributes.values()))
        assert len(set(found.words)) == len(found.codes) and not any(word[0].islower() for word in found.words)


def test_too_few_attributes_or_no_tracker_make_no_plot() -> None:
    assert radar(WORDS, {"OCC": 1, "SV": 1}, VALUES) is None
    assert radar(WORDS, COUNTS, {}) is None
    assert (radar_plot(None, {}), radar_figure(None, {}, title="")) == ("", None)


def test_a_dataset_with_attributes_has_its_radar_plot_on_the_page(tmp_path: Path) -> None:
    store = example_store(tmp_path)
    file = store.root / "folder" / "dataset.json"
    write_json(file, read_json(file) | {"attributes": dict(list(WORDS.items())[:3])})
    for number, sequence in enumerate(open_dataset("folder", str(tmp_path / "clips")).sequences):
        codes = tuple(list(WORDS)[: 1 + number % 3])
        store.put_sequence("folder", replace(sequence, attributes=codes), sequence.annotation())
    page = write_report(store, tmp_path / "page")
    text = page.read_text()
    assert "OCC (8)" in text and "SV (5)" in text and "MB (2)" in text  # 8 clips with 1, 2, 3, 1, 2, 3, 1, 2 of them
    section = text[text.index("Radar plot") :]
    assert section[: section.index("</figure>")].count('<path class="curve h') == 2 * 3  # lines, and their swatches
    assert {p.name for p in (tmp_path / "page" / "figures").glob("*radar*")} == {"folder_radar.svg", "folder_radar.pdf"}
