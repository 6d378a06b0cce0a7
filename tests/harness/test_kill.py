"""SIGKILL at seeded random moments: what was finished stays, what follows is as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.cli import main
from tests.conftest import ROOT
from tests.harness.conftest import write_sequence

KILLS = 8


def command(root: Path, store: Path) -> list[str]:
    words = ["track", "--tracker", "csrt", "--dataset", f"folder={root}", "--store", str(store), "--jobs", "2"]
    return [sys.executable, str(ROOT / "run_all.py"), *words]


def exported(store: Path, out: Path) -> dict[str, bytes]:
    assert main(["export", "--store", str(store), "--format", "pysot", "--out", str(out)]) == 0
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*.txt")}


@pytest.mark.slow
def test_killed_and_continued_equals_undisturbed(tmp_path: Path) -> None:
    root = tmp_path / "clips"
    for i in range(10):
        write_sequence(root / f"clip{i}", 40 + i, step=0)
    quiet = subprocess.run(command(root, tmp_path / "quiet"), check=False, capture_output=True)
    assert quiet.returncode == 0, quiet.stderr

    store, rng = tmp_path / "store", random.Random(1)
    for _ in range(KILLS):
        before = {p: p.stat().st_ino for p in store.rglob("*.parquet")}
        process = subprocess.Popen(
            command(root, store), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.2, 3.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kept = {p: p.stat().st_ino for p in before if p.exists()}
        assert kept == before  # nothing finished was lost or made twice
    last = subprocess.run(command(root, store), check=False, capture_output=True)
    assert last.returncode == 0, last.stderr
    assert not list(store.rglob("*.tmp"))
    assert exported(store, tmp_path / "a") == exported(tmp_path / "quiet", tmp_path / "b")
