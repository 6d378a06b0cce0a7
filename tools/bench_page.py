"""How big and how quick a page of LaSOT's size is: 280 sequences times 20 trackers, from the store to the browser.

Run it as ``python -m tools.bench_page [--trackers N]``. Boxes are made up, there are no images; lengths are LaSOT's.
Rendering is measured in a process of its own, with its start; opening in headless Chromium until the page answers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tyro

from inmo.boxes import Boxes
from inmo.datasets import benchmark
from inmo.datasets.base import Annotation, Dataset, Sequence, read_table
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import Store, open_store
from tools.door import leave_after

ROOT = Path(__file__).resolve().parent.parent
SEED = 20212
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


@dataclass(frozen=True)
class BenchPage:
    """Print how long rendering and opening take and how large the page is."""

    trackers: int = 20
    """How many trackers."""
    sequences: int = 280
    """How many of LaSOT's sequences."""
    keep: Path | None = None
    """Folder for the store and the report; a store that is there already is used again."""
    chromium: str = "chromium"
    """The browser that opens the page."""


def measurements(command: BenchPage) -> Iterator[str]:
    """Make a store, render it, open the page; lines to print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = command.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        frames = make_store(folder / "store", command.sequences, command.trackers)
        yield f"{command.sequences} sequences, {command.trackers} trackers, {frames * command.trackers:,} boxes"
        wall, processor = render_time(folder / "store", folder / "report")
        yield f"render: {wall:.1f} s, {processor:.1f} s of processor time"
        page = folder / "report" / "index.html"
        yield f"page: {page.stat().st_size / 1e6:.2f} MB"
        opened, chosen = opening_time(page, command.chromium)
        yield f"open: {opened:.2f} s until it answers a click; {chosen * 1000:.0f} ms for another sequence"


def make_store(path: Path, sequences: int, trackers: int) -> int:
    """A store of LaSOT's names and lengths with trackers of different noise that lose the target; its frames."""
    rows = read_table("lasot_test.csv")[:sequences]
    lengths = {row["name"]: int(row["end_frame"]) - int(row["start_frame"]) + 1 for row in rows}
    if path.exists():
        return sum(lengths.values())
    store = open_store(path, write=True)
    kind = benchmark("lasot")
    codes = list(kind.attributes)
    truths = {name: _walk(index, length) for index, (name, length) in enumerate(lengths.items())}
    wanted = tuple(
        Sequence("lasot", name, partial(Annotation, boxes), attributes=tuple(codes[i % len(codes) :][:3]))
        for i, (name, boxes) in enumerate(truths.items())
    )
    store.put_dataset(Dataset(kind, "lasot", "/no/images/here", wanted), tuple(lengths))
    runs = [Run(f"tracker{i}", f"Tracker {i}", f"{i:012x}", "", {"name": f"tracker{i}"}) for i in range(trackers)]
    for run in runs:
        store.put_run("lasot", run)
    for index, sequence in enumerate(wanted):
        truth = truths[sequence.name]
        store.put_sequence("lasot", sequence, Annotation(truth))
        for number, run in enumerate(runs):
            _put(store, run, sequence.name, truth, np.random.default_rng([SEED, index, number]), 0.05 + 0.02 * number)
    return sum(lengths.values())


def render_time(store: Path, out: Path) -> tuple[float, float]:
    """Seconds by the clock and of processor time, user and system, of the ``report`` command."""
    words = [sys.executable, str(ROOT / "run_all.py"), "report", "--store", str(store), "--out", str(out)]
    start, before = time.perf_counter(), os.times()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used


def opening_time(page: Path, chromium: str) -> tuple[float, float]:
    """Seconds from the address to a loaded page that sorted a table at a click, and from one sequence to another.

    The second of two openings: the first one starts the browser's processes too.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(chromium), args=list(OPTIONS))
        for _ in range(2):
            tab = browser.new_page()
            start = time.perf_counter()
            tab.goto(page.as_uri(), wait_until="load")
            tab.evaluate("document.querySelector('thead button').click()")
            tab.wait_for_selector("[aria-sort]")
            opened, start = time.perf_counter() - start, time.perf_counter()
            tab.evaluate(
                "document.querySelector('[data-go=easier]').click(), document.querySelector('.over').clientWidth"
            )
            chosen = time.perf_counter() - start
            tab.close()
        browser.close()
    return opened, chosen


def _walk(index: int, frames: int) -> Boxes:
    """Integer boxes on a random walk."""
    steps = np.random.default_rng([SEED, index]).normal(0, 2, (frames, 4))
    walk = np.cumsum(steps, axis=0) * [1, 1, 0.1, 0.1]
    boxes: Boxes = np.rint(np.maximum(walk + np.array([400, 300, 80, 60]), 1.0))
    return boxes


def _put(store: Store, run: Run, name: str, truth: Boxes, rng: np.random.Generator, noise: float) -> None:
    """Noisy boxes, elsewhere for a tenth of the frames from a place that differs."""
    boxes = truth + rng.normal(0, noise, truth.shape) * np.maximum(truth[:, [2, 3, 2, 3]], 1.0)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 1.0)
    start = int(rng.integers(1, len(truth)))
    boxes[start : start + len(truth) // 10, 0] += 1000
    boxes[0] = truth[0]
    nothing = np.full(len(truth), np.nan)
    seconds = dict.fromkeys(("read", "pre", "network", "post"), nothing) | {"track": np.full(len(truth), 0.02)}
    facts = {"versions": {"code": "abc", "numpy": np.__version__}, "device": "cpu", "date": "2024-01-01"}
    store.put_result("lasot", run, name, Result(boxes, nothing, seconds, facts))


def main() -> None:
    for text in measurements(tyro.cli(BenchPage)):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    leave_after(main)
