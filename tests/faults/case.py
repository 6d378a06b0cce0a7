"""A broken input as a named row, and the child process that feeds it to the command line."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import io
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

SECONDS = 10  # of processor time; whatever waits for something that never comes is ended by the clock
CLOCK = 60
MEMORY = 1 << 30


@dataclass(frozen=True)
class Place:
    """Folders of one case: broken things go into ``input``, the program may write below ``out`` alone."""

    input: Path
    out: Path

    @property
    def store(self) -> str:
        return str(self.out / "store")

    def write(self, name: str, data: bytes | str) -> Path:
        path = self.input / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path


Words = Sequence[str]


@dataclass(frozen=True)
class Case:
    """What is made, what is run, and what must come of it.

    Attributes:
        name: unique in its family.
        make: writes the input and gives the command lines; all but the last must leave with 0.
        status: of the last.
        says: regular expression that its output matches.
    """

    name: str
    make: Callable[[Place], Sequence[Words]]
    status: int
    says: str = ""


def run_family(module: str, folder: Path) -> list[str]:
    """Run the ``CASES`` of a module in one child. Returns a line for every case that did not come out as it says."""
    command = [sys.executable, "-m", "tests.faults.case", module, str(folder)]
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1", "INMO_CONFIG": str(folder / "none")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600)
    lines = done.stdout.splitlines()
    trouble = [line.removeprefix("bad ") for line in lines if line.startswith("bad ")]
    count = sum(line.startswith("ok ") for line in lines)
    wanted = len(importlib.import_module(module).CASES)
    if done.returncode or count + len(trouble) != wanted:
        trouble.append(f"stopped after {count} of {wanted}: {lines[-1:]} {done.stderr[-2000:]}")
    return trouble


# ---- in the child


def _child(module: str, folder: Path) -> None:
    for name in ("commands", "run.jobs", "workers.parallel", "store.export", "experiment.spec", "experiment.main_job"):
        importlib.import_module(f"inmo.harness.{name}")
    for name in (
        "inmo.reports.page.page",
        "inmo.reports.scoring.raw",
        "inmo.reports.tables.builders",
        "inmo.datasets.check",
        "inmo.trackers.pipeline.checkpoint",
    ):
        importlib.import_module(name)
    for name in (
        "scipy.io",
        "torch",
        "matplotlib.pyplot",
        "inmo.trackers.families.siamcar",
        "inmo.trackers.inspect.describe",
        "yaml",
    ):
        importlib.import_module(name)
    importlib.import_module(
        "inmo.trackers.families.siamcar"
    ).SIAMCAR.released()  # the first network on the meta device takes seconds
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    cases: Sequence[Case] = importlib.import_module(module).CASES
    assert len({case.name for case in cases}) == len(cases), "names are not unique"
    limit = int(_status("VmSize")) + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for number, case in enumerate(cases):
        trouble = _run(case, folder / f"{number:03}")
        print(f"bad {case.name!r}: {trouble}" if trouble else f"ok {case.name!r}")


def _run(case: Case, folder: Path) -> str:
    from inmo.harness.cli import main

    place = Place(folder / "in", folder / "out")
    place.input.mkdir(parents=True)
    place.out.mkdir()
    (folder / "cwd").mkdir()
    commands = [list(words) for words in case.make(place)]
    before, status, text = _seen(folder), 0, ""
    os.chdir(folder / "cwd")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    resident = int(_status("VmRSS"))
    started = time.process_time()
    for position, words in enumerate(commands):
        out = io.StringIO()
        faulthandler.dump_traceback_later(CLOCK, exit=True)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                status = main(words)
            except SystemExit as error:  # tyro, for words that cannot be parsed
                status = int(error.code or 0)
        faulthandler.cancel_dump_traceback_later()
        text = out.getvalue()
        if position < len(commands) - 1 and status != 0:
            return f"{words[0]} left with {status}: {text[-400:]!r}"
    growth = int(_status("VmHWM")) - resident
    faults: list[str] = []
    if status != case.status:
        faults.append(f"status {status} instead of {case.status}")
    if not re.search(case.says, text):
        faults.append(f"does not say {case.says!r}")
    if "Traceback" in text or "fault of the program" in text:
        faults.append("not an error for people")
    if len(text) > 20_000:
        faults.append(f"{len(text)} characters of output")
    if (spent := time.process_time() - started) > SECONDS:
        faults.append(f"{spent:.0f} s of processor time")
    if growth > MEMORY:
        faults.append(f"memory grew by {growth >> 20} MiB")
    if (now := _seen(folder)) != before:
        faults.append(f"written outside: {sorted(set(now) ^ set(before))[:3]}")
    shown = text if len(text) < 600 else f"{text[:300]} ... {text[-300:]}"
    return f"{'; '.join(faults)} [{spent:.1f} s] {shown!r}" if faults else ""


def _seen(folder: Path) -> dict[str, Any]:
    """Everything in the case's folder and beside it but what is below ``out``."""
    found: dict[str, Any] = {str(path): None for path in folder.parent.iterdir()}
    for root, folders, files in _walk(os.fsencode(folder)):
        if root == os.fsencode(folder):
            folders.remove(b"out")
        for name in (*folders, *files):
            path = os.path.join(root, name)  # noqa: PTH118 - bytes, since names may be no text
            found[repr(path)] = os.lstat(path).st_size if name in files else None
    return found


def _walk(folder: bytes) -> Iterator[tuple[bytes, list[bytes], list[bytes]]]:
    yield from os.walk(folder)


def _status(name: str) -> str:
    """Bytes, from Linux's account of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name + ":"))
    return str(int(line.split()[1]) * 1024)


if __name__ == "__main__":
    _child(sys.argv[1], Path(sys.argv[2]))
