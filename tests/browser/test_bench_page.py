"""The benchmark of the page runs, on a size that takes seconds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from inmo.paths import ROOT

pytestmark = pytest.mark.slow


def test_every_number_is_measured(chromium: str, tmp_path: Path) -> None:
    words = ["--trackers", "2", "--sequences", "3", "--keep", str(tmp_path), "--chromium", chromium]
    command = [sys.executable, "-m", "tools.bench_page", *words]
    lines = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.splitlines()
    assert lines[0].startswith("3 sequences, 2 trackers, ")
    assert re.fullmatch(r"render: [\d.]+ s, [\d.]+ s of processor time", lines[1])
    assert re.fullmatch(r"page: 0\.\d\d MB", lines[2])
    assert re.fullmatch(r"open: [\d.]+ s until it answers a click; \d+ ms for another sequence", lines[3])
