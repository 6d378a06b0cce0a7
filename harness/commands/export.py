"""Results as raw files of another toolkit."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from inmo.harness.commands.options import Flag
from inmo.harness.store.export import export_store
from inmo.harness.store.store import open_store


@dataclass(frozen=True)
class Export:
    """Write the results of a store as raw files in the format of another toolkit.

    Example: python run_all.py export --store runs --format pysot --out raw
    """

    store: Path
    """Folder of results."""
    format: str
    """pysot, pytracking, ostrack, got10k, lasot, trackingnet ..."""
    out: Path
    """Where the files go: OUT/<dataset>/<tracker>/<sequence>.txt for pysot."""
    partial: Flag = False
    """Write what is there although some wanted sequences have no result."""


def run(command: Export) -> int:
    written = export_store(
        open_store(command.store), command.format, command.out, partial=command.partial,
        say=lambda words: print(f"note: {words}", file=sys.stderr),
    )  # fmt: skip
    print(f"{written} results written to {command.out}", file=sys.stderr)
    return 0
