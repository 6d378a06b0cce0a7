"""What changed between two stores."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from inmo.errors import Exit
from inmo.harness.commands.options import Flag, Labels, Trackers
from inmo.harness.store.store import open_store
from inmo.reports.scoring.changes import compare_stores
from inmo.reports.tables.changes import change_notes, run_change_table, sequence_change_table
from inmo.terminal import plain

SHOWN = 20  # sequences on a terminal


@dataclass(frozen=True)
class CompareStores:
    """Compare two stores: whose boxes and scores changed, on which sequences, by how much, with intervals.

    Runs of the same config are compared, and runs of the same name where their configs differ. Status 2 when files are
    damaged; the others are compared.

    Example: python run_all.py compare runs-last-week runs --out changes
    """

    first: Positional[Path]
    """Store before."""
    second: Positional[Path]
    """Store after."""
    tracker: Trackers = ()
    """Only these trackers, by their names in tables."""
    dataset: Labels = ()
    """Only these datasets."""
    out: Path | None = None
    """A page with all sequences and the frames of the largest changes: OUT/index.html, OUT/tables/*."""
    format: Literal["table", "json", "csv"] = "table"
    """How to print."""
    full_paths: Flag = False
    """Say on the page where the data lay on this machine."""


def run(command: CompareStores) -> int:
    stores = open_store(command.first), open_store(command.second)
    found = compare_stores(*stores, trackers=command.tracker, datasets=command.dataset)
    same = command.first.name == command.second.name
    names = (str(command.first), str(command.second)) if same else (command.first.name, command.second.name)
    most = SHOWN if command.format == "table" else 0
    tables = run_change_table(found, names), sequence_change_table(found, names, most=most)
    if command.format == "json":
        whole = {key: json.loads(table.to_json()) for key, table in zip(("trackers", "sequences"), tables, strict=True)}
        print(json.dumps(whole))
    else:
        print("\n".join((t.to_text() if command.format == "table" else t.to_csv()) for t in tables if t.rows))
    for note in change_notes(found, names):
        print(f"note: {plain(note)}", file=sys.stderr)
    if command.out is not None:
        from inmo.reports.page.comparison import write_comparison

        print(write_comparison(found, command.out, names, full_paths=command.full_paths), file=sys.stderr)
    return Exit.MEND if found.damaged else 0
