"""docs/cluster.md under a real Slurm: a cluster of this host alone, of the test's own, whose GPUs are device files."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from inmo.harness.cli import main
from tests.clips import write_sequence
from tests.conftest import ROOT
from tests.harness.stored_files import exported
from tests.harness.workers.clusters import PATIENCE, process, slow, track, until
from tests.harness.workers.test_cluster_page import BLOCKS, free_port
from tests.harness.workers.test_ssh import SBIN, running

TOOLS = {name: shutil.which(name, path=SBIN) for name in ("slurmctld", "slurmd", "munged", "sbatch")}
MISSING = [name for name, path in TOOLS.items() if path is None]
ROOTLESS = not hasattr(os, "geteuid") or os.geteuid() != 0
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"no {', '.join(MISSING)} here: install slurmctld slurmd munge"),
    pytest.mark.skipif(ROOTLESS, reason="slurmd starts jobs as root alone"),
]
CLIPS = 8

SLURM = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs=32 RealMemory=80000 Gres=gpu:2
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
GPUS = """NodeName={host} Name=gpu File=/dev/null
NodeName={host} Name=gpu File=/dev/zero
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with clips and ``run_all.py`` on a login node, which is the one node too: with 32 cores and two GPUs."""
    for i in range(CLIPS):
        write_sequence(tmp_path / "clips" / f"clip{i}", 30 + i, step=0)
    (tmp_path / "run_all.py").symlink_to(ROOT / "run_all.py")
    for name in ("bin/dask", ".venv/bin/python"):
        (tmp_path / name).parent.mkdir(parents=True)
        dask = "-m dask " * name.endswith("dask")
        (tmp_path / name).write_text(f'#!/bin/sh\nexec {sys.executable} {dask}"$@"\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path / "bin"), SBIN)))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    with tempfile.TemporaryDirectory(prefix="slurm-") as name, ExitStack() as stack:  # a short path, for munge's socket
        folder, host = Path(name), socket.gethostname().partition(".")[0]
        (folder / "state").mkdir()
        (folder / "spool").mkdir()
        ports = (free_port(), free_port())
        (folder / "slurm.conf").write_text(SLURM.format(host=host, folder=folder, ports=ports))
        (folder / "gres.conf").write_text(GPUS.format(host=host))
        (folder / "key").write_bytes(os.urandom(1024))
        (folder / "key").chmod(0o400)
        monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        files = {word: f"--{word}-file={folder}/{word}" for word in ("key", "pid", "log", "seed")}
        munged = [f"--socket={folder}/munge", *files.values()]
        stack.enter_context(running(["munged", "--foreground", "--force", *munged], folder / "munged.log"))
        until((folder / "munge").exists)
        stack.enter_context(running(["slurmctld", "-D"], folder / "slurmctld.log"))
        stack.enter_context(running(["slurmd", "-D"], folder / "slurmd.log"))
        try:
            until(lambda: asked("sinfo", "-h", "-o", "%T") == ["idle"])
            yield tmp_path
        finally:
            with suppress(subprocess.SubprocessError):
                asked("scancel", "-u", "root")
                until(lambda: not asked("squeue", "-h"))


def asked(*words: str) -> list[str]:
    """The words that a command of Slurm answers with; none while there is nobody to ask."""
    return subprocess.run(words, check=False, timeout=PATIENCE, capture_output=True, text=True).stdout.split()


def running_jobs() -> list[str]:
    return asked("squeue", "-h", "-t", "R", "-o", "%i")


def test_slurm_py(place: Path) -> None:
    (script,) = (text for kind, text in BLOCKS if kind == "python")
    assert "jobs=64" in script
    assert '"eth0"' in script
    (place / "slurm.py").write_text(script.replace('"eth0"', '"lo"'))
    tracker = slow(place)
    assert main(track(place / "clips", place / "alone", "--jobs", "2", tracker=tracker)) == 0
    with process([str(place / "slurm.py")], folder=place) as cluster:
        assert cluster.stdout is not None
        assert cluster.stdin is not None
        address = cluster.stdout.readline().decode().strip()
        words = track(place / "clips", place / "store", "--backend", "dask", "--scheduler", address, tracker=tracker)
        with process([str(ROOT / "run_all.py"), *words]) as run:
            until(lambda: list((place / "store").rglob("runs/*/*.parquet")))
            until(lambda: len(running_jobs()) == 2)
            before = running_jobs()
            assert not asked("scancel", before[0])
            assert len(list((place / "store").rglob("runs/*/*.parquet"))) < CLIPS
            assert run.wait(PATIENCE) == 0, run.stderr and run.stderr.read()
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            until(lambda: before[0] not in running_jobs())
            client.wait_for_workers(2, timeout=PATIENCE)  # the next of the 64 took the place of the cancelled one
            seen = client.run(lambda: (os.environ["SLURM_JOB_ID"], os.environ["CUDA_VISIBLE_DEVICES"])).values()
        assert before[0] not in dict(seen)
        assert sorted(dict(seen).values()) == ["0", "1"]
        cluster.stdin.write(b"\n")
        cluster.stdin.close()
        assert cluster.wait(PATIENCE) == 0
        until(lambda: not asked("squeue", "-h"))
    assert exported(place / "store", place / "a") == exported(place / "alone", place / "b")


def test_srun(place: Path) -> None:
    (block,) = (text for _, text in BLOCKS if "srun --nodes=8" in text)
    scheduler, srun = re.findall(r"^login\$ ((?:dask|srun) .*) &$", block, re.M)
    for words, line in (("--interface eth0", scheduler), ("--nodes=8", srun), ("gpu:8", srun), ("-host 8", srun)):
        assert words in line
    scheduler = scheduler.replace("eth0", "lo --port 0")
    srun = srun.replace("--nodes=8", "--nodes=1").replace("gpu:8", "gpu:2").replace("-host 8", "-host 2")
    with running(["sh", "-c", scheduler], place / "scheduler.err"):
        until((place / "scheduler.json").exists)
        with running(["sh", "-c", srun], place / "srun.log") as job:
            where = ["--backend", "dask", "--scheduler", "scheduler.json"]
            assert main(track(place / "clips", place / "store", *where)) == 0
            from distributed import Client

            with Client(scheduler_file="scheduler.json", set_as_default=False) as client:
                client.wait_for_workers(2, timeout=PATIENCE)
                assert sorted(client.run(lambda: os.environ["CUDA_VISIBLE_DEVICES"]).values()) == ["0", "1"]
            assert not asked("scancel", *asked("squeue", "-h", "-o", "%i"))
            until(lambda: not asked("squeue", "-h"))
            assert job.wait(PATIENCE) is not None
    assert main(track(place / "clips", place / "alone")) == 0
    assert exported(place / "store", place / "a") == exported(place / "alone", place / "b")
