"""The gallery: every picture is there, small, and has its command, which the program takes and whose figures exist."""

from __future__ import annotations

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

from inmo.harness.cli import parse
from inmo.harness.commands.plot import PlotFigures
from inmo.reports.figures.of_dataset import figure_makers
from inmo.reports.figures.style import styles
from inmo.reports.scoring.stored import evaluate
from tests.conftest import ROOT
from tests.reports.example import example_store

TEXT = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
ENTRY = re.compile(r"^!\[([^]]+)\]\((\S+)\)\n\n```sh\npython run_all\.py ([^`]+?)\n```$", re.M)


def test_every_picture_is_small_and_has_its_command_below() -> None:
    entries = ENTRY.findall(TEXT)
    pictures = {path for _, path, _ in entries}
    assert len(entries) == len(pictures) == TEXT.count("![") >= 9
    here = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs" / "images" / "gallery").iterdir()}
    assert here == pictures
    assert all((ROOT / "docs" / path).stat().st_size <= 60_000 for path in pictures)


def test_the_commands_are_taken_and_name_figures_that_there_are(tmp_path: Path) -> None:
    store = example_store(tmp_path, sequences=2, images=False)
    (data,) = evaluate(store).datasets
    known = [*figure_makers(data, styles(run.name for run in data.runs)), "success_OCC", "precision_OCC"]
    for _, _, command in ENTRY.findall(TEXT):
        found = parse(shlex.split(command.replace("\\\n", " ")))
        assert isinstance(found, PlotFigures)
        for name in found.figure:
            assert any(fnmatch(one, name) for one in known), name
