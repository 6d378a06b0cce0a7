"""docs/trackers.md: its files are written and its commands are run as they stand there."""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import venv
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from inmo.harness.cli import main
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import open_store
from inmo.trackers import TRACKERS, tracker
from tests.clips import write_clips
from tests.conftest import ROOT
from tests.trackers.external.test_frameworks import pysot, pytracking

PAGE = (ROOT / "docs" / "trackers.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.M | re.S)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
NAMES = ("Drift", "old", "shift", "dimp50", "siamrpn_r50_l234_dwxcorr", "Hasty")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the page speaks of: its files, clips, an environment ``old``, and stand-ins for checkouts."""
    for kind, text in BLOCKS:
        if kind == "python":
            (tmp_path / text.split("\n")[0].removeprefix("# ")).write_text(text)
    write_clips(tmp_path / "clips")
    environment(tmp_path / "old")
    pytracking(tmp_path / "pytracking")
    pysot(tmp_path / "pysot")
    (tmp_path / "pysot/experiments/siamrpn_r50").rename(tmp_path / "pysot/experiments/siamrpn_r50_l234_dwxcorr")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def environment(home: Path) -> None:
    """A virtual environment of its own with the numpy and torch of this one, in place of an old download."""
    venv.create(home, symlinks=True, with_pip=False)
    (packages,) = home.glob("lib/python*/site-packages")
    site = Path(np.__file__).parent.parent
    (packages / "here.pth").write_text(f"{Path(torch.__file__).parent.parent}\n{site}\n")


def words(command: str) -> list[str]:
    program, script, *rest = shlex.split(command)
    assert (program, script) == ("python", "run_all.py")
    return rest


def test_every_command_does_what_the_page_says(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    statuses = [main(words(command)) for command in COMMANDS if trax() or "trax:" not in command]
    assert statuses[:-1] == [0] * (len(statuses) - 1)
    assert statuses[-1] == 3  # the page's tracker that fails
    shown = re.search(r"^hole: .*$", PAGE, re.M)
    assert shown
    assert shown.group() in capsys.readouterr().err.splitlines()
    store = open_store(place / "runs")
    runs = {run.label + "@" + str(run.identity.get("python", "")): run for run in store.runs("folder")}
    assert first(store.result("folder", runs["Drift@"], "short")) == [4, 6, 8, 10, 12, 14]
    assert first(store.result("folder", runs["Drift@old"], "short")) == [4, 5, 6, 7, 8, 9]
    assert first(store.result("folder", runs["dimp50@old"], "short")) == [4, 6, 8, 10, 12, 14]
    assert first(store.result("folder", runs["siamrpn_r50_l234_dwxcorr@old"], "short")) == [4, 6, 8, 10, 12, 14]
    if "shift@" in runs:
        shift = store.result("folder", runs["shift@"], "short")
        assert first(shift) == [4, 7, 10, 13, 16, 19]
        assert isinstance(shift, Result)
        assert shift.scores[1:].tolist() == [0.5] * 5
    assert isinstance(runs["Hasty@"], Run)


def first(result: object) -> list[float]:
    assert isinstance(result, Result), result
    column: list[float] = result.boxes[:, 0].tolist()
    return column


def trax() -> bool:
    """Whether the reference library is here: its wheel is for Linux on x86-64."""
    return importlib.util.find_spec("trax") is not None


def test_the_toolkits_entry_starts_a_trax_tracker() -> None:
    reference = pytest.importorskip("trax.client")
    (text,) = [text for kind, text in BLOCKS if kind == "ini"]
    entries = configparser.ConfigParser()
    entries.read_string(text)
    (name,) = entries.sections()
    assert entries[name]["protocol"] == "trax"
    command = [sys.executable, str(ROOT / "run_all.py"), *words(entries[name]["command"])]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert process.stdin and process.stdout
    client = reference.Client(stream=(process.stdin.fileno(), process.stdout.fileno()), log=lambda text: None)
    assert client.tracker_family == "transinmo"
    client.quit()
    assert process.wait(60) == 0


def test_the_page_names_every_kind_and_setting() -> None:
    external = [name for name, row in TRACKERS.items() if row.startswith("inmo.trackers.external.")]
    assert external == ["python", "trax", "pytracking", "pysot"]
    for name in external:
        assert f"`{name}:" in PAGE
        for field in fields(tracker(name).config):
            assert field.name == "target" or re.search(rf"\b{field.name}=|--{field.name}\b", PAGE), field.name
