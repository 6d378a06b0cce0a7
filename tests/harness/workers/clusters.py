"""Schedulers and workers in processes of their own, and a tracker that takes its time, for the tests of clusters."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

PATIENCE = 90.0


def track(root: Path, store: Path, *more: str, tracker: str = "kcf") -> list[str]:
    return ["track", "--tracker", tracker, "--dataset", f"folder={root}", "--store", str(store), *more]


def on(file: Path) -> list[str]:
    return ["--backend", "dask", "--scheduler", str(file)]


SLOW = """
import time
class Slow:
    def init(self, image, box):
        self.box = box
    def update(self, image):
        time.sleep(0.02)
        return self.box + image.mean() / 100
"""


def slow(folder: Path) -> str:
    """A tracker that takes its time and none of the processor's; its boxes depend on the pixels."""
    (folder / "slow.py").write_text(SLOW)
    return f"python:{folder / 'slow.py'}:Slow"


@contextmanager
def process(words: list[str], *, folder: Path = ROOT / "docs", **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process group of its own, which is gone on leaving."""
    started = subprocess.Popen(
        [sys.executable, *words], start_new_session=True, env=os.environ | environment, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder,
    )  # fmt: skip
    try:
        yield started
    finally:
        kill(started)


def kill(started: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the whole group: a host that loses its power."""
    with suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


@contextmanager
def scheduler(folder: Path, **environment: str) -> Iterator[Path]:
    """A real scheduler; its file."""
    file = folder / "scheduler.json"
    words = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    words += ["--dashboard-address", "127.0.0.1:0"]  # there is a server without a dashboard too, else on every network
    with process([*words, "--scheduler-file", str(file)], **environment):
        until(file.exists)
        yield file


def workers(file: Path, *more: str, **environment: str) -> Any:
    return process([str(ROOT / "run_all.py"), "workers", "--scheduler", str(file), *more], **environment)


def until(holds: Any) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
