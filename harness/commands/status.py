"""Which runs there are, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inmo.datasets.base import Hole
from inmo.errors import Exit
from inmo.harness.experiment.planning import duration
from inmo.harness.store.claims import LEASE, Owner
from inmo.harness.store.status import RunStatus, StoreStatus, store_status
from inmo.harness.store.store import open_store
from inmo.harness.workers.makespan import makespan
from inmo.reports.tables.table import Cell, Column, Table
from inmo.terminal import listed, plain

SHOWN = 4  # names in a line
COLUMNS = (
    Column("tracker", "Tracker"),
    Column("dataset", "Dataset"),
    Column("done", "Done", "", 0),
    Column("wanted", "of", "", 0),
    Column("holes", "Holes", "", 0, about="tried in vain for want of sound data"),
    Column("failures", "Failed", "", 0, about="tried in vain for a fault of the tracker"),
    Column("left", "Left", "", 0, about="not tried yet, or made with another annotation"),
    Column("at_work", "At work"),
    Column("seconds", "Time left"),
    Column("disk", "Disk", "MB", 2),
)


@dataclass(frozen=True)
class Status:
    """Say which runs a store has: done, holes, failures, who is at work now, how long the rest takes, disk.

    The store is only read, by any number of these beside runs that write it. Status 2 when files are damaged.

    Example: python run_all.py status --store runs
    """

    store: Path
    """Folder of results."""
    format: Literal["table", "json", "csv"] = "table"
    """How to print; json has every sequence by name."""


def run(command: Status) -> int:
    found = store_status(open_store(command.store))
    if command.format == "json":
        print(json.dumps(_as_json(found), indent=1))
    else:
        table = Table("", "", COLUMNS, tuple(map(_row, found.runs)))
        print((table.to_text() if command.format == "table" else table.to_csv()).rstrip("\n"))
    if command.format == "table":
        print("\n" + "\n".join(map(plain, _lines(found))))
    return Exit.MEND if found.damaged else 0


def _row(run: RunStatus) -> tuple[Cell, ...]:
    time = "" if not run.left else "unknown" if run.costs is None else duration(sum(run.costs))
    work = ", ".join(f"{_words(owner)} ({listed(names, 2)})" for owner, names in run.owners.items())
    counts = (run.done, run.wanted, len(run.holes), len(run.failures), len(run.left))
    return tuple(Cell(value) for value in (run.tracker, run.dataset, *counts, work, time, run.disk / 1e6))


def _words(owner: Owner) -> str:
    """Owners renew their claims every ten seconds: of one that does not, the host may be gone."""
    silent = f", silent for {duration(owner.silent)}" if owner.silent > LEASE else ""
    return f"{owner.host}:{owner.pid}{silent}"


def _lines(found: StoreStatus) -> list[str]:
    """What the table does not say: why there are holes, what nobody has run, how long the rest takes, damage."""
    said = []
    for data in found.datasets:
        for reason, names in _by_reason(data.holes).items():
            count = f"{len(names)} of {data.expected} sequences are not in the store"
            said.append(f"{data.label}: {count}: {reason} ({listed(names, SHOWN)})")
    for run in found.runs:
        for kind, holes in (("hole", run.holes), ("failed", run.failures)):
            for reason, names in _by_reason(holes).items():
                said.append(f"{kind}: {run.dataset}, {run.tracker}, {listed(names, SHOWN)}: {reason}")
    said += [f"without a run: {tracker} on {', '.join(labels)}" for tracker, labels in found.without.items()]
    said += [f"damaged: {words}" for words in found.damaged]
    return [*said, _sum(found)]


def _by_reason(holes: Sequence[Hole]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for hole in holes:
        found.setdefault(hole.reason, []).append(hole.sequence)
    return found


def _sum(found: StoreStatus) -> str:
    done, wanted = sum(run.done for run in found.runs), sum(run.wanted for run in found.runs)
    left = sum(len(run.left) for run in found.runs)
    said = [f"{found.store}: {done} of {wanted} results, {left} left"]
    costs = [cost for run in found.runs for cost in run.costs or ()]
    unknown = sum(len(run.left) for run in found.runs if run.costs is None)
    workers = len({owner for run in found.runs for owner in run.owners})
    if costs:
        said.append(f"{duration(sum(costs))} of one worker")
    if costs and workers > 1:
        said.append(f"{duration(makespan(costs, workers))} of the {workers} at work")
    if unknown:
        said.append(f"the time of {unknown} unknown (no result of the tracker was timed)")
    return ", ".join([*said, f"{found.disk / 1e6:.1f} MB"])


def _as_json(found: StoreStatus) -> dict[str, object]:
    runs = [
        {
            "tracker": run.tracker, "dataset": run.dataset, "folder": run.folder,
            "wanted": run.wanted, "done": run.done,
            "holes": {hole.sequence: hole.reason for hole in run.holes},
            "failures": {hole.sequence: hole.reason for hole in run.failures},
            "left": list(run.left),
            "at_work": [
                {"host": owner.host, "pid": owner.pid, "silent": owner.silent, "sequences": list(names)}
                for owner, names in run.owners.items()
            ],
            "seconds": None if run.costs is None else sum(run.costs),
            "disk": run.disk,
        }
        for run in found.runs
    ]  # fmt: skip
    datasets = {
        data.label: {
            "wanted": len(data.names), "expected": data.expected,
            "not_wanted": {hole.sequence: hole.reason for hole in data.holes},
        }
        for data in found.datasets
    }  # fmt: skip
    return {
        "store": str(found.store), "datasets": datasets, "runs": runs, "damaged": list(found.damaged),
        "disk": found.disk,
    }  # fmt: skip
