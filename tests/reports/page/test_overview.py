"""The first screen of a page of several datasets, worked out by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from inmo.reports.page.page import write_report
from tests.reports.example import HOSTILE, example_store


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overview")
    return write_report(example_store(folder, images=False, labels=("one", "two")), folder / "out")


def test_every_dataset_and_all_sequences_have_an_interval(page: Path) -> None:
    rows = {r["tracker"]: r for r in json.loads((page.parent / "tables" / "overview.json").read_text())["rows"]}
    own = {r["tracker"]: r for r in json.loads((page.parent / "tables" / "one.json").read_text())["rows"]}
    good, other, fewer = rows["Good"], rows[HOSTILE], rows["Fair & square"]
    assert good["one"] == good["two"] == own["Good"]["success_auc"]
    assert good["one_interval"] == own["Good"]["success_auc_interval"]
    assert good["every"] == pytest.approx(good["one"])  # twice the same sequences
    low, high = good["every_interval"]
    assert good["one_interval"][0] < low < good["every"] < high < good["one_interval"][1]
    assert other["every_difference"] == pytest.approx(other["every"] - good["every"])
    assert list(rows) == ["Good", HOSTILE, "Fair & square"]  # who lacks sequences comes last
    assert fewer["every"] > other["every"]


def test_who_is_told_apart_from_the_best_is_marked(page: Path) -> None:
    rows = {r["tracker"]: r for r in json.loads((page.parent / "tables" / "overview.json").read_text())["rows"]}
    assert rows[HOSTILE]["every_difference_mark"] == "*" and rows[HOSTILE]["one_mark"] == "*"
    assert "every_difference_mark" not in rows["Good"] and "one_mark" not in rows["Good"]


def test_the_page_opens_with_sentences_ranks_and_speeds(page: Path) -> None:
    text = page.read_text()
    part = text[text.index('<section id="overview">') : text.index('<section id="one">')]
    heads = re.findall(r"<dt>(\w+)</dt>", part)
    assert heads == ["Best", "Fastest", "Hardest"]
    assert "Good, AUC" in part and "over 16 sequences" in part and "1 of 3 trackers lack sequences" in part
    assert "Mean ranks of 3 trackers over 14 sequences" in part and "Speed against accuracy of 2 trackers" in part
    figures = {path.name for path in (page.parent / "figures").iterdir()}
    assert {f"overview_{name}.{kind}" for name in ("ranks", "speed") for kind in ("svg", "pdf")} <= figures


def test_of_one_dataset_the_sentences_stand_with_it(tmp_path: Path) -> None:
    text = write_report(example_store(tmp_path, images=False), tmp_path / "out").read_text()
    assert 'id="overview"' not in text and text.count("<dt>Hardest</dt>") == 1
    assert not list((tmp_path / "out" / "figures").glob("overview*"))
