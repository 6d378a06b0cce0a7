"""What is known by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tyro.conf import Positional

from inmo.datasets import DATASETS, benchmark
from inmo.reports.scoring.protocols import PROTOCOLS
from inmo.terminal import aligned
from inmo.trackers import TRACKERS
from inmo.trackers.titles import title


@dataclass(frozen=True)
class List:
    """List what is known by name.

    Example: python run_all.py list trackers
    """

    what: Positional[Literal["trackers", "datasets", "protocols"]]
    """Which registry."""


def run(command: List) -> int:
    if command.what == "trackers":
        rows = [(name, title(name)) for name in TRACKERS]
    elif command.what == "datasets":
        rows = [(name, f"{row.title}; scored by {row.protocol}") for name in DATASETS for row in [benchmark(name)]]
    else:
        rows = [(name, row.summary) for name, row in PROTOCOLS.items()]
    print("\n".join(aligned(rows, left=2)))
    return 0
