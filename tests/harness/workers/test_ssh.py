"""docs/cluster.md over ssh: its commands as they stand, between ``hosts`` that are one sshd on a port of its own."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from inmo.harness.cli import main
from tests.clips import write_sequence
from tests.conftest import ROOT
from tests.harness.stored_files import exported
from tests.harness.workers.clusters import PATIENCE, kill, process, slow, track, until
from tests.harness.workers.test_cluster_page import BLOCKS, free_port

SBIN = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
SSHD = shutil.which("sshd", path=SBIN) or ""
CLIPS = 8

SERVER = """ListenAddress 127.0.0.1
Port {port}
HostKey {place}/host_key
AuthorizedKeysFile {place}/key.pub
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
UsePAM no
PidFile none
"""
CLIENT = """Host node1 node2
HostName 127.0.0.1
Port {port}
User {user}
IdentityFile {place}/key
IdentitiesOnly yes
UserKnownHostsFile {place}/known_hosts
HostKeyAlias node
BatchMode yes
"""
EXPERIMENT = """title: One tracker
partial: true
tables: [2]
datasets:
  - {name: folder, root: clips}
trackers:
  - {tracker: kcf}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the checkout, the same on the head and on its nodes; ``ssh`` knows ``node1`` and ``node2``.

    ``started`` has the number of each process that was started over ssh: sshd gives it a group of its own.
    """
    for i in range(CLIPS):
        write_sequence(tmp_path / "clips" / f"clip{i}", 30 + i, step=0)
    (tmp_path / "run_all.py").symlink_to(ROOT / "run_all.py")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "paper.yaml").write_text(EXPERIMENT)
    (tmp_path / "started").touch()
    there = f"export PYTHONPATH={ROOT} OMP_NUM_THREADS=1; echo $$ >> {tmp_path}/started; "
    for name, line in {
        "bin/python": f"exec {sys.executable}",
        "bin/dask": f"exec {sys.executable} -m dask",
        "bin/ssh": f"exec {shutil.which('ssh')} -F {tmp_path}/client",
        ".venv/bin/python": f"{there}exec {sys.executable}",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f'#!/bin/sh\n{line} "$@"\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    with sshd(tmp_path):
        try:
            yield tmp_path
        finally:
            for number in started(tmp_path):
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)


@contextmanager
def sshd(place: Path) -> Iterator[None]:
    """A server with keys of its own, which lets in whoever runs this test."""
    port = free_port()
    for name in ("host_key", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)], check=True)
    (place / "known_hosts").write_text("node " + (place / "host_key.pub").read_text())
    (place / "server").write_text(SERVER.format(place=place, port=port))
    (place / "client").write_text(CLIENT.format(place=place, port=port, user=getpass.getuser()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # root's sshd wants it, and only an init system makes it
    with running([SSHD, "-D", "-e", "-f", str(place / "server")], place / "sshd.log") as server:
        until(lambda: "listening" in (place / "sshd.log").read_text() or server.poll() is not None)
        tried = subprocess.run(
            ["ssh", "-n", "node1", "true"], check=False, timeout=PATIENCE, capture_output=True, text=True
        )
        assert tried.returncode == 0, tried.stderr + (place / "sshd.log").read_text()
        yield


@contextmanager
def running(words: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process group of its own, which is gone on leaving; what it says is in ``log``."""
    with log.open("wb") as said:
        begun = subprocess.Popen(words, start_new_session=True, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        yield begun
    finally:
        kill(begun)


def started(place: Path) -> list[int]:
    return [int(line) for line in (place / "started").read_text().split()]


def gone(number: int) -> bool:
    """Whether a process has ended, though its parent may not have looked."""
    import psutil

    try:
        return bool(psutil.Process(number).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def over_ssh(command: str) -> None:
    subprocess.run(["ssh", "-n", "node1", command], check=True, timeout=PATIENCE)


@pytest.mark.slow
@pytest.mark.skipif(not (SSHD and shutil.which("ssh")), reason="no sshd here: install openssh-server")
def test_the_commands_of_the_page_over_ssh(place: Path) -> None:
    (block,) = (text for _, text in BLOCKS if "for host in node1 node2" in text)
    script = re.sub(r"^head\$ ", "", block, flags=re.M)
    for words in ("10.0.0.1", "8786", "-host 8"):
        assert words in script
    port = str(free_port())
    script = script.replace("10.0.0.1", "127.0.0.1").replace("8786", port).replace("-host 8", "-host 1")
    (worker,) = re.findall(r"^ *(ssh .*) &$", script, re.M)
    again = worker.replace("$host", "node2").replace("$PWD", shlex.quote(str(place)))
    address, tracker = f"tcp://127.0.0.1:{port}", slow(place)
    for name, store in (("kcf", "one"), (tracker, "alone")):
        assert main(track(place / "clips", place / store, "--jobs", "2", tracker=name)) == 0

    with running(["sh", "-c", f"set -e\n{script}"], place / "head.log") as head:
        assert head.wait(PATIENCE) == 0, (place / "head.log").read_text()
        assert exported(place / "output" / "store", place / "a") == exported(place / "one", place / "b")

        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
            (worker_of_one, _), (_, other) = client.run(lambda: (os.getpid(), os.getppid())).values()
            assert other in started(place)
            where = ["--backend", "dask", "--scheduler", address, "--no-shared-store"]
            words = track(place / "clips", place / "sent", *where, tracker=tracker)
            with process([str(ROOT / "run_all.py"), *words]) as run:
                until(lambda: list((place / "sent").rglob("runs/*/*.parquet")))
                over_ssh(f"kill -9 {worker_of_one}")  # which is started anew
                over_ssh(f"kill {other}")  # a host that leaves with all its workers, and comes again
                assert len(list((place / "sent").rglob("runs/*/*.parquet"))) < CLIPS
                with running(["sh", "-c", again], place / "again.log"):
                    assert run.wait(PATIENCE) == 0, run.stderr and run.stderr.read()
                    until(lambda: gone(other))
                    client.wait_for_workers(2, timeout=PATIENCE)
                    with suppress(Exception):  # the connection ends with what is at its other end
                        client.run_on_scheduler(os.kill, client.run_on_scheduler(os.getpid), signal.SIGTERM)
                    until(lambda: all(gone(number) for number in started(place)))
    assert exported(place / "sent", place / "c") == exported(place / "alone", place / "d")
