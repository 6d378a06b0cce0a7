"""What is known by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from inmo.datasets import DATASETS, benchmark
from inmo.errors import UserError
from inmo.harness.store.records import display_names
from inmo.harness.store.store import open_store
from inmo.reports.scoring.protocols import PROTOCOLS
from inmo.terminal import aligned
from inmo.trackers import TRACKERS
from inmo.trackers.titles import title


@dataclass(frozen=True)
class List:
    """List what is known by name, or the runs of a store by the folders that rm takes.

    Example: python run_all.py list trackers
    """

    what: Positional[Literal["trackers", "datasets", "protocols", "runs"]]
    """Which registry, or runs."""
    store: Path | None = None
    """Folder of results, for runs; status says how far each is."""


def run(command: List) -> int:
    if command.what == "runs":
        rows = _runs(command.store)
    elif command.what == "trackers":
        rows = [(name, title(name)) for name in TRACKERS]
    elif command.what == "datasets":
        rows = [(name, f"{row.title}; scored by {row.protocol}") for name in DATASETS for row in [benchmark(name)]]
    else:
        rows = [(name, row.summary) for name, row in PROTOCOLS.items()]
    print("\n".join(aligned(rows, left=2)))
    return 0


def _runs(store: Path | None) -> list[tuple[str, str]]:
    """Folders of the runs, and what they are."""
    if store is None:
        raise UserError("list runs wants a store: say --store DIR")
    found = open_store(store)
    runs = {label: found.runs(label) for label in found.datasets()}
    names = display_names(tuple({run.folder: run for own in runs.values() for run in own}.values()))
    return [(run.folder, f"{names[run.folder]} on {label}") for label, own in runs.items() for run in own]
