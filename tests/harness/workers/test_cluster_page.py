"""docs/cluster.md: what can be run without GPUs, ssh and Slurm is run as it stands there."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from inmo.harness.training.config import load_config
from inmo.harness.training.schedule import SCHEDULES
from tests.clips import write_sequence
from tests.conftest import ROOT
from tests.harness.stored_files import exported
from tests.harness.workers.clusters import kill, process, track, until

PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.M | re.S)
SBATCH = """#!/bin/sh
cp "$1" {place}/job.$$
setsid sh {place}/job.$$ > {place}/job.$$.log 2>&1 &
echo "Submitted batch job $!"
echo $! >> {place}/jobs
"""
SCANCEL = """#!/bin/sh
for job in "$@"; do kill -- -"$job"; done
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with clips and ``run_all.py``; ``python`` and ``dask`` are those of the tests."""
    for frames in (20, 30, 40):
        write_sequence(tmp_path / "clips" / f"clip{frames}", frames, step=0)
    (tmp_path / "run_all.py").symlink_to(ROOT / "run_all.py")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "bin" / "dask").write_text(f'#!/bin/sh\nexec {sys.executable} -m dask "$@"\n')
    (tmp_path / "bin" / "sbatch").write_text(SBATCH.format(place=tmp_path))
    (tmp_path / "bin" / "scancel").write_text(SCANCEL)
    for file in (tmp_path / "bin").iterdir():
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_no_scheduler_of_the_page_is_reached_from_every_network() -> None:
    started = re.findall(r"^(?:\w+\$ )?dask scheduler .*", PAGE, re.M)
    assert len(started) == 3
    for line in started:
        assert re.search(r" --(host|interface) \S+ ", line)
        assert " --dashboard-address 127.0.0.1:0 " in line


def test_batches_can_be_shared_by_the_processes_of_the_page() -> None:
    lines = re.findall(r"torchrun .*(?:\\\n.*)?configs/\S+", PAGE)
    assert len(lines) == 3
    for line in lines:
        hosts, each = (
            int(found[1]) if (found := re.search(rf"--{n} (\d+)", line)) else 1 for n in ("nnodes", "nproc-per-node")
        )
        config = load_config(ROOT / line.split()[-1])
        assert (config.batch or SCHEDULES[config.schedule].batch) % (hosts * each * config.accumulate) == 0, line


@pytest.mark.slow
def test_a_scheduler_and_its_workers(place: Path) -> None:
    (commands,) = (text for kind, text in BLOCKS if kind == "sh" and text.startswith("dask scheduler"))
    assert "--port 8786" in commands
    script = "set -e\n" + commands.replace("8786", str(free_port()))
    started = subprocess.Popen(
        ["sh", "-c", script], start_new_session=True, stderr=subprocess.PIPE, text=True, cwd=place
    )
    try:
        assert started.stderr is not None
        said = [started.stderr.readline() for _ in range(4)]
    finally:
        kill(started)
    shown = re.findall(r"^(?:no worker|\d+ runs) .*\n", PAGE, re.M)
    lines = [re.sub(r":\d+ yet|\d+ runs|\d+ were", "", line) for line in said if not line.startswith("no worker")]
    assert lines[:3] == [
        re.sub(r":\d+ yet|\d+ runs|\d+ were", "", line) for line in shown if not line.startswith("no worker")
    ]
    assert exported(place / "runs", place / "a") == exported(place / "sent", place / "b")


@pytest.mark.slow
def test_slurm_by_an_sbatch_that_runs_its_job_at_once(place: Path) -> None:
    (script,) = (text for kind, text in BLOCKS if kind == "python")
    assert "jobs=64" in script
    assert '"eth0"' in script
    (place / "slurm.py").write_text(script.replace("jobs=64", "jobs=2").replace('"eth0"', '"lo"'))
    with process([str(place / "slurm.py")], folder=place, CUDA_VISIBLE_DEVICES="0") as cluster:
        assert cluster.stdout is not None
        address = cluster.stdout.readline().decode().strip()
        until((place / "jobs").exists)
        try:
            words = track(place / "clips", place / "store", "--backend", "dask", "--scheduler", address)
            with process([str(ROOT / "run_all.py"), *words]) as running:
                assert running.wait(90) == 0
        finally:
            for job in (place / "jobs").read_text().split():
                subprocess.run(["scancel", job], check=False)
    assert len(list((place / "store").rglob("folder/runs/*/*.parquet"))) == 3
